import { withoutDot } from '../../dns/name.ts';
import { closingRecord, endlessChains, isAlias, rotatedTo, whyEndless } from '../../dns/zone/cname-chain.ts';
import { Lookup, type LookupZone } from '../../dns/zone/lookup.ts';
import type { ZoneIssue } from '../../dns/zone/rrset.ts';
import { keyOf, ownershipOf, type RRset } from '../powerdns/rrset.ts';
import type { ZoneRecords } from './zone-records.ts';

/** The records of a zone, of the spec or of a team. */
type Contents = ReadonlyMap<string, ZoneRecords & { isOfTeam: boolean }>;

/** An alias that never leads to an address, with the zone file or the RRset of the composite that contains it. */
export interface UnresolvableAlias {
  /** Fully qualified. */
  zone: string;
  /** The zone file, or the RRset's key. */
  source: string;
  issue: ZoneIssue;
}

/**
 * Finds the CNAME, DNAME and ALIAS loops across all zones. Of each loop it returns the last RRset in this order: the
 * composite's own records, then its zone files in the order in which it lists them, then the zones of teams.
 */
export function unresolvableAliases(contents: Contents): UnresolvableAlias[] {
  const zones = [...contents].map(([name, { rrsets, heldFiles }]) => ({
    name,
    records: rrsets,
    isPartial: heldFiles.size > 0,
  }));
  const aliases = zones.flatMap(({ name, records }) => records.filter(isAlias).map((rrset) => ({ zone: name, rrset })));
  if (aliases.length === 0) return [];
  const isOfFile = ({ mark }: RRset) => (mark?.content ?? '') !== '';
  const rankOf = ({ zone, rrset }: (typeof aliases)[number]) =>
    contents.get(zone)?.isOfTeam ? 2 : Number(isOfFile(rrset));
  const inOrder = aliases.toSorted((a, b) => rankOf(a) - rankOf(b));
  const order = new Map(inOrder.map(({ rrset }, index) => [rrset, index]));
  const lookup = new Lookup<RRset>(zones);
  const last = new Map<RRset, UnresolvableAlias>();
  for (const chain of endlessChains(lookup, order.keys())) {
    const { record: rrset, why } = closingRecord(chain, order);
    if (last.has(rrset)) continue;
    const { zone } = inOrder[order.get(rrset)!]!;
    const at = contents.get(zone)?.locations.get(keyOf(rrset)) ?? withoutDot(rrset.name);
    const message = `${why}: point it to a name that has an address`;
    const source = isOfFile(rrset) ? (rrset.mark?.content ?? '') : keyOf(rrset);
    last.set(rrset, { zone, source, issue: { at, message } });
  }
  return [...last.values()];
}

export interface LoopingRRset {
  rrset: RRset;
  /** Fully qualified. Only for a declared RRset. */
  zone?: string;
  message: string;
}

/**
 * Finds the loops that declared RRsets are part of, in the zones as they will be. Returns the discovered RRsets of
 * each, or the declared ones if none was discovered: those of teams, if any.
 */
export function loopingRRsets(results: LookupZone<RRset>[], contents: Contents): LoopingRRset[] {
  const declared = [...contents].flatMap(([zone, { rrsets }]) =>
    rrsets.filter(isAlias).map((rrset): [RRset, string] => [rrset, zone]),
  );
  if (declared.length === 0) return [];
  const byKey = new Map(declared.map(([rrset, zone]) => [keyOf(rrset), { rrset, zone }]));
  const looping = new Map<RRset, LoopingRRset>();
  for (const chain of endlessChains(new Lookup(results), new Map(declared).keys())) {
    if (chain.end !== 'Loop') continue;
    const discovered = chain.links.filter((link) => ownershipOf(link) === 'discovered');
    // RRsets read from PowerDNS are not the same objects as the declared ones.
    const own = chain.links.flatMap((link) => (ownershipOf(link) === 'declared' ? (byKey.get(keyOf(link)) ?? []) : []));
    const ofTeams = own.filter(({ zone }) => contents.get(zone)?.isOfTeam);
    const declaredParts = ofTeams.length > 0 ? ofTeams : own;
    const parts = discovered.length > 0 ? discovered.map((rrset) => ({ rrset })) : declaredParts;
    for (const part of parts) {
      const { rrset } = part;
      const cause = whyEndless(rotatedTo(chain.links.find((link) => keyOf(link) === keyOf(rrset)) ?? rrset, chain));
      looping.set(rrset, {
        ...part,
        message: `${cause}: delete records in it that were created manually, or point this one elsewhere`,
      });
    }
  }
  return [...looping.values()];
}
