/** Reads Crossplane's metrics. */
import { Informer } from '../../../functions/agent/kubernetes/informer.ts';
import { clusterClient, kubectl, list, until } from './kubectl.ts';

/** Waits until Crossplane reconciles no composite and has none queued. */
export const waitForIdleCrossplane = () =>
  until('Crossplane reconciles no composite', async () => {
    const composites = await sumOf(/^(?:controller_runtime_active_workers|workqueue_depth)\{.*internaldns/);
    return composites === 0 || composites;
  });

/**
 * Watch events that the circuit breaker has let through, of all composites. A composite has 100 tokens and gets one per second;
 * each event takes one.
 */
export const breakerTokens = () => sumOf(/^circuit_breaker_events_total\{.*internaldns/);

/** How often the circuit breaker has opened, plus the events that it has dropped. */
export const breakerOpens = () =>
  sumOf(/^circuit_breaker_(?:opens_total\{.*internaldns|events_total\{.*internaldns.*result="Dropped")/);

export interface TokenCount {
  tokens: number;
  /** How often Crossplane has taken conditions back, at four tokens: it depends on how busy the machine is. */
  reversions: number;
}

/**
 * Counts the tokens of what `work` does, but for those of conditions that Crossplane takes back and writes again:
 * https://github.com/crossplane/crossplane/issues/7062
 */
export async function countTokens(work: () => Promise<unknown>): Promise<TokenCount> {
  const seen = new Map<string, readonly Written[]>();
  let reversions = 0;
  const informer = new Informer<readonly Written[]>({
    client: await clusterClient(),
    path: '/apis/dns.internal/v1alpha1/internaldnses',
    transform: ({ status }: { status?: { conditions?: Written[] } }) => status?.conditions ?? [],
    onChange: (name) => {
      const conditions = informer.store.get(name) ?? [];
      if (isReverted(seen.get(name) ?? [], conditions)) reversions++;
      seen.set(name, conditions);
    },
  });
  try {
    await until('the InternalDNSes are watched', async () => informer.hasSynced);
    const before = await breakerTokens();
    await work();
    const tokens = (await breakerTokens()) - before;
    return { tokens: tokens - 4 * reversions, reversions };
  } finally {
    informer.stop();
  }
}

interface Written {
  type: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

const isReverted = (before: readonly Written[], now: readonly Written[]): boolean =>
  now.some(({ type, lastTransitionTime, observedGeneration = 0 }) => {
    const last = before.find((condition) => condition.type === type);
    return (
      last !== undefined &&
      (lastTransitionTime < last.lastTransitionTime || observedGeneration < (last.observedGeneration ?? 0))
    );
  });

/** The sum of the metrics whose lines match. */
async function sumOf(pattern: RegExp): Promise<number> {
  const [core] = await list('pod', { namespace: 'crossplane-system', labels: 'app=crossplane' });
  const path = `/api/v1/namespaces/crossplane-system/pods/${core?.metadata.name}:8080/proxy/metrics`;
  const lines = (await kubectl('get', '--raw', path)).split('\n').filter((line) => pattern.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
