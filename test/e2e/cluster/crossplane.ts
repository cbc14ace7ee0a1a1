/** Reads Crossplane's metrics. */
import { kubectl, list, until } from './kubectl.ts';

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

/** The sum of the metrics whose lines match. */
async function sumOf(pattern: RegExp): Promise<number> {
  const [core] = await list('pod', { namespace: 'crossplane-system', labels: 'app=crossplane' });
  const path = `/api/v1/namespaces/crossplane-system/pods/${core?.metadata.name}:8080/proxy/metrics`;
  const lines = (await kubectl('get', '--raw', path)).split('\n').filter((line) => pattern.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
