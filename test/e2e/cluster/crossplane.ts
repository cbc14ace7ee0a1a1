/** What Crossplane says of itself in its metrics. */
import { kubectl, list, until } from './kubectl.ts';

/** Waits until Crossplane works on no composite, and none waits for it. */
export const untilCrossplaneRests = () =>
  until('Crossplane works on no composite', async () => {
    const composites = await sumOf(/^(?:controller_runtime_active_workers|workqueue_depth)\{.*internaldns/);
    return composites === 0 || composites;
  });

/**
 * The watch events that its circuit breaker has let through to composites, of all together. A composite has 100 tokens and gets
 * one a second, and each event takes one.
 */
export const breakerTokens = () => sumOf(/^circuit_breaker_events_total\{.*internaldns/);

/** How often it has opened, and how many events it has dropped then. */
export const opensOfBreaker = () =>
  sumOf(/^circuit_breaker_(?:opens_total\{.*internaldns|events_total\{.*internaldns.*result="Dropped")/);

/** The sum of Crossplane's metrics whose lines are such. */
async function sumOf(wanted: RegExp): Promise<number> {
  const [core] = await list('pod', '-n', 'crossplane-system', '-l', 'app=crossplane');
  const path = `/api/v1/namespaces/crossplane-system/pods/${core?.metadata.name}:8080/proxy/metrics`;
  const lines = (await kubectl('get', '--raw', path)).split('\n').filter((line) => wanted.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
