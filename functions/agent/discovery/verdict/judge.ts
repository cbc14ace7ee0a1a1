import type { Declaration } from '../../declaration.ts';
import { answerOf, type RRset, type Zone } from '../../zone.ts';
import { type Claims, unseen } from '../claim.ts';
import type { Wish } from '../wish/wish.ts';
import { byDependence } from './across-namespaces.ts';
import { type ClosedTargets, withoutCircles } from './circle.ts';
import { judgeName, type NameVerdict } from './name-verdict.ts';
import type { Refusal } from './objection.ts';
import { type Owns, placesIn, standingIn } from './places.ts';
import { keepWithin } from './quota.ts';
import type { Refused } from './sharing.ts';
import { barrierOf } from './tenants.ts';

export type { Owns, Refusal, Refused };

export interface Judgement {
  /** What ExternalDNS is to go on with: whatever is left out of it and stands, it deletes. */
  accepted: RRset[];
  /** In an order that does not depend on that of the wishes. */
  refused: Refused[];
  /** What stands and closes a circle: it goes, whatever the policy keeps. */
  closed: RRset[];
}

export interface Knowledge {
  /** None means that every discovered RRset is. */
  owns?: Owns;
  /** By what the refused wish would have answered. */
  refusals?: ReadonlyMap<string, Refusal>;
  claims?: Claims;
}

const everything: Owns = () => true;

/**
 * Pure: `wanted + actual -> verdict`. Each name is judged by itself, so one bad name stays one bad name; only the
 * number of names of a namespace is judged after all of them.
 */
export function judge(
  wishes: Wish[],
  zones: Zone[],
  declaration: Declaration,
  { owns = everything, refusals = new Map(), claims = unseen }: Knowledge = {},
): Judgement {
  const { discovery } = declaration;
  // Until its pod is replaced ExternalDNS goes on; what it would publish goes with the next reconciliation.
  if (!discovery) return { accepted: [], refused: [], closed: [] };
  const placeOf = placesIn(zones, declaration, owns);
  const accepted = new Map<string, RRset[]>();
  const circumstances = { discovery, owns, refusals, claims, bars: barrierOf(discovery, claims), accepted };
  const byName = Map.groupBy(wishes, (wish) => wish.name);
  const fullFor = new Map<string, ReadonlySet<string>>();
  const judged = (name: string, closed?: ClosedTargets): NameVerdict => {
    const known = { ...circumstances, full: fullFor.get(name), closed };
    const verdict = judgeName(byName.get(name) ?? [], placeOf(name), known);
    accepted.set(name, verdict.accepted);
    return verdict;
  };
  const verdicts = new Map(byDependence(byName).map((name) => [name, judged(name)]));
  // What is never deleted counts for as long as it stands: else a namespace could have any number of names, in turns.
  const lasting = discovery.policy === 'UpsertOnly' || discovery.policy === 'CreateOnly';
  const left = (lasting ? standingIn(zones, declaration, owns) : []).filter(({ name }) => !byName.has(name));
  for (const [name, standing] of Map.groupBy(left, (rrset) => rrset.name)) {
    verdicts.set(name, { accepted: standing, refused: [], standing, merged: [], closed: [] });
  }
  keepWithin(discovery.maxNamesPerNamespace, verdicts, (name, full) => {
    fullFor.set(name, full);
    return judged(name);
  });
  withoutCircles(verdicts, { zones, owns, claims, isStandingKept: discovery.policy === 'CreateOnly' }, judged);
  const all = [...byName.keys()].flatMap((name) => verdicts.get(name) ?? []);
  return {
    accepted: all.flatMap(({ accepted }) => accepted),
    refused: inOrder(all.flatMap(({ refused }) => refused)),
    closed: [...verdicts.values()].flatMap(({ closed }) => closed),
  };
}

/** What an owner's ExternalDNS finds. */
export function standingRRsets(zones: Zone[], declaration: Declaration, owns: Owns = everything): RRset[] {
  return declaration.discovery ? standingIn(zones, declaration, owns) : [];
}

/** Sorted by what they would answer, and each once. */
function inOrder(refused: Refused[]): Refused[] {
  const sorted = refused
    .map((each) => ({ each, answer: answerOf(each.rrset) }))
    .sort((a, b) => compare(a.answer, b.answer) || compare(whoAndWhy(a.each), whoAndWhy(b.each)));
  return sorted
    .filter(({ each, answer }, i) => {
      const before = sorted[i - 1];
      return answer !== before?.answer || whoAndWhy(each) !== whoAndWhy(before.each);
    })
    .map(({ each }) => each);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const whoAndWhy = ({ rrset, message }: Refused) => `${rrset.mark?.content} ${message}`;
