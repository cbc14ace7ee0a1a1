import { isIPv4, isIPv6 } from 'node:net';
import type { Declaration } from './declaration.ts';
import { nameServersOf } from './declared.ts';
import { type Endpoint, rrsetOf } from './endpoint.ts';
import {
  absolute,
  answersAlike,
  areRivals,
  declaredAccount,
  leavesTo,
  ownershipOf,
  type RRset,
  withoutDot,
  type Zone,
  zoneOf,
} from './zone.ts';

/** What PowerDNS would not take, in its own words. It is not asked again while wish and zone stay as they were. */
export interface Refusal {
  rrset: RRset;
  /** The name's RRsets at that time. */
  beside: RRset[];
  message: string;
}

export interface Verdict {
  /** What ExternalDNS is to go on with: whatever is left out of it and stands, it deletes. */
  accepted: RRset[];
  /** Wanted, and not published. */
  refused: { name: string; resource: string; message: string }[];
}

/** The types that ExternalDNS may ask for. Never LUA: it is code that runs on the server. */
const types = ['A', 'AAAA', 'CNAME'];

/** Pure: `wanted + actual -> verdict`. Each name is judged by itself, so one bad name stays one bad name. */
export function judge(
  wanted: Endpoint[],
  zones: Zone[],
  declaration: Declaration,
  refusals: readonly Refusal[] = [],
): Verdict {
  const ownerID = declaration.discovery?.ownerID ?? '';
  const present = new Map(zones.map((zone) => [zone.name, Map.groupBy(zone.rrsets, (rrset) => rrset.name)]));
  const verdicts = Map.groupBy(
    wanted.map((endpoint) => rrsetOf(endpoint, ownerID)),
    (rrset) => rrset.name,
  )
    .entries()
    .map(([name, wishes]) => {
      const zone = zoneOf(
        name,
        declaration.zones.map((z) => ({ ...z, name: absolute(z.name) })),
      );
      const there = present.get(zone?.name ?? '')?.get(name) ?? [];
      return judgeName(wishes, { zone, there, declaration, refusals });
    })
    .toArray();
  return {
    accepted: verdicts.flatMap(({ accepted }) => accepted),
    refused: verdicts.flatMap(({ refused }) => refused),
  };
}

interface Place {
  /** The declared zone that the name is in. */
  zone: Declaration['zones'][number] | undefined;
  /** The RRsets that the name has now. */
  there: RRset[];
  declaration: Declaration;
  refusals: readonly Refusal[];
}

function judgeName(wishes: RRset[], place: Place): Verdict {
  const standing = undisputed(place.there);
  const accepted: RRset[] = [];
  const refused: Verdict['refused'] = [];
  for (const rrset of inOrderOfClaim(wishes, standing)) {
    const rival = accepted.find((a) => areRivals(a, rrset) && !belongTogether(a, rrset));
    const objection =
      fault(rrset, place) ??
      occupant(rrset, place.there) ??
      (rival && `${rival.mark?.content} has the name already`) ??
      place.refusals.find((r) => answersAlike(r.rrset, rrset) && alike(r.beside, place.there))?.message;
    if (objection === undefined) accepted.push(rrset);
    else refused.push({ name: withoutDot(rrset.name), resource: rrset.mark?.content ?? '', message: objection });
  }
  // What cannot become what is wanted stays as it is: leaving it out would delete it.
  const kept = refused.length > 0 ? standing.filter((s) => !accepted.some((a) => areRivals(a, s))) : [];
  return { accepted: [...accepted, ...kept], refused };
}

/** What ExternalDNS finds: its own RRsets that answer, and that no declaration has taken over. */
export function standingRRsets(zones: Zone[], declaration: Declaration): RRset[] {
  const declared = declaration.zones.map((zone) => absolute(zone.name));
  return zones
    .filter((zone) => declared.includes(zone.name))
    .flatMap((zone) => {
      const isElsewhere = leavesTo(zone.name, declared);
      return Map.groupBy(zone.rrsets, (rrset) => rrset.name)
        .entries()
        .flatMap(([name, there]) => (isElsewhere(name) ? [] : undisputed(there)))
        .toArray();
    });
}

