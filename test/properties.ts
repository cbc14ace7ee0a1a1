/** How properties are tested: https://fast-check.dev/docs/configuration/global-settings/ */
import fc from 'fast-check';

// Any number of cases takes as long as it takes. Those that fail are printed, with what draws them again.
fc.configureGlobal({ numRuns: 100, seed: Number(process.env.FC_SEED) });
