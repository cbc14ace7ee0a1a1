import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const functions = join(import.meta.dirname, '../functions');

/** What each folder of functions/ may import, apart from itself and packages: a folder, or a file if only that is shared. */
const arrows: Record<string, readonly string[]> = {
  dns: [],
  contract: ['dns'],
  'cdk8s-function-xp': [],
  'internal-dns': ['contract', 'dns', 'cdk8s-function-xp/composition.ts'],
  agent: ['contract', 'dns'],
  // It writes an InternalDNS.
  import: ['dns', 'internal-dns/zones/zone.ts'],
};

const filesIn = (folder: string) =>
  globSync('**/*.ts', { cwd: join(functions, folder) }).map((file) => `${folder}/${file}`);

const importsOf = (file: string): string[] => {
  const text = readFileSync(join(functions, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier = '']) =>
    specifier.startsWith('.') ? relative(functions, resolve(functions, dirname(file), specifier)) : specifier,
  );
};

const isWithin = (file: string, place: string) => file === place || file.startsWith(`${place}/`);

describe.each(Object.entries(arrows))('functions/%s', (folder, allowed) => {
  test(`imports only ${allowed.join(', ') || 'nothing'} of the other folders`, () => {
    const violations = filesIn(folder).flatMap((file) =>
      importsOf(file)
        .filter((target) => target.endsWith('.ts') && ![folder, ...allowed].some((place) => isWithin(target, place)))
        .map((target) => `${file} -> ${target}`),
    );
    expect(violations).toEqual([]);
  });
});

test('only cdk8s-function-xp imports the Crossplane protocol', () => {
  const importers = globSync('**/*.ts', { cwd: functions }).filter((file) =>
    importsOf(file).some((name) => name.startsWith('@crossplane-org/') || name.startsWith('@grpc/')),
  );
  expect(importers.filter((file) => !isWithin(file, 'cdk8s-function-xp'))).toEqual([]);
});
