import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { missing, tags } from './programs.ts';
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
      tags: tags.map((name) => ({ name, skip: reasons.has(name) })),
      reporters: [
        'default',
        ...(results ? [['json', { outputFile: results }] as ['json', object]] : []),
        new Summary({ reasons, requireAll: Boolean(requireAll) }),
      ],
      testTimeout: 30_000,
      hookTimeout: 30_000,
    },
  };
});
