import { claimantOf, type RRset } from '../zone.ts';
import type { Claims } from './claim.ts';
import { householdOf } from './resource.ts';
import type { Refused, SharedHosts } from './verdict/sharing.ts';

export interface Judged {
  standing: readonly RRset[];
  wishes: readonly RRset[];
  accepted: readonly RRset[];
  sharedHosts: SharedHosts;
}

/**
 * The absolute names that stand and are asked for by those whose they are, be it in vain, or have gone to somebody else.
 * A name has not while its object still asks for it and has only lost its address: whoever waits for that would have
 * every name of an ingress controller that restarts, and nothing would seem to vanish.
 */
export function askedFor({ standing, wishes, accepted, sharedHosts }: Judged, claims: Claims): ReadonlySet<string> {
  const wishers = Map.groupBy(wishes, ({ name }) => name);
  const given = new Set(accepted.map(({ name }) => name));
  const isAsked = (rrset: RRset) =>
    wishers.get(rrset.name)?.some((wish) => householdOf(claimantOf(wish)) === householdOf(claimantOf(rrset)));
  const hasGone = (rrset: RRset) =>
    given.has(rrset.name) && (sharedHosts === 'Merge' || !stillAsks(claimantOf(rrset), rrset.name, claims));
  return new Set(standing.filter((rrset) => isAsked(rrset) || hasGone(rrset)).map(({ name }) => name));
}

/** Whether an object is seen to ask for what stands for it, with an address or without. */
export function stillAsks(object: string, name: string, claims: Claims): boolean {
  const { hosts = [], below = false } = claims.of(object) ?? {};
  return hosts.includes(name) || (below && hosts.includes(name.slice(name.indexOf('.') + 1)));
}

/** What is accepted beside what is held: a held name is nobody else's. */
export function besideHeld(
  accepted: readonly RRset[],
  held: readonly RRset[],
): { accepted: RRset[]; refused: Refused[] } {
  const holders = new Map(held.map((rrset) => [rrset.name, rrset]));
  const { beside = [], waiting = [] } = Object.groupBy(accepted, ({ name }) =>
    holders.has(name) ? 'waiting' : 'beside',
  );
  const refused = waiting.map((rrset): Refused => {
    const holder = claimantOf(holders.get(rrset.name) as RRset);
    return {
      rrset,
      verdict: 'Duplicate',
      message: `${holder} has the name, which is held while it has no address (discovery.deleteGuard)`,
    };
  });
  return { accepted: beside, refused };
}
