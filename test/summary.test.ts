import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import type { SummaryOptions } from './summary.ts';

const dir = mkdtempSync(join(tmpdir(), 'summary-'));
afterAll(() => rmSync(dir, { recursive: true }));

const needy = `
  beforeAll(() => console.log('starts a server'));
  test('queries the server', () => {});
  test('queries twice', { tags: ['dig', 'There'] }, () => {});
`;
// Vitest would read an unbroken tag as one of this file.
const files = {
  'passes.test.js': "test('one', () => {}); test('two', () => {});",
  'needs-server.test.js': `/** @module-${'tag'} Server */ ${needy}`,
  'needs-in-part.test.js': `test('one', () => {}); describe('a server', { tags: 'Server' }, () => {${needy}});`,
  'skips.test.js':
    "test('one', ({ skip }) => skip('today is Sunday')); test.skip('two', () => {}); test.todo('three');",
  'fails.test.js': "test('one', () => expect(1).toBe(2));",
  'breaks.test.js': "beforeAll(() => { throw new Error('no') }); test('one', () => {}); test('two', () => {});",
  'is-none.test.js': "throw new Error('no');",
};
type File = keyof typeof files;

const sibling = (name: string) => JSON.stringify(join(import.meta.dirname, name));

/** Runs these files without a server and without dig; returns the output and the exit code. */
async function run(names: File[], options: Partial<SummaryOptions> = {}) {
  const folder = mkdtempSync(join(dir, 'run-'));
  for (const name of names) writeFileSync(join(folder, name), files[name]);
  const config = `
    import { tagsOf } from ${sibling('programs.ts')};
    import { Summary } from ${sibling('summary.ts')};
    const reasons = new Map([['Server', 'cannot find a server: get one'], ['dig', 'cannot find dig: get it']]);
    const tags = tagsOf(reasons, ['Server', 'dig', 'There']);
    const reporters = ['default', new Summary({ reasons, ...${JSON.stringify(options)} })];
    export default { test: { globals: true, tags, reporters } };
  `;
  writeFileSync(join(folder, 'vitest.config.ts'), config);
  const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--root', folder];
  const env = { PATH: process.env.PATH, NO_COLOR: '1' };
  return promisify(execFile)(process.execPath, args, { env }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    ({ stdout, code }) => ({ stdout: stdout as string, code: code as number }),
  );
}

const last = (text: string, count: number) => text.trimEnd().split('\n').slice(-count);

describe('the last line', () => {
  test.each<[string, File[], string, number]>([
    ['has a 0 if nothing was skipped', ['passes.test.js'], '2 passed, 0 failed, 0 skipped', 0],
    ['counts failed tests', ['passes.test.js', 'fails.test.js'], '2 passed, 1 failed, 0 skipped', 1],
    ['counts tests that a hook kept from running as failed', ['breaks.test.js'], '0 passed, 2 failed, 0 skipped', 1],
    [
      'counts a file that cannot be loaded as failed',
      ['passes.test.js', 'is-none.test.js'],
      '2 passed, 1 failed, 0 skipped',
      1,
    ],
  ])('%s', async (_, names, line, code) => {
    const ran = await run(names);
    expect([last(ran.stdout, 1), ran.code]).toEqual([[line], code]);
  });

  test('comes after the seed of a failed run', async () => {
    const failed = await run(['passes.test.js', 'fails.test.js'], { seed: '7' });
    expect(last(failed.stdout, 2)).toEqual(['FC_SEED=7 reproduces the same cases', '2 passed, 1 failed, 0 skipped']);
    expect((await run(['passes.test.js'], { seed: '7' })).stdout).not.toContain('FC_SEED');
  });

  test('comes after each reason for skipped tests, once', async () => {
    const { stdout, code } = await run(['needs-in-part.test.js', 'needs-server.test.js', 'skips.test.js']);
    expect(last(stdout, 5).sort()).toEqual([
      '1 passed, 0 failed, 7 skipped',
      '1 skipped: today is Sunday',
      '2 skipped: cannot find dig: get it',
      '2 skipped: no reason given',
      '4 skipped: cannot find a server: get one',
    ]);
    expect(last(stdout, 1)).toEqual(['1 passed, 0 failed, 7 skipped']);
    expect(code).toBe(0);
    expect(stdout).not.toContain('starts a server');
  });
});

describe('with requireAll', () => {
  test('a skipped test fails the run', async () => {
    const { stdout, code } = await run(['needs-server.test.js'], { requireAll: true });
    expect(last(stdout, 4)).toEqual([
      '2 skipped: cannot find a server: get one',
      '1 skipped: cannot find dig: get it',
      'REQUIRE_ALL is set: skipped tests are failures',
      '0 passed, 0 failed, 2 skipped',
    ]);
    expect(code).toBe(1);
  });

  test('a run without a skipped test passes', async () => {
    const { stdout, code } = await run(['passes.test.js'], { requireAll: true });
    expect([last(stdout, 1), code]).toEqual([['2 passed, 0 failed, 0 skipped'], 0]);
  });
});
