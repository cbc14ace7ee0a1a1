/** Compiles what is rendered for examples/monitoring.yaml as literals of published types, which may have no unknown field. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaulted } from '../crossplane.ts';
import { examples } from '../examples.ts';
import { readComposite } from '../render.ts';
import { dashboardIn, objectOf, rendered } from './rendered.ts';

const root = join(import.meta.dirname, '../..');
const types = join(import.meta.dirname, 'published-types.ts');

/** Returns the errors of the compiler, with the lines that they are about. */
function errorsIn(type: string, statements: string[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'published-types-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions: { types: [] }, include: ['*.mts'] };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(join(dir, 'rendered.mts'), [`import type { ${type} } from '${types}';`, ...statements].join('\n'));
  try {
    return execFileSync(join(root, 'node_modules/.bin/tsc'), ['--pretty', '-p', dir], { encoding: 'utf8' });
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (!stdout) throw error;
    return stripVTControlCharacters(stdout);
  }
}

/** Shortens every list to the first item of each `type`: the rest have the same fields. */
const sampleOf = (value: object): object =>
  JSON.parse(JSON.stringify(value), (_, member) =>
    Array.isArray(member)
      ? member.filter(({ type }, at) => member.findIndex((item) => item.type === type) === at)
      : member,
  );

/** Maps with keys of the user's choice, or of a data source's. Texts by value have the values as keys. */
const isFree = (path: string) => /[.](labels|annotations|matchLabels|query|mappings[.]0[.]options)$/.test(path);

/** `value` with one field misspelt, for every field, by its path. */
function* misspelt(value: object, path = ''): Generator<[path: string, value: object]> {
  for (const [name, member] of Object.entries(value)) {
    const at = `${path}.${name}`;
    const { [name]: _, ...others } = value as Record<string, unknown>;
    if (!Array.isArray(value) && !isFree(path)) yield [at, { ...others, [`${name}x`]: member }];
    if (typeof member !== 'object' || member === null) continue;
    for (const [below, wrong] of misspelt(member, at)) {
      yield [below, Array.isArray(value) ? value.with(Number(name), wrong) : { ...value, [name]: wrong }];
    }
  }
}

const [, rendering] = rendered(defaulted(readComposite(examples.monitoring!)));

describe.each([
  ['PodMonitor', objectOf(rendering, 'PodMonitor')!],
  ['PrometheusRule', objectOf(rendering, 'PrometheusRule')!],
  ['Dashboard', dashboardIn(rendering).dashboard],
])('%s', (type, value) => {
  test('has only fields of its published type', () => {
    expect(errorsIn(type, [`export const value: ${type} = ${JSON.stringify(value, undefined, 2)};`])).toBe('');
  });

  test('does not compile with any field misspelt', () => {
    const statements = [...misspelt(sampleOf(value))].flatMap(([path, wrong], index) => [
      `// @ts-expect-error ${path}`,
      `export const value${index}: ${type} = ${JSON.stringify(wrong)};`,
    ]);
    expect(statements.length).toBeGreaterThan(20);
    expect(errorsIn(type, statements)).toBe('');
  });
});
