/** Edits composites no faster than Crossplane reconciles them at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { declarationKey, hashOf } from '../../../functions/contract/declaration.ts';
import { get, patch, until, waitForQuiescence } from './kubectl.ts';

/** Tokens of Crossplane's circuit breaker: see crossplane.ts. */
const capacity = 100;
/** Tokens that the creation of a composite takes, and an edit that rolls no pods: docs/measures.md has the measurements. */
const costs = { creation: 50, edit: 20 };

/** Estimated tokens of each composite: no metric has them. */
const budgets = new Map<string, { left: number; at: number }>();

/**
 * Edits a composite once Crossplane is idle and has enough tokens to reconcile it at once: without tokens it polls every 30 s.
 */
export async function edit(composite: string, spec: object): Promise<void> {
  const now = performance.now();
  const { left, at } = budgets.get(composite) ?? { left: capacity - costs.creation, at: now };
  const missing = costs.edit - Math.min(capacity, left + (now - at) / 1000);
  if (missing > 0) await sleep(missing * 1000);
  await waitForQuiescence(composite);
  await patch('internaldns', composite, { spec });
  budgets.set(composite, { left: Math.max(0, -missing), at: performance.now() });
}

/**
 * Edits what is declared, and waits until every replica serves it. Ready is not enough, because it may be that of the previous
 * state for a while: see `waitForQuiescence`.
 */
export async function declare(composite: string, spec: object): Promise<void> {
  const configMap = (name: string) => get('configmap', `idns-${composite}-${name}`, 'internal-dns');
  const declared = async (): Promise<string> => (await configMap('declared')).data[declarationKey];
  const before = await declared();
  await edit(composite, spec);
  await until('every replica serves the edit', async () => {
    const [text, { data = {} }] = [await declared(), await configMap('status')];
    const served = Object.values<string>(data).map((report) => JSON.parse(report).declaration);
    return (text !== before && served.every((hash) => hash === hashOf(text))) || { text, served };
  });
}
