import { withoutDot } from '../../dns/name.ts';
import { defaultTTL, isAddress } from '../../dns/zone/apex.ts';
import { ptrLocation, usualZone } from '../../dns/zone/reverse.ts';
import { cutAt, cutsOf } from '../../dns/zone/zone-cut.ts';
import { declaredAccount, ownershipOf, type RRset } from '../powerdns/rrset.ts';
import type { DeclaredContent } from './desired-zone.ts';

/** Marks a PTR record that was made of an address. */
export const ptrMark = { account: declaredAccount, content: 'ptr' };

/** The PTR records to have, by their zones, and what to say of addresses that can have none. */
export interface PTRRecords {
  rrsets: Map<string, RRset[]>;
  warnings: string[];
}

/**
 * One PTR record for each address (RFC 1912 section 2.1 knows no use for more). Of several names the first in this order
 * has it: one that asks with `ptr`, then a published one, then a server's own; of those the one with the fewest
 * labels, then the first of the alphabet. Every replica comes to the same.
 * @param published what all the zones have; none where only those get PTR records that ask
 */
export function ptrRecordsFor(contents: ReadonlyMap<string, DeclaredContent>, published: RRset[] = []): PTRRecords {
  const candidates = [
    ...[...contents.values()].flatMap(({ pointers }) => pointers.map((pointer) => ({ ...pointer, rank: 0 }))),
    ...addressesOf(
      published.filter((rrset) => ownershipOf(rrset) === 'discovered'),
      1,
    ),
    ...addressesOf(serverAddresses(published), 2),
  ].filter(({ name }) => !name.startsWith('*.'));
  const zones = new Map([...contents.keys()].map((name) => [name, name]));
  const rrsets = new Map<string, RRset[]>();
  const missing = new Set<string>();
  for (const [address, names] of Map.groupBy(candidates, ({ address }) => address)) {
    const place = ptrLocation(address, zones);
    if (!place) {
      missing.add(usualZone(address));
      continue;
    }
    const [{ name } = { name: '' }] = names.sort(inOrder);
    const pointer = {
      name: place.name,
      type: 'PTR',
      ttl: contents.get(place.zone)?.defaultTTL ?? defaultTTL,
      records: [name],
      mark: ptrMark,
    };
    rrsets.set(place.zone, [...(rrsets.get(place.zone) ?? []), pointer]);
  }
  for (const [zone, ofZone] of rrsets) rrsets.set(zone, possible(zone, ofZone, contents.get(zone)?.rrsets ?? []));
  return { rrsets, warnings: [...missing].sort().map(withoutZone) };
}

const withoutZone = (zone: string) =>
  `addresses in ${withoutDot(zone)} have no zone for their PTR records: declare it, or one above it`;

interface Candidate {
  address: string;
  name: string;
  rank: number;
}

const addressesOf = (rrsets: RRset[], rank: number): Candidate[] =>
  rrsets
    .filter(({ type }) => isAddress(type))
    .flatMap(({ name, records }) => records.map((address) => ({ address, name, rank })));

function serverAddresses(published: RRset[]): RRset[] {
  const declared = published.filter((rrset) => ownershipOf(rrset) === 'declared');
  const servers = new Set(declared.filter(({ type }) => type === 'NS').flatMap(({ records }) => records));
  return declared.filter(({ name }) => servers.has(name));
}

const inOrder = (a: Candidate, b: Candidate) =>
  a.rank - b.rank || labelsOf(a) - labelsOf(b) || (a.name < b.name ? -1 : 1);

const labelsOf = ({ name }: Candidate) => name.split('.').length;

/** Those whose name is free: a declared record wins, and what is delegated is another's. */
function possible(zone: string, pointers: RRset[], declared: RRset[]): RRset[] {
  const taken = new Set(declared.filter(({ type }) => type === 'PTR' || type === 'CNAME').map(({ name }) => name));
  const cuts = cutsOf(zone, declared);
  return pointers.filter(({ name }) => !taken.has(name) && !cutAt(name, zone, cuts));
}
