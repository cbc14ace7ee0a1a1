import type { DeclaredDiscovery } from '../../../contract/declaration.ts';
import { absolute, isWithin, withoutDot } from '../../../dns/name.ts';
import { cutAt, cutsOf } from '../../../dns/zone/zone-cut.ts';
import {
  areConflicting,
  type Change,
  declaredAccount,
  ownershipOf,
  type RRset,
  type Zone,
} from '../../powerdns/rrset.ts';
import { derivedChanges } from '../derived-changes.ts';
import { contentOfMark } from './ownership-labels.ts';

/** As ExternalDNS's `--txt-prefix` and `--txt-wildcard-replacement`. */
export type OwnershipTXT = NonNullable<DeclaredDiscovery['ownershipTXT']>;

/** Marks a TXT record that says whose another one is: the twin that ExternalDNS's own registry would write. */
export const ownershipMark = { account: declaredAccount, content: 'ownership' };

export const isOwnershipRecord = ({ mark }: RRset) =>
  mark?.account === ownershipMark.account && mark.content === ownershipMark.content;

/** As ExternalDNS's pdns provider writes a record that has none. Seconds. */
const ownershipRecordTTL = 300;

const typeInPrefix = '%{record_type}';

/**
 * Where ExternalDNS keeps the owner of a record. A type that is not in the prefix goes before the name's first label.
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
 * The twins of what is discovered in a zone: of those that are legal names in it and find their place free. The top of
 * a zone has one only with a prefix that ends in a dot.
 * @param rrsets everything that the zone has
 */
export function ownershipRecordsFor(zone: string, rrsets: RRset[], options: OwnershipTXT): RRset[] {
  const discovered = rrsets.filter((rrset) => ownershipOf(rrset) === 'discovered');
  if (discovered.length === 0) return [];
  const others = Map.groupBy(
    rrsets.filter((rrset) => !isOwnershipRecord(rrset)),
    ({ name }) => name,
  );
  // Below what is discovered itself the twin is only read over the API, as ExternalDNS does.
  const cuts = cutsOf(
    zone,
    rrsets.filter((rrset) => ownershipOf(rrset) !== 'discovered'),
  );
  const isPossible = (twin: RRset) =>
    isWithin(twin.name, zone) &&
    isLegal(twin.name) &&
    !cutAt(twin.name, zone, cuts) &&
    !others.get(twin.name)?.some((other) => areConflicting(other, twin));
  const twins = new Map<string, RRset>();
  for (const twin of discovered.flatMap((rrset) => ownershipRecordFor(rrset, options)).filter(isPossible)) {
    const rival = twins.get(twin.name);
    // Types and names can run into each other, as with a prefix that ends in the type.
    if (!rival || `${twin.records}` < `${rival.records}`) twins.set(twin.name, twin);
  }
  return [...twins.values()];
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

/** The changes of discovered RRsets in a zone together with those of their twins, for one transaction. */
export function withOwnershipRecords(zone: Zone, changes: Change[], options: OwnershipTXT | undefined): Change[] {
  if (!options) return changes;
  const twins = (rrsets: RRset[]) => ownershipRecordsFor(zone.name, rrsets, options);
  const { gone, fresh } = derivedChanges(zone, changes, isOwnershipRecord, twins);
  return [...changes, ...gone, ...fresh];
}

/** Host names, and underscores, which are usual in what nobody is to meet by chance. */
const isLegal = (name: string) =>
  name.length <= 254 &&
  withoutDot(name)
    .split('.')
    .every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
