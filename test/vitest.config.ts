import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { soon } from './patience.ts';
import { missing, tagsOf } from './programs.ts';
import { Summary } from './summary.ts';

export default defineConfig(async () => {
  const reasons = await missing();
  const { RESULTS: results, REQUIRE_ALL: requireAll } = process.env;
  return {
    test: {
      root: join(import.meta.dirname, '..'),
      include: ['test/**/*.test.ts'],
      // Need a cluster: `make e2e`.
      exclude: ['test/e2e/*.test.ts'],
      tags: tagsOf(reasons),
      reporters: [
        'default',
        ...(results ? [['json', { outputFile: results }] as ['json', object]] : []),
        new Summary({ reasons, requireAll: Boolean(requireAll) }),
      ],
      // So that only what hangs ends by itself.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      expect: { poll: soon },
    },
  };
});
