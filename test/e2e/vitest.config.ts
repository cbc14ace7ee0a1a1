import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { reportersOf } from '../reporters.ts';

/** Scenarios that disturb every other, by what they do to the cluster or by what they measure. */
const alone = ['admission', 'api-server', 'crowd', 'edits', 'latency', 'load', 'nodes', 'rest'];
const file = (scenario: string) => `test/e2e/${scenario}.test.ts`;

const minutes = 60_000;
const shared = {
  root: join(import.meta.dirname, '../..'),
  // A step waits for its causes as long as they take, and says itself what it has waited for.
  testTimeout: 30 * minutes,
  hookTimeout: 30 * minutes,
};

/** Files that run when all of the groups before are done, so many at a time. */
const group = (groupOrder: number, name: string, include: string[], maxWorkers = 1, exclude: string[] = []) => ({
  test: { ...shared, name, include, exclude, maxWorkers, sequence: { groupOrder } },
});

export default defineConfig({
  test: {
    ...shared,
    globalSetup: 'test/e2e/setup.ts',
    reporters: reportersOf('verbose', new Map()),
    // Of the tests of a file that say so.
    maxConcurrency: 3,
    projects: [
      group(1, 'first', [file('installation')]),
      // Nearly all of their time is waiting.
      group(2, 'lanes', [file('*')], 4, ['installation', ...alone, 'upgrade'].map(file)),
      group(3, 'alone', alone.map(file)),
      // It leaves another version behind.
      group(4, 'last', [file('upgrade')]),
    ],
  },
});
