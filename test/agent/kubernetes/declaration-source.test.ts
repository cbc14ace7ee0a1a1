/** With a cluster; without one see process.test.ts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { watchDeclaration } from '../../../functions/agent/kubernetes/declaration-source.ts';

const dir = mkdtempSync(join(tmpdir(), 'declaration-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, 'declaration.json');
writeFileSync(file, 'of the file');
const none = join(dir, 'none');

/** A cluster with these versions of the declaration; `send` adds another. */
function watch(texts: string[], { timeoutMs, from = file }: { timeoutMs: number; from?: string }) {
  const applied: string[] = [];
  const logged: string[] = [];
  let send = (_: string): void => {};
  const client = {
    watchDeclaration: (onText: (text: string) => void) => {
      send = onText;
      texts.forEach(onText);
    },
  };
  const apply = (text: string): void => {
    if (text === 'nonsense') throw new Error('not a declaration');
    applied.push(text);
  };
  const failureLog = {
    record: (action: string, failure?: string) => void logged.push(`${action}: ${failure ?? 'well'}`),
  };
  const log = { warn: (text: string) => void logged.push(text) };
  const options = { client, file: from, apply, failureLog, log, timeoutMs };
  return { watching: watchDeclaration(options), send: (text: string) => send(text), applied, logged };
}

const forEver = 2 ** 31 - 1;

test('the declaration is the ConfigMap’s, without a look at the file', async () => {
  const { watching, send, applied, logged } = watch(['one'], { timeoutMs: forEver, from: none });
  await watching;
  send('two');
  expect(applied).toEqual(['one', 'two']);
  send('nonsense');
  expect(logged).toEqual([
    'read the declaration: well',
    'read the declaration: well',
    'read the declaration: not a declaration',
  ]);
});

test.each([
  ['nothing', []],
  ['nothing but nonsense', ['nonsense']],
])('the declaration is the file’s while the ConfigMap has %s', async (_, texts) => {
  const { watching, send, applied } = watch(texts, { timeoutMs: 1 });
  await watching;
  send('late');
  expect(applied).toEqual(['of the file', 'late']);
});

test('resolves with the first valid declaration', async () => {
  const { watching, send, applied } = watch(['nonsense'], { timeoutMs: forEver });
  send('one');
  await watching;
  expect(applied).toEqual(['one']);
});

test('the ways in come with the declaration, from the ConfigMap and from the folder of the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'declaration-'));
  for (const [name, text] of [
    ['declaration.json', 'one'],
    ['ways-in.json', 'its ways in'],
  ] as const)
    writeFileSync(join(folder, name), text);
  const applied: (string | undefined)[][] = [];
  const apply = (...texts: (string | undefined)[]) => void applied.push(texts);
  const client = { watchDeclaration: (onText: (...texts: string[]) => void) => onText('two', 'other ways in') };
  const others = { apply, failureLog: { record: () => {} }, log: { warn: () => {} } };
  await watchDeclaration({ client, file: none, ...others });
  await watchDeclaration({
    client: { watchDeclaration: () => {} },
    file: join(folder, 'declaration.json'),
    ...others,
    timeoutMs: 1,
  });
  expect(applied).toEqual([
    ['two', 'other ways in'],
    ['one', 'its ways in'],
  ]);
  rmSync(folder, { recursive: true });
});

test('the file may be missing', async () => {
  const { watching, applied, logged } = watch([], { timeoutMs: 1, from: none });
  await watching;
  expect([applied, logged]).toEqual([[], [`ENOENT: no such file or directory, open '${none}'`]]);
});
