/**
 * `crossplane composition render` with the files that docs/preview.md names, beside `make render`: in its default mode, where
 * Crossplane and the Function are containers, and without Docker. It needs no cluster.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { applied, yamlOf } from '../crossplane.ts';
import { examples } from '../examples.ts';
import { type RunningFunction, startFunction } from '../function.ts';
import { findOnPath } from '../path.ts';
import { callFunction, readComposite } from '../render.ts';
import { built } from './cluster/packages.ts';

const run = promisify(execFile);
const inRoot = (file: string) => join(import.meta.dirname, '../..', file);
/**
 * Go writes a hash such as 913621921e146368 without quotes: it is too large for a float there, but infinite here. Nor is the
 * name of the root, a dot, a number there.
 */
const quoted = (text: string) => text.replaceAll(/: ([0-9a-f]{16}|\.)$/gm, ': "$1"');
const documents = (text: string) => parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS());

const xrd = inRoot('apis/internaldns/definition.yaml');

/** What the Crossplane CLI prints for an example, as it is printed for people. */
async function crossplaneRender(file: string, ...flags: string[]): Promise<string> {
  const files = [file, inRoot('apis/internaldns/composition.yaml'), inRoot('examples/functions.yaml')];
  const cli = findOnPath('crossplane');
  return (await run(cli, ['composition', 'render', ...files, `--xrd=${xrd}`, '--include-full-xr', ...flags])).stdout;
}

let served: RunningFunction;
beforeAll(async () => {
  served = await startFunction({ build: built });
});
afterAll(() => served?.stop());

async function makeRender(file: string): Promise<string> {
  const composite = readComposite(file);
  return yamlOf(applied(composite, await callFunction(served.address, composite)));
}

const asProcess = () => [
  `--crossplane-binary=${findOnPath('crossplane-core')}`,
  '--function-annotations=render.crossplane.io/runtime=Development',
  `--function-annotations=render.crossplane.io/runtime-development-target=${served.address}`,
];

describe('crossplane composition render without Docker', () => {
  test.concurrent.for(Object.entries(examples))('of example %s prints what make render does', async ([, file]) => {
    expect(documents(quoted(await crossplaneRender(file, ...asProcess())))).toEqual(documents(await makeRender(file)));
  });
});

/** A Docker engine that has the image of the Function under its released name, and this one of Crossplane. */
const { DOCKER_HOST: engine, CROSSPLANE_IMAGE: crossplane = '' } = process.env;
const reason = engine && crossplane ? '' : ' (skipped: it needs DOCKER_HOST and CROSSPLANE_IMAGE)';

describe.skipIf(reason)(`crossplane composition render with Docker${reason}`, () => {
  const network = 'internal-dns-render';
  const container = 'internal-dns-function';
  const flags = [
    `--crossplane-image=${crossplane}`,
    `--crossplane-docker-network=${network}`,
    '--function-annotations=render.crossplane.io/runtime-docker-pull-policy=Never',
    `--function-annotations=render.crossplane.io/runtime-docker-name=${container}`,
    '--function-annotations=render.crossplane.io/runtime-docker-cleanup=Orphan',
  ];
  const clean = async () => {
    await run('docker', ['rm', '--force', container]).catch(() => {});
    await run('docker', ['network', 'rm', network]).catch(() => {});
  };
  beforeAll(async () => {
    await clean();
    await run('docker', ['network', 'create', network]);
    // Starts the container, which the others share.
    await crossplaneRender(examples.minimal as string, ...flags);
  });
  afterAll(clean);

  // The same program renders all of them without Docker, in a fraction of the time.
  test.concurrent.for(['minimal', 'monitoring', 'records', 'resolver', 'zones'])(
    'of example %s prints what make render does',
    async (name) => {
      const file = examples[name] as string;
      expect(documents(quoted(await crossplaneRender(file, ...flags)))).toEqual(documents(await makeRender(file)));
    },
  );

  test('one container was enough', async () => {
    const { stdout } = await run('docker', ['ps', '--all', '--format={{.Names}} {{.Status}}']);
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(`^${container} Up `)]);
  });
});

test('crossplane resource validate takes what crossplane composition render prints', async () => {
  const printed = await crossplaneRender(examples.minimal as string, ...asProcess());
  const child = run(findOnPath('crossplane'), ['resource', 'validate', xrd, '-', '--crossplane-image=']);
  child.child.stdin?.end(printed);
  expect((await child).stdout).toMatch(/Total \d+ resources: 0 missing schemas, \d+ success cases, 0 failure cases/);
});
