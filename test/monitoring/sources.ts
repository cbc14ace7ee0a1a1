import type { MetricSources } from '../../functions/agent/http/metrics.ts';
import { type Verdict, verdicts } from '../../functions/contract/verdict.ts';

/** The number of names by verdict, 0 for those not given. */
export const countsOf = (some: Partial<Record<Verdict, number>> = {}): Record<Verdict, number> => ({
  ...(Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>),
  ...some,
});

/** The sources of an agent that has just started. */
export const initialSources: MetricSources = {
  names: () => countsOf(),
  zones: () => [],
  serials: async () => [],
  resolution: () => undefined,
  discoveryAge: () => undefined,
  failedLoops: () => 0,
  heldNames: () => 0,
  events: () => ({}),
  unpublishedEvents: () => 0,
  statuses: () => ({ counts: {}, waiting: 0 }),
  hostNames: () => ({ followed: 0, failing: 0 }),
  anticipation: () => ({ counts: new Map(), suspended: new Set() }),
  peers: () => ({ silent: 0, removed: 0 }),
  evictions: () => 0,
  certificates: () => new Map(),
  isForwarding: () => undefined,
};
