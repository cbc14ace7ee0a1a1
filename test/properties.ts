/** Configures property tests: https://fast-check.dev/docs/configuration/global-settings/ */
import { appendFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach } from 'vitest';

const { FC_SEED: seed, FC_COUNTS: counts } = process.env;

// Without a time limit. A failed case is printed with the seed that reproduces it.
fc.configureGlobal({ numRuns: 100, seed: Number(seed) });

// For `make soak`, which prints the number of cases and has no time to shrink a failed one: `make test` with its seed does.
if (counts !== undefined) {
  let cases = 0;
  fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true, beforeEach: () => void cases++ });
  afterEach(({ task }) => {
    appendFileSync(counts, `${JSON.stringify([task.name, cases])}\n`);
    cases = 0;
  });
}
