import { withoutDot } from '../../dns/name.ts';
import { closingRecord, endlessChains, isAlias, rotatedTo, whyEndless } from '../../dns/zone/cname-chain.ts';
import { Lookup, type LookupZone } from '../../dns/zone/lookup.ts';
import type { ZoneIssue } from '../../dns/zone/rrset.ts';
import { keyOf, ownershipOf, type RRset } from '../powerdns/rrset.ts';
import type { ZoneRecords } from './zone-records.ts';

/** What has to be left out of a zone: one of its zone files, or one of the composite's own RRsets by its key. */
export interface Misleading {
  /** Absolute. */
  zone: string;
  part: string;
  fault: ZoneIssue;
}

/**
 * Pure: what closes circles of the names of all zones together. Of a circle that is what comes last, in this order: what
 * the composite itself says, and the zone files as it names them.
 */
export function misleadingIn(contents: ReadonlyMap<string, ZoneRecords>): Misleading[] {
  const zones = [...contents].map(([name, { rrsets, held }]) => ({ name, records: rrsets, isPartial: held.size > 0 }));
  const leading = zones.flatMap(({ name, records }) => records.filter(isAlias).map((rrset) => ({ zone: name, rrset })));
  if (leading.length === 0) return [];
  const isOfFile = ({ mark }: RRset) => (mark?.content ?? '') !== '';
  const inOrder = leading.toSorted((a, b) => Number(isOfFile(a.rrset)) - Number(isOfFile(b.rrset)));
  const order = new Map(inOrder.map(({ rrset }, index) => [rrset, index]));
  const lookup = new Lookup<RRset>(zones);
  const last = new Map<RRset, Misleading>();
  for (const chain of endlessChains(lookup, order.keys())) {
    const { record: rrset, why } = closingRecord(chain, order);
    if (last.has(rrset)) continue;
    const { zone } = inOrder[order.get(rrset)!]!;
    const at = contents.get(zone)?.places.get(keyOf(rrset)) ?? withoutDot(rrset.name);
    const message = `${why}: lead it to a name that has an address`;
    const part = isOfFile(rrset) ? (rrset.mark?.content ?? '') : keyOf(rrset);
    last.set(rrset, { zone, part, fault: { at, message } });
  }
  return [...last.values()];
}

export interface Closing {
  rrset: RRset;
  /** That of what is declared, absolute. */
  zone?: string;
  message: string;
}

/**
 * Pure: of what there is to be in the zones, that with which something declared leads in a circle: what was discovered,
 * and only where none of it is in the circle, what is declared.
 */
export function closingAmong(results: LookupZone<RRset>[], contents: ReadonlyMap<string, ZoneRecords>): Closing[] {
  const declared = [...contents].flatMap(([zone, { rrsets }]) =>
    rrsets.filter(isAlias).map((rrset): [RRset, string] => [rrset, zone]),
  );
  if (declared.length === 0) return [];
  const homes = new Map(declared);
  const places = new Map(declared.map(([rrset, zone]) => [keyOf(rrset), { rrset, zone }]));
  const closing = new Map<RRset, Closing>();
  for (const chain of endlessChains(new Lookup(results), homes.keys())) {
    if (chain.end !== 'Loop') continue;
    const discovered = chain.links.filter((link) => ownershipOf(link) === 'discovered');
    // What stands already is another object than what is declared.
    const own = chain.links.flatMap((link) =>
      ownershipOf(link) === 'declared' ? (places.get(keyOf(link)) ?? []) : [],
    );
    const parts = discovered.length > 0 ? discovered.map((rrset) => ({ rrset })) : own;
    for (const part of parts) {
      const { rrset } = part;
      const told = whyEndless(rotatedTo(chain.links.find((link) => keyOf(link) === keyOf(rrset)) ?? rrset, chain));
      closing.set(rrset, { ...part, message: `${told}: remove what somebody made by hand, or lead it elsewhere` });
    }
  }
  return [...closing.values()];
}
