/** Crossplane's circuit breaker: a composite has 100 tokens and gets one a second, and each watch event costs one. */
import { kubectl, list } from './kubectl.ts';

/** The watch events that the breaker has let through to composites, of all together: each has taken a token. */
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
