import { describe, expect, test } from 'vitest';
import { declaration } from '../../functions/contract/declaration.ts';
import { declarationWith } from './declared.ts';

const written = declarationWith({ discovery: {} });

test('a declaration reads as it is written', () => {
  expect(declaration.parse(JSON.parse(JSON.stringify(written)))).toEqual(written);
});

test('an agent ignores the fields of a newer function', () => {
  const newer = { ...written, later: true, discovery: { ...written.discovery, later: true } };
  expect(declaration.parse(newer)).toEqual(written);
});

/** The agent keeps its previous declaration, so no default can change or delete a record. */
describe('a declaration without a field is rejected rather than completed', () => {
  test.each(Object.keys(written))('%s', (name) => {
    const { [name as 'zones']: _, ...without } = written;
    const { success, error } = declaration.safeParse(without);
    const missing = success ? [] : error.issues.map(({ path }) => path.join('.'));
    // Absent where nothing is discovered, or no volume claimed.
    expect(missing).toEqual(['discovery', 'storage'].includes(name) ? [] : [name]);
  });

  const stated = Object.entries(written.discovery ?? {}).filter(([, value]) => value !== undefined);

  test.each(stated.map(([name]) => name))('discovery.%s', (name) => {
    const { [name as 'ownerID']: _, ...without } = written.discovery!;
    const { error } = declaration.safeParse({ ...written, discovery: without });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([`discovery.${name}`]);
  });
});
