import { withoutDot, zoneOf } from '../../dns/name.ts';
import { defaultTTL, isAddress } from '../../dns/zone/apex.ts';
import { ptrLocation, usualZone } from '../../dns/zone/reverse.ts';
import { cutAt, cutsOf } from '../../dns/zone/zone-cut.ts';
import { isOwn } from '../discovery/resource-label.ts';
import { declaredAccount, ownershipOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { DesiredZone } from './desired-zone.ts';

/** Marks a PTR record that was derived from an address. */
export const ptrMark = { account: declaredAccount, content: 'ptr' };

export const isDerivedPTR = ({ type, mark }: RRset): boolean =>
  type === 'PTR' && mark?.account === ptrMark.account && mark.content === ptrMark.content;

/** An address whose PTR record is to point to a name. */
export interface PTRSource {
  address: string;
  name: string;
}

/** The derived PTR records by zone, and a warning for each zone that is missing for others. */
export interface PTRRecords {
  rrsets: Map<string, RRset[]>;
  warnings: string[];
}

/**
 * Derives one PTR record for each address (RFC 1912 section 2.1: more are of no use). Of several names it points to the first
 * in this order: one that requests it with `ptr`, a Machine's, another discovered one, a name server's own; then the one with
 * the fewest labels, then the alphabetically first. So every replica derives the same. Claims share addresses, and have none.
 * @param ofMachines those that Machines request
 * @param published the RRsets of all zones; none if only requested PTR records are to be derived
 */
export function ptrRecordsFor(
  desired: ReadonlyMap<string, DesiredZone>,
  published: RRset[] = [],
  ofMachines: readonly PTRSource[] = [],
): PTRRecords {
  const candidates = [
    ...[...desired.values()].flatMap(({ ptrSources }) => ptrSources.map((source) => ({ ...source, rank: 0 }))),
    ...ofMachines.map((source) => ({ ...source, rank: 1 })),
    ...addressesOf(
      published.filter((rrset) => ownershipOf(rrset) === 'discovered' && !isOwn(resourceOf(rrset))),
      2,
    ),
    ...addressesOf(serverAddresses(published, desired), 3),
  ].filter(({ name }) => !name.startsWith('*.'));
  const zones = new Map([...desired.keys()].map((name) => [name, name]));
  const rrsets = new Map<string, RRset[]>();
  const missing = new Set<string>();
  for (const [address, names] of Map.groupBy(candidates, ({ address }) => address)) {
    const location = ptrLocation(address, zones);
    if (!location) {
      missing.add(usualZone(address));
      continue;
    }
    const [{ name } = { name: '' }] = names.sort(byPrecedence);
    const ptr = {
      name: location.name,
      type: 'PTR',
      ttl: desired.get(location.zone)?.defaultTTL ?? defaultTTL,
      records: [name],
      mark: ptrMark,
    };
    rrsets.set(location.zone, [...(rrsets.get(location.zone) ?? []), ptr]);
  }
  for (const [zone, ofZone] of rrsets) rrsets.set(zone, publishable(zone, ofZone, desired.get(zone)?.rrsets ?? []));
  return { rrsets, warnings: [...missing].sort().map(missingZone) };
}

const missingZone = (zone: string) =>
  `addresses in ${withoutDot(zone)} have no zone for their PTR records: declare it, or one above it`;

interface Candidate extends PTRSource {
  rank: number;
}

const addressesOf = (rrsets: RRset[], rank: number): Candidate[] =>
  rrsets
    .filter(({ type }) => isAddress(type))
    .flatMap(({ name, records }) => records.map((address) => ({ address, name, rank })));

/** Not those of teams' zones: the server has a name without them. */
function serverAddresses(published: RRset[], desired: ReadonlyMap<string, DesiredZone>): RRset[] {
  const declared = published.filter((rrset) => ownershipOf(rrset) === 'declared');
  const servers = new Set(declared.filter(({ type }) => type === 'NS').flatMap(({ records }) => records));
  return declared.filter(({ name }) => servers.has(name) && !zoneOf(name, desired)?.isOfTeam);
}

const byPrecedence = (a: Candidate, b: Candidate) =>
  a.rank - b.rank || labelsOf(a) - labelsOf(b) || (a.name < b.name ? -1 : 1);

const labelsOf = ({ name }: Candidate) => name.split('.').length;

/** Leaves out PTR records whose names have a declared record, or are delegated. */
function publishable(zone: string, ptrRecords: RRset[], declared: RRset[]): RRset[] {
  const taken = new Set(declared.filter(({ type }) => type === 'PTR' || type === 'CNAME').map(({ name }) => name));
  const cuts = cutsOf(zone, declared);
  return ptrRecords.filter(({ name }) => !taken.has(name) && !cutAt(name, zone, cuts));
}
