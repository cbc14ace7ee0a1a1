/** Crossplane's circuit breaker: a composite has 100 tokens and gets one a second, and each watch event costs one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl, list, patch, settle } from './kubectl.ts';

const most = 100;
/** What a composite takes at its creation, and an edit of it that rolls no pods: docs/measures.md has what was measured. */
const costs = { creation: 50, edit: 20 };

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

const purses = new Map<string, { left: number; at: number }>();

/**
 * Edits a composite when Crossplane is at rest and will follow at once: without tokens it looks every 30 s only. No metric has
 * the tokens of one composite, so they are reckoned.
 */
export async function edit(composite: string, spec: object): Promise<void> {
  const now = performance.now();
  const { left, at } = purses.get(composite) ?? { left: most - costs.creation, at: now };
  const missing = costs.edit - Math.min(most, left + (now - at) / 1000);
  if (missing > 0) await sleep(missing * 1000);
  await settle(composite);
  await patch('internaldns', composite, { spec });
  purses.set(composite, { left: Math.max(0, -missing), at: performance.now() });
}
