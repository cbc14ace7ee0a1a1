/** README.md: its commands that need no cluster are run here, the others by test/e2e/readme.test.ts. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { environment } from './environment.ts';
import { commandsIn, readme } from './readme.ts';

const root = join(import.meta.dirname, '..');
const run = async (command: string) =>
  (await promisify(execFile)('sh', ['-c', command], { cwd: root, env: environment })).stdout;

test('has fewer than 400 words', () => {
  expect(readme.split(/\s+/).filter(Boolean).length).toBeLessThan(400);
});

test('names the version of this repository', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(new Set(readme.match(/v\d+\.\d+\.\d+/g))).toEqual(new Set([`v${version}`]));
});

test('shows examples/minimal.yaml', () => {
  const [, shown = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  expect(parse(shown)).toEqual(parse(readFileSync(join(root, 'examples/minimal.yaml'), 'utf8')));
});

describe('commands', () => {
  const commands = commandsIn('README.md');
  const needNoCluster = [...commands.values()].flat().filter((command) => command.startsWith('make '));

  test('are found in these sections', () => {
    expect([...commands.keys()]).toEqual(['Try it without a cluster', 'Install', 'What you see', 'More', 'Remove']);
    expect(needNoCluster).toEqual(['make run', 'make test', 'make render XR=examples/minimal.yaml', 'make help']);
  });

  test('make run serves until Ctrl-C', { tags: 'PowerDNS' }, async () => {
    const child = spawn('make', ['run'], {
      cwd: root,
      env: { ...environment, PORT: '0' },
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const text of child.stdout) {
      output += text;
      if (output.includes('Ctrl-C')) break;
    }
    expect(output).toMatch(/dig @127\.0\.0\.1 -p \d+ corp\.internal SOA/);
    // As a terminal does: to all processes of the group.
    process.kill(-(child.pid as number), 'SIGINT');
    await once(child, 'exit');
  });

  test('make test runs all tests outside test/e2e', async () => {
    // Running it here would never end.
    expect(await run('make --silent --dry-run test')).toMatch(/^vitest run --config test\/vitest\.config\.ts$/m);
  });

  test('make render XR=examples/minimal.yaml prints objects', async () => {
    expect(await run('make render XR=examples/minimal.yaml')).toMatch(/^---\napiVersion: dns\.internal\/v1alpha1\n/);
  });

  test('make help lists all targets', async () => {
    const phony = [...readFileSync(join(root, 'Makefile'), 'utf8').matchAll(/^\.PHONY: (\S+)$/gm)].map(
      ([, target]) => target,
    );
    const listed = [...(await run('make help')).matchAll(/^([a-z0-9]+) /gm)].map(([, target]) => target);
    expect(listed).toEqual(phony.filter((target) => target !== 'node'));
  });
});
