/** Edits of a composite, at the pace at which Crossplane follows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { declarationKey, hashOf } from '../../../functions/contract/declaration.ts';
import { get, patch, settle, until } from './kubectl.ts';

/** Tokens of Crossplane's circuit breaker: see crossplane.ts. */
const most = 100;
/** What a composite takes at its creation, and an edit of it that rolls no pods: docs/measures.md has what was measured. */
const costs = { creation: 50, edit: 20 };

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

/**
 * An edit of what is declared, until every replica serves it. Ready says so too, but for a while that of the state before
 * may stand: see `settle`.
 */
export async function declare(composite: string, spec: object): Promise<void> {
  const mailbox = (name: string) => get('configmap', `idns-${composite}-${name}`, 'internal-dns');
  const declared = async (): Promise<string> => (await mailbox('declared')).data[declarationKey];
  const before = await declared();
  await edit(composite, spec);
  await until('every replica serves the edit', async () => {
    const [text, { data = {} }] = [await declared(), await mailbox('status')];
    const served = Object.values<string>(data).map((report) => JSON.parse(report).declaration);
    return (text !== before && served.every((hash) => hash === hashOf(text))) || { text, served };
  });
}
