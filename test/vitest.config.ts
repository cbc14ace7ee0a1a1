import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..'),
    include: ['test/**/*.test.ts'],
    // Need a cluster: `make e2e`.
    exclude: ['test/e2e/*.test.ts'],
    globalSetup: 'test/programs.ts',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
