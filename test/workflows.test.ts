/** What actionlint does not check: https://github.com/rhysd/actionlint/blob/main/docs/checks.md */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { serverImages } from '../functions/package/digests.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const workflows = globSync('.github/workflows/*.yml', { cwd: root }).sort();
const actions = globSync('.github/actions/*/action.yml', { cwd: root }).sort();

interface Job {
  uses?: string;
  permissions?: Record<string, string>;
  'timeout-minutes'?: number;
  steps?: { uses?: string; with?: Record<string, unknown> }[];
}

interface Workflow {
  permissions?: object;
  concurrency?: { group?: string };
  jobs: Record<string, Job>;
}

test.each([...workflows, ...actions])('%s pins each action by commit, with the version in a comment', (file) => {
  const uses = [...read(file).matchAll(/^\s*(?:- )?uses: *(.+)$/gm)].map(([, action = '']) => action);
  // One of this repository is of the same commit.
  const unpinned = uses.filter((action) => !/^\.\/|^[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+)*$/.test(action));
  expect(unpinned).toEqual([]);
});

test('an action has one version everywhere', () => {
  const uses = [...workflows, ...actions].flatMap(
    (file) => read(file).match(/[\w.-]+\/[\w.-]+@[0-9a-f]{40} # v.+/g) ?? [],
  );
  const versions = Map.groupBy(new Set(uses), (action) => action.split('@')[0]);
  expect([...versions.values()].filter(({ length }) => length > 1)).toEqual([]);
});

describe.each(workflows)('%s', (file) => {
  const { permissions, concurrency, jobs } = parse(read(file)) as Workflow;

  test('grants nothing to all jobs, and each job what it needs', () => {
    expect(permissions).toEqual({});
    const open = Object.entries(jobs).filter(([, job]) => typeof job.permissions !== 'object');
    expect(open.map(([name]) => name)).toEqual([]);
  });

  test('has a concurrency group, and a timeout for each job', () => {
    expect(concurrency?.group).toContain('github.ref');
    const endless = Object.entries(jobs).filter(([, job]) => !job.uses && !job['timeout-minutes']);
    expect(endless.map(([name]) => name)).toEqual([]);
  });

  test('keeps no credentials in the checkout', () => {
    const checkouts = Object.values(jobs).flatMap(({ steps = [] }) =>
      steps.filter(({ uses }) => uses?.startsWith('actions/checkout@')),
    );
    expect(checkouts.filter((step) => step.with?.['persist-credentials'] !== false)).toEqual([]);
  });

  test('reads what others chose from the environment, never as part of a script', () => {
    const scripts = [...read(file).matchAll(/^ *(?:- )?run: (?:\|\n(?: {8,}.*\n| *\n)+|.*)/gm)].map(
      ([script]) => script,
    );
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
  });
});

describe('renovate.json', () => {
  const { customManagers } = JSON.parse(read('renovate.json')) as {
    customManagers: { managerFilePatterns: string[]; matchStrings: string[] }[];
  };
  const files = globSync('**/*', {
    cwd: root,
    exclude: (name) => ['node_modules', '_build', '.git'].includes(name),
  });
  files.push(...workflows, ...actions);

  test.each(customManagers)('finds versions in $managerFilePatterns', ({ managerFilePatterns, matchStrings }) => {
    for (const pattern of managerFilePatterns) {
      const expression = new RegExp(pattern.slice(1, -1));
      const matched = files.filter((file) => expression.test(file));
      expect(matched).not.toEqual([]);
      for (const file of matched) {
        const found = matchStrings.flatMap((match) => [...read(file).matchAll(new RegExp(match, 'g'))]);
        expect(found, file).not.toEqual([]);
        for (const { groups } of found) expect(groups?.currentValue).toMatch(/^v?\d|^nonroot$/);
      }
    }
  });
});

test('functions/package/digests.txt has the images of the sources', () => {
  const [, base] = read('Makefile').match(/^export BASE \?= (.+)$/m) ?? [];
  const listed = read('functions/package/digests.txt')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of listed) expect(line).toMatch(/^[^\s@]+:[^\s@]+(@sha256:[0-9a-f]{64})?$/);
  expect(listed.map((line) => line.split('@')[0]).sort()).toEqual([base, ...Object.values(serverImages)].sort());
});
