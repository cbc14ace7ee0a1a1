import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..'),
    include: ['test/**/*.test.ts'],
    // Needs a cluster: `make e2e`.
    exclude: ['test/cluster/**'],
    globalSetup: 'test/programs.ts',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
