/** `crossplane composition render` with the files that docs/preview.md names, beside `make render`. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { applied, yamlOf } from './crossplane.ts';
import { examples } from './examples.ts';
import { type RunningFunction, startFunction } from './function.ts';
import { find } from './programs.ts';
import { callFunction, readComposite, readObjects } from './render.ts';

const root = join(import.meta.dirname, '..');
const inRoot = (file: string) => join(root, file);
/** Go writes a hash such as 913621921e146368 without quotes: it is too large for a float there, but infinite here. */
const quoted = (text: string) => text.replaceAll(/: ([0-9a-f]{16})$/gm, ': "$1"');
const documents = (text: string) => parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS());

test('the Functions file names the Function that the Composition calls, of the version of this repository', () => {
  const [composition] = readObjects(inRoot('apis/internaldns/composition.yaml'));
  const [fn] = readObjects(inRoot('examples/functions.yaml'));
  const [{ version }] = readObjects(inRoot('package.json')) as unknown as [{ version: string }];
  expect(fn?.metadata.name).toBe(composition?.spec.pipeline[0].functionRef.name);
  expect(fn?.spec.package).toBe(`ghcr.io/internal-dns/cdk8s-function-xp:v${version}`);
});

describe('crossplane composition render', { tags: 'crossplane' }, () => {
  let served: RunningFunction;
  beforeAll(async () => {
    served = await startFunction();
  });
  afterAll(() => served?.stop());

  test.concurrent.for(Object.entries(examples))('of example %s prints what make render does', async ([, file]) => {
    const { cli, engine } = await find('crossplane');
    const composite = readComposite(file);
    const { stdout } = await promisify(execFile)(cli, [
      ...[
        'composition',
        'render',
        file,
        inRoot('apis/internaldns/composition.yaml'),
        inRoot('examples/functions.yaml'),
      ],
      ...['--include-full-xr', `--xrd=${inRoot('apis/internaldns/definition.yaml')}`, `--crossplane-binary=${engine}`],
      ...['-a', 'render.crossplane.io/runtime=Development'],
      ...['-a', `render.crossplane.io/runtime-development-target=${served.address}`],
    ]);
    const rendered = yamlOf(applied(composite, await callFunction(served.address, composite)));
    expect(documents(quoted(stdout))).toEqual(documents(rendered));
  });
});
