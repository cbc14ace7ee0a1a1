import { sourceResources } from '../../contract/source-kinds.ts';
import { absolute } from '../../dns/name.ts';
import { isAddress } from '../../dns/zone/apex.ts';
import { ptrLocation } from '../../dns/zone/reverse.ts';
import { isOwn, kindLabelOf } from '../discovery/resource-label.ts';
import { ownershipOf, type RRset, resourceOf, type Zone } from '../powerdns/rrset.ts';
import { byAge } from '../sources/age.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { isDerivedPTR, type PTRSource } from '../zones/ptr-records.ts';
import type { TranslatedMachine } from './machine-records.ts';
import { type AddressHolder, type Reverse, reverseOf } from './reverse.ts';

export interface PublishedReverseInput {
  machines: readonly TranslatedMachine[];
  /** The declared zones, by their absolute names. */
  declared: ReadonlyMap<string, string>;
  /** As PowerDNS has them, with the addresses of computed answers. */
  zones: readonly Zone[];
  /** Whether the addresses of other objects get PTR records, too. */
  reverse: boolean;
  lister: Pick<SourceLister, 'get'>;
}

/**
 * Chooses the PTR records of the addresses that are published. What PowerDNS has decides, not what it was sent: so they
 * follow whatever has happened in between.
 */
export function publishedReverse({ machines, declared, zones, reverse, lister }: PublishedReverseInput): Reverse {
  const rrsets = zones
    .filter(({ name }) => declared.has(name))
    .flatMap((zone) => zone.rrsets.filter((rrset) => isAddress(rrset.type) && ownershipOf(rrset) === 'discovered'));
  const byName = Map.groupBy(rrsets, ({ name }) => name);
  const published = machines.map((each) => {
    const atName = byName.get(absolute(each.finding.fqdn ?? '')) ?? [];
    return { ...each, addresses: each.addresses.filter((address) => atName.some((r) => r.records.includes(address))) };
  });
  const holders = reverse ? addressHolders(rrsets, lister) : new Map<string, AddressHolder>();
  const { sources, findings } = reverseOf(published, { zones: declared, holderOf: (address) => holders.get(address) });
  const left = leftSources(rrsets, published, { declared, zones });
  const taken = new Set(sources.map(({ address }) => address));
  return { sources: [...sources, ...left.filter(({ address }) => !taken.has(address))], findings };
}

/** The oldest of the objects that are neither Machines nor claims, by the addresses that are published for them. */
function addressHolders(rrsets: readonly RRset[], lister: Pick<SourceLister, 'get'>): Map<string, AddressHolder> {
  const holders = new Map<string, AddressHolder>();
  for (const rrset of rrsets) {
    const holder = isOwn(resourceOf(rrset)) ? undefined : lister.get(resourceOf(rrset));
    if (!holder) continue;
    for (const address of rrset.records) {
      const other = holders.get(address);
      if (!other || byAge(holder, other) < 0) holders.set(address, holder);
    }
  }
  return holders;
}

/**
 * The PTR records of names that are left of Machines, such as those that the delete guard holds: whichever are there, as
 * nobody can tell what the Machine wanted.
 */
function leftSources(
  rrsets: readonly RRset[],
  published: readonly TranslatedMachine[],
  { declared, zones }: Pick<PublishedReverseInput, 'declared' | 'zones'>,
): PTRSource[] {
  const known = new Map(published.map((each) => [each.machine.resource, each]));
  const left = rrsets
    .filter((rrset) => kindLabelOf(resourceOf(rrset)) === sourceResources.Machine.label)
    .flatMap(({ name, records, mark }) => {
      const { addresses = [], finding } = known.get(resourceOf({ mark })) ?? {};
      const own = finding?.fqdn !== undefined && absolute(finding.fqdn) === name ? addresses : [];
      return records.filter((address) => !own.includes(address)).map((address) => ({ address, name }));
    });
  if (left.length === 0) return [];
  const there = new Map(zones.flatMap(({ rrsets }) => rrsets.filter(isDerivedPTR).map((ptr) => [ptr.name, ptr])));
  return left.filter(({ address, name }) => there.get(ptrLocation(address, declared)?.name ?? '')?.records[0] === name);
}
