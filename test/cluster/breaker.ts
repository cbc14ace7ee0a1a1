/** Crossplane's circuit breaker: a composite has 100 tokens and gets one a second, and each watch event costs one. */
import { kubectl, list, until } from './kubectl.ts';

const most = 100;

/** The watch events that the breaker has let through to composites: each has taken a token. */
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

let left = 0;
let seen = { tokens: 0, at: 0 };

/**
 * Waits until a few edits of a composite are followed at once: each takes about 17 tokens, and without any Crossplane looks
 * every 30 s only. It counts the events of every composite, and so errs on the safe side.
 */
export async function untilBreakerRests(tokens = 70): Promise<void> {
  await until(
    `the breaker has ${tokens} tokens`,
    120,
    async () => {
      const now = { tokens: await breakerTokens(), at: performance.now() };
      if (seen.at > 0)
        left = Math.min(most, Math.max(0, left - (now.tokens - seen.tokens)) + (now.at - seen.at) / 1000);
      seen = now;
      return left >= tokens || Math.round(left);
    },
    1000,
  );
}
