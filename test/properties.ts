/** How properties are tested: https://fast-check.dev/docs/configuration/global-settings/ */
import { appendFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach } from 'vitest';

const { FC_SEED: seed, FC_COUNTS: counts } = process.env;

// Any number of cases takes as long as it takes. Those that fail are printed, with what draws them again.
fc.configureGlobal({ numRuns: 100, seed: Number(seed) });

// For `make soak`, which says how many cases there were and has no time to shrink one: with its seed `make test` does.
if (counts !== undefined) {
  let cases = 0;
  fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true, beforeEach: () => void cases++ });
  afterEach(({ task }) => {
    appendFileSync(counts, `${JSON.stringify([task.name, cases])}\n`);
    cases = 0;
  });
}
