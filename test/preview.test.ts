/** The Functions file that docs/preview.md names. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readObjects } from './render.ts';

const inRoot = (file: string) => join(import.meta.dirname, '..', file);

test('the Functions file names the Function that the Composition calls, of the version of this repository', () => {
  const [composition] = readObjects(inRoot('apis/internaldns/composition.yaml'));
  const [fn] = readObjects(inRoot('examples/functions.yaml'));
  const [{ version }] = readObjects(inRoot('package.json')) as unknown as [{ version: string }];
  expect(fn?.metadata.name).toBe(composition?.spec.pipeline[0].functionRef.name);
  expect(fn?.spec.package).toBe(`ghcr.io/internal-dns/cdk8s-function-xp:v${version}`);
});
