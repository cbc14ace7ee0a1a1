import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// One cluster, so one thing at a time; each step says itself how long it may take.
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '../..'),
    include: ['test/cluster/*.test.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