/** Of one name's RRsets the discovered ones, without those that a declaration has taken the place of. */
function undisputed(there: RRset[]): RRset[] {
  const declared = there.filter((r) => ownershipOf(r) === 'declared');
  return there.filter((r) => ownershipOf(r) === 'discovered' && !declared.some((d) => areRivals(d, r)));
}

/**
 * Of several claims to one name the standing one comes first, then addresses, then the object whose name sorts first:
 * one rule that gives the same answer in every loop and in every replica.
 */
function inOrderOfClaim(wishes: RRset[], standing: RRset[]): RRset[] {
  const rank = (rrset: RRset) => {
    const claimant = standing.some((s) => sameClaimant(s, rrset)) ? 0 : 1;
    const type = standing.some((s) => s.type === rrset.type) ? 0 : 1;
    return `${claimant}${type}${rrset.type === 'CNAME' ? 1 : 0} ${rrset.mark?.content} ${rrset.type}`;
  };
  return wishes.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

const sameClaimant = (a: RRset, b: RRset) => a.mark?.content === b.mark?.content;

/** The IPv4 and the IPv6 addresses of one object. */
const belongTogether = (a: RRset, b: RRset) =>
  sameClaimant(a, b) && a.type !== b.type && a.type !== 'CNAME' && b.type !== 'CNAME';

/** What is wrong with a wish by itself. */
function fault({ name, type, records }: RRset, { zone, declaration }: Place): string | undefined {
  if (!types.includes(type)) return `records of type ${type} are not discovered`;
  if (!zone) return `outside the zones ${declaration.zones.map((z) => z.name).join(', ')}`;
  const illegal = illegalName(name);
  if (illegal) return illegal;
  if (nameServersOf(zone).includes(name)) return 'the name of the zone’s own server';
  if (type === 'CNAME' && name === absolute(zone.name))
    return 'a CNAME cannot stand at the top of a zone (RFC 1034 section 3.6.2)';
  if (type === 'CNAME' && records.length !== 1) return `a CNAME has one target, not ${records.length}`;
  if (type === 'A' && !records.every(isIPv4)) return `not an IPv4 address: ${records.find((r) => !isIPv4(r))}`;
  if (type === 'AAAA' && !records.every(isIPv6)) return `not an IPv6 address: ${records.find((r) => !isIPv6(r))}`;
  return undefined;
}

/** Host names as RFC 1123 section 2.1 has them, with a wildcard as the first label at most. */
function illegalName(name: string): string | undefined {
  const labels = withoutDot(name).split('.');
  const hosts = labels[0] === '*' ? labels.slice(1) : labels;
  if (name.length > 254) return 'longer than 253 characters (RFC 1035 section 2.3.4)';
  if (labels.some((l) => l === '')) return 'has an empty label';
  if (labels.some((l) => l.length > 63)) return 'has a label of more than 63 characters (RFC 1035 section 2.3.4)';
  // Service records and challenges such as _acme-challenge prove who owns a name: no annotation may write them.
  if (labels.some((l) => l.startsWith('_'))) return 'names that begin with an underscore are not for discovery';
  // Whoever holds it configures the proxy of every browser: https://www.rfc-editor.org/rfc/rfc5507, CERT VU#598349
  if (labels[0] === 'wpad') return 'wpad would configure the proxies of browsers';
  const bad = hosts.find((l) => !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(l));
  return bad && `${JSON.stringify(bad)} is not a label of letters, digits and hyphens (RFC 1123 section 2.1)`;
}

/** Who has the place that a wish would take. */
function occupant(rrset: RRset, there: RRset[]): string | undefined {
  const other = there.find((r) => ownershipOf(r) !== 'discovered' && areRivals(r, rrset));
  if (!other) return undefined;
  return other.mark?.account === declaredAccount
    ? `the InternalDNS declares ${other.type} at this name`
    : `somebody else's ${other.type} record is at this name: remove it, or mark it`;
}

const alike = (a: RRset[], b: RRset[]) => a.length === b.length && a.every((x) => b.some((y) => answersAlike(x, y)));
