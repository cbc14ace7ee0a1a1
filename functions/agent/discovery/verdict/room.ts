import { claimantOf, keyOf, type RRset } from '../../zone.ts';
import { namespaceOf } from '../resource.ts';
import type { Refused } from './sharing.ts';

/** How many records there are. */
export const recordsIn = (rrsets: readonly RRset[]): number =>
  rrsets.reduce((sum, { records }) => sum + records.length, 0);

/**
 * What there is room for, and a refusal of each name for which there is none. What stands keeps its place; of the rest
 * each namespace has one name in turn, so that one that asks for very many takes nothing from the others.
 * @param most of records
 */
export function withinRoom(
  accepted: RRset[],
  standing: readonly RRset[],
  most: number,
): { accepted: RRset[]; refused: Refused[] } {
  if (recordsIn(accepted) <= most) return { accepted, refused: [] };
  const there = new Set(standing.map(keyOf));
  const fresh = accepted.filter((rrset) => !there.has(keyOf(rrset)));
  let room = most - recordsIn(accepted) + recordsIn(fresh);
  const left = new Set<RRset>();
  for (const rrset of inTurn(fresh)) {
    if (rrset.records.length > room) left.add(rrset);
    else room -= rrset.records.length;
  }
  return {
    accepted: accepted.filter((rrset) => !left.has(rrset)),
    refused: [...left].map((rrset) => ({ rrset, verdict: 'Refused', message: noRoom })),
  };
}

const noRoom =
  'the server has as many records as its memory bears: raise resources.agent.limits.memory, or ask for fewer names';

/** The first of each namespace, then the second of each, and so on. */
function inTurn(rrsets: readonly RRset[]): RRset[] {
  const namespaces = Map.groupBy(rrsets, (rrset) => namespaceOf(claimantOf(rrset)));
  return [...namespaces.values()]
    .flatMap((own) => own.toSorted((a, b) => compare(keyOf(a), keyOf(b))).map((rrset, turn) => ({ rrset, turn })))
    .sort((a, b) => a.turn - b.turn || compare(keyOf(a.rrset), keyOf(b.rrset)))
    .map(({ rrset }) => rrset);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
