import { basename, join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { reportersOf } from '../reporters.ts';

/** Scenarios that disturb all others, or are disturbed by them when they measure. */
const alone = [
  'admission',
  'anticipation',
  'api-server',
  'creation',
  'crowd',
  'edits',
  'latency',
  'load',
  'nodes',
  'rest',
  'tailnet',
];
const file = (scenario: string) => `test/e2e/${scenario}.test.ts`;

/** In a lane these start first: what starts last has idle cores beside it. Without results vitest starts the largest files. */
const longest = ['examples', 'preview', 'replicas', 'verdicts', 'symptoms', 'failures', 'host-name-targets', 'outages'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = longest.indexOf(basename(moduleId, '.test.ts'));
      return place < 0 ? longest.length : place;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => groupOf(a) - groupOf(b) || placeOf(a) - placeOf(b));
  }
}

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
    sequence: { sequencer: LongestFirst },
    projects: [
      group(1, 'first', [file('installation')]),
      // They wait most of the time.
      group(2, 'lanes', [file('*')], 4, ['installation', ...alone, 'upgrade', 'readme'].map(file)),
      group(3, 'alone', alone.map(file)),
      // They replace the packages.
      group(4, 'upgrade', [file('upgrade')]),
      group(5, 'readme', [file('readme')]),
    ],
  },
});
