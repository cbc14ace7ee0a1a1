/**
 * `crossplane composition render` with the files that docs/preview.md names, beside `make render`. It needs no cluster, but the
 * command line and the engine, which are one program in the image of Crossplane: `crossplane` and `crossplane-core` here.
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

const inRoot = (file: string) => join(import.meta.dirname, '../..', file);
/** Go writes a hash such as 913621921e146368 without quotes: it is too large for a float there, but infinite here. */
const quoted = (text: string) => text.replaceAll(/: ([0-9a-f]{16})$/gm, ': "$1"');
const documents = (text: string) => parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS());

describe('crossplane composition render', () => {
  let served: RunningFunction;
  beforeAll(async () => {
    served = await startFunction();
  });
  afterAll(() => served?.stop());

  test.concurrent.for(Object.entries(examples))('of example %s prints what make render does', async ([, file]) => {
    const [cli, engine] = ['crossplane', 'crossplane-core'].map((name) => findOnPath(name)) as [string, string];
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
