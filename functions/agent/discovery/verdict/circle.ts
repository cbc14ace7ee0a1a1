import { endlessFrom, toldFrom, whyEndless } from '../../../dns/chain.ts';
import { Lookup, type LookupZone } from '../../../dns/lookup.ts';
import { zoneOf } from '../../../dns/name.ts';
import { answersAlike, claimantOf, ownershipOf, type RRset, type Zone } from '../../zone.ts';
import type { Claims } from '../claim.ts';
import type { NameVerdict } from './name-verdict.ts';
import type { Owns } from './places.ts';

/** Why a name may not lead to some targets. */
export type ClosedTargets = ReadonlyMap<string, string>;

export interface Surroundings {
  zones: readonly Zone[];
  owns: Owns;
  claims: Claims;
  /** Whether what stands is left as it is. */
  isStandingKept: boolean;
}

/** Without one CNAME a wildcard may lead somewhere else. So often is looked for who is at fault, and then all are. */
const mostRounds = 8;

/**
 * Judges names again until none leads in a circle, or to one. Of a circle that goes which came last: what stands before
 * what does not, and older objects before younger ones. Where nothing in it is the owner's, whatever leads to it goes.
 */
export function withoutCircles(
  verdicts: Map<string, NameVerdict>,
  surroundings: Surroundings,
  judged: (name: string, closed: ClosedTargets) => NameVerdict,
): void {
  const closed = new Map<string, Map<string, string>>();
  for (let round = 0; ; round++) {
    const aliases = [...verdicts].flatMap(([, verdict]) => contentOf(verdict, surroundings).filter(isAlias));
    if (aliases.length === 0) return;
    const closing = closingAmong(aliases, verdicts, surroundings, round < mostRounds);
    const fresh = [...closing].filter(([{ name, records }]) => !closed.get(name)?.has(records[0] as string));
    if (fresh.length === 0) return;
    for (const [{ name, records }, message] of fresh) {
      closed.set(name, new Map(closed.get(name)).set(records[0] as string, message));
    }
    for (const name of new Set(fresh.map(([{ name }]) => name))) {
      verdicts.set(name, judged(name, closed.get(name) as ClosedTargets));
    }
  }
}

/** Whether a name may not lead there. */
export const isClosed = ({ type, records }: RRset, closed: ClosedTargets | undefined): boolean =>
  type === 'CNAME' && closed?.has(records[0] ?? '') === true;

const isAlias = ({ type }: RRset) => type === 'CNAME';

/** What a name has by its verdict. */
function contentOf({ accepted, standing, closed }: NameVerdict, { isStandingKept }: Surroundings): RRset[] {
  const kept = isStandingKept ? standing.filter((rrset) => !closed.includes(rrset)) : [];
  return kept.length > 0 ? kept : accepted;
}

/** What is at fault that some chains have no end, and why. */
function closingAmong(
  aliases: RRset[],
  verdicts: ReadonlyMap<string, NameVerdict>,
  surroundings: Surroundings,
  isOneEnough: boolean,
): ReadonlyMap<RRset, string> {
  const own = new Set(aliases);
  const rankOf = (rrset: RRset) => rankIn(verdicts, surroundings.claims, rrset);
  const closing = new Map<RRset, string>();
  for (const chain of endlessFrom(new Lookup(zonesAfter(verdicts, surroundings)), aliases)) {
    const [first, ...others] = chain.end === 'Circle' ? chain.links.filter((link) => own.has(link)) : [];
    const last = first && others.reduce((a, b) => (rankOf(a) > rankOf(b) ? a : b), first);
    const atFault = last ?? chain.approach?.findLast((link) => own.has(link)) ?? chain.start;
    const all = isOneEnough || !first ? [atFault] : [first, ...others];
    for (const rrset of all) closing.set(rrset, `cannot publish: ${whyEndless(toldFrom(rrset, chain))}: ${cure}`);
  }
  return closing;
}

const cure = 'nobody would get an answer, so give the object another target';

function rankIn(verdicts: ReadonlyMap<string, NameVerdict>, claims: Claims, rrset: RRset): string {
  const stands = verdicts.get(rrset.name)?.standing.some((other) => answersAlike(other, rrset));
  const resource = claimantOf(rrset);
  return [stands ? 0 : 1, claims.of(resource)?.created ?? '~', resource, rrset.name].join(' ');
}

/** All zones as they are after the verdicts. */
function zonesAfter(verdicts: ReadonlyMap<string, NameVerdict>, surroundings: Surroundings): LookupZone<RRset>[] {
  const { zones, owns } = surroundings;
  const names = new Map(zones.map(({ name }) => [name, name]));
  const contents = [...verdicts.values()].flatMap((verdict) => contentOf(verdict, surroundings));
  const fresh = Map.groupBy(contents, ({ name }) => zoneOf(name, names));
  const isReplaced = (rrset: RRset) => verdicts.has(rrset.name) && ownershipOf(rrset) === 'discovered' && owns(rrset);
  return zones.map(({ name, rrsets }) => ({
    name,
    records: [...rrsets.filter((rrset) => !isReplaced(rrset)), ...(fresh.get(name) ?? [])],
  }));
}
