import type { DeclaredDiscovery } from '../../../contract/declaration.ts';
import { absolute, isWithin, withoutDot } from '../../../dns/name.ts';
import { cutAt, cutsOf } from '../../../dns/zone/zone-cut.ts';
import { derivedChanges } from '../../powerdns/derived-changes.ts';
import {
  areConflicting,
  type Change,
  declaredAccount,
  ownershipOf,
  type RRset,
  resourceOf,
  type Zone,
} from '../../powerdns/rrset.ts';
import { isOwn } from '../resource-label.ts';
import { contentOfMark } from './ownership-labels.ts';

/** ExternalDNS's `--txt-prefix` and `--txt-wildcard-replacement`. */
export type OwnershipTXT = NonNullable<DeclaredDiscovery['ownershipTXT']>;

/** Marks an ownership record: the TXT record that ExternalDNS's own registry would write for another one. */
export const ownershipMark = { account: declaredAccount, content: 'ownership' };

export const isOwnershipRecord = ({ mark }: RRset) =>
  mark?.account === ownershipMark.account && mark.content === ownershipMark.content;

/** Seconds: what ExternalDNS's pdns provider writes for an endpoint without a TTL. */
const ownershipRecordTTL = 300;

const typeInPrefix = '%{record_type}';

/**
 * Returns the name of a record's ownership record. Unless the prefix has a place for the type, that goes before the
 * name's first label.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/registry/mapper/mapper.go
 */
export function ownershipRecordName(name: string, type: string, { prefix, wildcardReplacement }: OwnershipTXT): string {
  const lowerPrefix = prefix.toLowerCase();
  const lowerType = type.toLowerCase();
  const isReplaced = wildcardReplacement !== '' && name.startsWith('*.');
  const named = isReplaced ? wildcardReplacement + name.slice(1) : name;
  const typed = lowerPrefix.includes(typeInPrefix) ? named : `${lowerType}-${named}`;
  return absolute(lowerPrefix.replaceAll(typeInPrefix, lowerType) + typed);
}

/**
 * Returns the ownership records of a zone's discovered RRsets, as far as their names are legal, inside the zone and
 * free. The apex has one only if the prefix ends in a dot.
 * @param rrsets all RRsets of the zone
 */
export function ownershipRecordsFor(zone: string, rrsets: RRset[], options: OwnershipTXT): RRset[] {
  // ExternalDNS will never know Machines and claims.
  const discovered = rrsets.filter((rrset) => ownershipOf(rrset) === 'discovered' && !isOwn(resourceOf(rrset)));
  if (discovered.length === 0) return [];
  const others = Map.groupBy(
    rrsets.filter((rrset) => !isOwnershipRecord(rrset)),
    ({ name }) => name,
  );
  // A discovered delegation hides no ownership record: they are read over the API only, as ExternalDNS does.
  const cuts = cutsOf(
    zone,
    rrsets.filter((rrset) => ownershipOf(rrset) !== 'discovered'),
  );
  const isPossible = (record: RRset) =>
    isWithin(record.name, zone) &&
    isLegal(record.name) &&
    !cutAt(record.name, zone, cuts) &&
    !others.get(record.name)?.some((other) => areConflicting(other, record));
  const byName = new Map<string, RRset>();
  for (const record of discovered.flatMap((rrset) => ownershipRecordFor(rrset, options)).filter(isPossible)) {
    const rival = byName.get(record.name);
    // Two records can map to one name, such as with a prefix that ends in the type.
    if (!rival || `${record.records}` < `${rival.records}`) byName.set(record.name, record);
  }
  return [...byName.values()];
}

function ownershipRecordFor({ name, type, mark }: RRset, options: OwnershipTXT): RRset[] {
  const content = mark && contentOfMark(mark);
  if (!content) return [];
  return [
    {
      name: ownershipRecordName(name, type, options),
      type: 'TXT',
      ttl: ownershipRecordTTL,
      records: [content],
      mark: { ...ownershipMark },
    },
  ];
}

/** Adds the changes of the ownership records to those of discovered RRsets, for one transaction. */
export function withOwnershipRecords(zone: Zone, changes: Change[], options: OwnershipTXT | undefined): Change[] {
  if (!options) return changes;
  const derive = (rrsets: RRset[]) => ownershipRecordsFor(zone.name, rrsets, options);
  const { deletions: gone, replacements: fresh } = derivedChanges(zone, changes, isOwnershipRecord, derive);
  return [...changes, ...gone, ...fresh];
}

/** Host names, and underscores, which are usual in names of metadata (RFC 8552). */
const isLegal = (name: string) =>
  name.length <= 254 &&
  withoutDot(name)
    .split('.')
    .every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
