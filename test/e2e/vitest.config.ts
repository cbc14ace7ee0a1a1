import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { reportersOf } from '../reporters.ts';

/** Scenarios that disturb all others, or are disturbed by them when they measure. */
const alone = ['admission', 'api-server', 'crowd', 'edits', 'latency', 'load', 'nodes', 'rest'];
const file = (scenario: string) => `test/e2e/${scenario}.test.ts`;

const minutes = 60_000;
const shared = {
  root: join(import.meta.dirname, '../..'),
  // Steps have their own timeouts, with better messages.
  testTimeout: 30 * minutes,
  hookTimeout: 30 * minutes,
};

/** Files that run after the previous groups, `maxWorkers` at a time. */
const group = (groupOrder: number, name: string, include: string[], maxWorkers = 1, exclude: string[] = []) => ({
  test: { ...shared, name, include, exclude, maxWorkers, sequence: { groupOrder } },
});

export default defineConfig({
  test: {
    ...shared,
    globalSetup: 'test/e2e/setup.ts',
    reporters: reportersOf('verbose', new Map()),
    // Of `test.concurrent` in a file.
    maxConcurrency: 3,
    projects: [
      group(1, 'first', [file('installation')]),
      // They wait most of the time.
      group(2, 'lanes', [file('*')], 4, ['installation', ...alone, 'upgrade'].map(file)),
      group(3, 'alone', alone.map(file)),
      // It leaves another version installed.
      group(4, 'last', [file('upgrade')]),
    ],
  },
});
