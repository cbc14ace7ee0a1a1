import type { Sources } from '../../functions/agent/http/metrics.ts';
import { type Verdict, verdicts } from '../../functions/contract/verdict.ts';

/** As an agent counts its names. */
export const countsOf = (some: Partial<Record<Verdict, number>> = {}): Record<Verdict, number> => ({
  ...(Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>),
  ...some,
});

/** Of an agent that knows nothing yet. */
export const nothing: Sources = {
  names: () => countsOf(),
  zones: () => [],
  serials: async () => [],
  resolution: () => undefined,
  discoveryAge: () => undefined,
  failedLoops: () => 0,
  heldNames: () => 0,
  events: () => ({}),
  untold: () => 0,
};
