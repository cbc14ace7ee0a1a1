import { serversOf } from '../../dns/apex.ts';
import { cutAt, cutsOf } from '../../dns/cut.ts';
import { absolute, zoneOf } from '../../dns/name.ts';
import type { Declaration } from '../declaration.ts';
import {
  answerOf,
  answersAlike,
  areRivals,
  declaredAccount,
  excludeEachOther,
  ownershipOf,
  type RRset,
  sameClaimant,
  type Zone,
} from '../zone.ts';
import { type Endpoint, rrsetOf } from './endpoint.ts';
import { fault, type Setting } from './fault.ts';

/** What PowerDNS would not take, in its own words. It is not asked again while wish and zone stay as they were. */
export interface Refusal extends Refused {
  /** The name's RRsets at that time. */
  beside: RRset[];
}

/** A wish that is not published. */
export interface Refused {
  rrset: RRset;
  message: string;
}

export interface Verdict {
  /** What ExternalDNS is to go on with: whatever is left out of it and stands, it deletes. */
  accepted: RRset[];
  /** In an order that does not depend on that of the wishes. */
  refused: Refused[];
}

/** Pure: `wanted + actual -> verdict`. Each name is judged by itself, so one bad name stays one bad name. */
export function judge(
  wanted: Endpoint[],
  zones: Zone[],
  declaration: Declaration,
  /** By what the refused wish would have answered. */
  refusals: ReadonlyMap<string, Refusal> = new Map(),
): Verdict {
  // Until its pod is replaced ExternalDNS goes on; what it would publish goes with the next reconciliation.
  if (!declaration.discovery) return { accepted: [], refused: [] };
  const { ownerID } = declaration.discovery;
  const present = new Map(
    zones.map((zone) => [
      zone.name,
      {
        zone: zone.name,
        names: Map.groupBy(zone.rrsets, (rrset) => rrset.name),
        cuts: cutsOf(zone.name, zone.rrsets),
      },
    ]),
  );
  const declared = new Map(declaration.zones.map(({ name }) => [absolute(name), absolute(name)]));
  const servers = new Set(declaration.zones.flatMap(serversOf));
  const ttls = new Map(declaration.zones.map(({ name, defaultTTL }) => [absolute(name), defaultTTL]));
  const verdicts = Map.groupBy(
    wanted.map((endpoint) => rrsetOf(endpoint, ownerID, zoneOf(absolute(endpoint.dnsName), ttls))),
    (rrset) => rrset.name,
  )
    .entries()
    .map(([name, wishes]) => {
      const answering = zoneOf(name, present);
      const zone = zoneOf(name, declared);
      const there = (zone === answering?.zone && answering?.names.get(name)) || [];
      const cut = answering && cutAt(name, answering.zone, answering.cuts);
      return judgeName(wishes, { zone, answering: answering?.zone, cut, there, servers, declared, refusals });
    })
    .toArray();
  return {
    accepted: verdicts.flatMap(({ accepted }) => accepted),
    refused: verdicts
      .flatMap(({ refused }) => refused)
      .map((refused) => ({ key: answerOf(refused.rrset), refused }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ refused }) => refused),
  };
}

interface Place extends Setting {
  /** The RRsets that the name has now. */
  there: RRset[];
  refusals: ReadonlyMap<string, Refusal>;
}

function judgeName(wishes: RRset[], place: Place): Verdict {
  const standing = place.cut ? [] : undisputed(place.there);
  const accepted: RRset[] = [];
  const refused: Refused[] = [];
  for (const rrset of inOrderOfClaim(wishes, standing)) {
    if (accepted.some((a) => answersAlike(a, rrset))) continue;
    const rival = accepted.find((a) => excludeEachOther(a, rrset));
    const message =
      fault(rrset, place) ??
      occupant(rrset, place.there) ??
      (rival && `${rival.mark?.content} has the name already`) ??
      refusalOf(rrset, place);
    // ExternalDNS names one of the objects that want the same, and not always the same one: the first stays.
    if (message === undefined) accepted.push(standing.find((s) => answersAlike(s, rrset)) ?? rrset);
    else refused.push({ rrset, message });
  }
  // What is still wanted and cannot become what is wanted stays as it is: leaving it out would delete it.
  const kept = standing.filter(
    (s) => refused.some((r) => isFor(r.rrset, s)) && !accepted.some((a) => excludeEachOther(a, s)),
  );
  return { accepted: [...accepted, ...kept], refused };
}

