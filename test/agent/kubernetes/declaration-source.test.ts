/** Where the declaration comes from while there is a cluster; without one see process.test.ts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { followDeclaration } from '../../../functions/agent/kubernetes/declaration-source.ts';

const dir = mkdtempSync(join(tmpdir(), 'declaration-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, 'declaration.json');
writeFileSync(file, 'of the file');
const none = join(dir, 'none');

/** A cluster that says these at once, and whatever is told to it later. */
function follow(texts: string[], { patienceMs, from = file }: { patienceMs: number; from?: string }) {
  const taken: string[] = [];
  const said: string[] = [];
  let tell = (_: string): void => {};
  const cluster = {
    watchDeclaration: (onText: (text: string) => void) => {
      tell = onText;
      texts.forEach(onText);
    },
  };
  const take = (text: string): void => {
    if (text === 'nonsense') throw new Error('not a declaration');
    taken.push(text);
  };
  const failureLog = {
    record: (action: string, failure?: string) => void said.push(`${action}: ${failure ?? 'well'}`),
  };
  const log = { warn: (text: string) => void said.push(text) };
  const options = { cluster, file: from, take, failureLog, log, patienceMs };
  return { followed: followDeclaration(options), tell: (text: string) => tell(text), taken, said };
}

/** The tests with it wait for nothing else. */
const forEver = 2 ** 31 - 1;

test('the ConfigMap has it, and tells when it changes: the file is not looked at', async () => {
  const { followed, tell, taken, said } = follow(['one'], { patienceMs: forEver, from: none });
  await followed;
  tell('two');
  expect(taken).toEqual(['one', 'two']);
  tell('nonsense');
  expect(said).toEqual([
    'read the declaration: well',
    'read the declaration: well',
    'read the declaration: not a declaration',
  ]);
});

test.each([
  ['nothing', []],
  ['nothing but nonsense', ['nonsense']],
])('the file has it while the ConfigMap tells %s', async (_, texts) => {
  const { followed, tell, taken } = follow(texts, { patienceMs: 1 });
  await followed;
  tell('late');
  expect(taken).toEqual(['of the file', 'late']);
});

test('the first text that is one will do', async () => {
  const { followed, tell, taken } = follow(['nonsense'], { patienceMs: forEver });
  tell('one');
  await followed;
  expect(taken).toEqual(['one']);
});

test('there may be no file', async () => {
  const { followed, taken, said } = follow([], { patienceMs: 1, from: none });
  await followed;
  expect([taken, said]).toEqual([[], [`ENOENT: no such file or directory, open '${none}'`]]);
});
