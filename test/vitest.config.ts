import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { soon } from './patience.ts';
import { missing, tagsOf } from './programs.ts';
import { reportersOf } from './reporters.ts';

export default defineConfig(async () => {
  const reasons = await missing();
  return {
    test: {
      root: join(import.meta.dirname, '..'),
      include: ['test/**/*.test.ts'],
      // Need a cluster: `make e2e`.
      exclude: ['test/e2e/*.test.ts'],
      tags: tagsOf(reasons),
      reporters: reportersOf('default', reasons),
      // So that only what hangs ends by itself.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      expect: { poll: soon },
    },
  };
});