/** What ExternalDNS finds: its own RRsets that answer, and that no declaration has taken over. */
export function standingRRsets(zones: Zone[], declaration: Declaration): RRset[] {
  if (!declaration.discovery) return [];
  const declared = new Map(declaration.zones.map(({ name }) => [absolute(name), absolute(name)]));
  return zones
    .filter((zone) => declared.has(zone.name))
    .flatMap((zone) => {
      const cuts = cutsOf(zone.name, zone.rrsets);
      return Map.groupBy(zone.rrsets, (rrset) => rrset.name)
        .entries()
        .filter(([name]) => zoneOf(name, declared) === zone.name)
        .filter(([name]) => !cutAt(name, zone.name, cuts))
        .flatMap(([, there]) => undisputed(there))
        .toArray();
    });
}

/** Of one name's RRsets the discovered ones, without those that a declaration has taken the place of. */
function undisputed(there: RRset[]): RRset[] {
  const declared = there.filter((r) => ownershipOf(r) === 'declared');
  return there.filter((r) => ownershipOf(r) === 'discovered' && !declared.some((d) => areRivals(d, r)));
}

/**
 * Of several claims to one name the one that stands comes first, then its object's, then addresses, then the object
 * whose name sorts first: one rule that gives the same answer in every loop, in whatever order the wishes arrive.
 */
function inOrderOfClaim(wishes: RRset[], standing: RRset[]): RRset[] {
  const rank = (rrset: RRset) => {
    const stands = standing.some((s) => answersAlike(s, rrset));
    const claim = stands ? 0 : standing.some((s) => sameClaimant(s, rrset)) ? 1 : 2;
    const type = standing.some((s) => s.type === rrset.type) ? 0 : 1;
    return `${claim}${type}${rrset.type === 'CNAME' ? 1 : 0} ${rrset.mark?.content} ${answerOf(rrset)}`;
  };
  if (wishes.length === 1) return wishes;
  return wishes
    .map((rrset) => ({ rrset, rank: rank(rrset) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ rrset }) => rrset);
}

/** Whether a wish is for what stands, or for what its object wants instead of it. */
const isFor = (wish: RRset, standing: RRset) =>
  sameClaimant(wish, standing) || wish.records.some((content) => standing.records.includes(content));

/** Who has the place that a wish would take. */
function occupant(rrset: RRset, there: RRset[]): string | undefined {
  const other = there.find((r) => ownershipOf(r) !== 'discovered' && areRivals(r, rrset));
  if (!other) return undefined;
  return other.mark?.account === declaredAccount
    ? `the InternalDNS declares ${other.type} at this name`
    : `somebody else's ${other.type} record is at this name: remove it, or mark it`;
}

function refusalOf(rrset: RRset, { refusals, there }: Place): string | undefined {
  const refusal = refusals.size > 0 ? refusals.get(answerOf(rrset)) : undefined;
  return refusal && isNoBetter(there, refusal.beside) ? refusal.message : undefined;
}

/** Whether a place is as it was, or has lost only what would have made room for the wish anyway. */
function isNoBetter(now: RRset[], then: RRset[]): boolean {
  const isIn = (rrsets: RRset[]) => (rrset: RRset) => rrsets.some((r) => answersAlike(r, rrset));
  return now.every(isIn(then)) && then.filter((r) => ownershipOf(r) !== 'discovered').every(isIn(now));
}
