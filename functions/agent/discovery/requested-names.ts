import { letGoCommand } from '../../contract/declaration.ts';
import { parentOf } from '../../dns/name.ts';
import { type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import type { SharedHosts } from './conflict.ts';
import type { RejectedRecord } from './evaluation.ts';
import { sharingGroup } from './resource-label.ts';

export interface RequestedNamesInput {
  current: readonly RRset[];
  desiredRecords: readonly RRset[];
  accepted: readonly RRset[];
  sharedHosts: SharedHosts;
}

/**
 * The absolute names that stand and are asked for by those whose they are, be it in vain, or have gone to somebody else.
 * A name has not while its object still asks for it and has only lost its address, or cannot be seen: whoever waits for
 * that would have every name of an ingress controller that restarts, and nothing would seem to vanish.
 */
export function requestedNames(
  { current, desiredRecords, accepted, sharedHosts }: RequestedNamesInput,
  lister: SourceLister,
): ReadonlySet<string> {
  const requesters = Map.groupBy(desiredRecords, ({ name }) => name);
  const given = new Set(accepted.map(({ name }) => name));
  const isAsked = (rrset: RRset) =>
    requesters
      .get(rrset.name)
      ?.some((desired) => sharingGroup(resourceOf(desired)) === sharingGroup(resourceOf(rrset)));
  const mayReturn = (rrset: RRset) =>
    lister.isUnsynced(resourceOf(rrset)) || requestFor(resourceOf(rrset), rrset.name, lister) !== undefined;
  const hasGone = (rrset: RRset) => given.has(rrset.name) && (sharedHosts === 'Merge' || !mayReturn(rrset));
  return new Set(current.filter((rrset) => isAsked(rrset) || hasGone(rrset)).map(({ name }) => name));
}

/**
 * How an object is seen to ask for a name, with an address or without: for itself, or for one of its Pods. One that waits
 * for its controller does, as a route that has lost its Gateway; one that a filter of the spec leaves out does not.
 */
export function requestFor(object: string, name: string, lister: SourceLister): 'Own' | 'Below' | undefined {
  const { hosts = [], below = false } = lister.get(object) ?? {};
  if (hosts.includes(name)) return 'Own';
  if (lister.filteredOf(object).some(({ isUnready, hosts }) => isUnready && hosts.includes(name))) return 'Own';
  return below && hosts.includes(parentOf(name)) ? 'Below' : undefined;
}

/** What is accepted beside what is held: a held name is nobody else's. */
export function withoutHeldNames(
  accepted: readonly RRset[],
  held: readonly RRset[],
  composite: string,
): { accepted: RRset[]; refused: RejectedRecord[] } {
  const holders = new Map(held.map((rrset) => [rrset.name, rrset]));
  const { beside = [], waiting = [] } = Object.groupBy(accepted, ({ name }) =>
    holders.has(name) ? 'waiting' : 'beside',
  );
  const refused = waiting.map((rrset): RejectedRecord => {
    const holder = resourceOf(holders.get(rrset.name) as RRset);
    return {
      rrset,
      verdict: 'Duplicate',
      message: `${holder} has the name, which the delete guard holds (to let it go: ${letGoCommand(composite)})`,
    };
  });
  return { accepted: beside, refused };
}
