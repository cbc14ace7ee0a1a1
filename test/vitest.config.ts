import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { missing, tagsOf } from './programs.ts';
import { reportersOf } from './reporters.ts';
import { polling } from './timeouts.ts';

export default defineConfig(async () => {
  const reasons = await missing();
  const { FC_SEED: seed = `${randomInt(2 ** 31)}` } = process.env;
  return {
    test: {
      root: join(import.meta.dirname, '..'),
      include: ['test/**/*.test.ts'],
      // These need a cluster: `make e2e`.
      exclude: ['test/e2e/*.test.ts'],
      tags: [...tagsOf(reasons), { name: 'history' as const }],
      setupFiles: 'test/properties.ts',
      env: { FC_SEED: seed },
      reporters: reportersOf('default', reasons, seed),
      // Many tests spend most of their time waiting.
      maxWorkers: availableParallelism() + 1,
      // Longer than any test takes: only tests that hang time out.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      expect: { poll: polling },
    },
  };
});
