import { isGlue } from '../../dns/zone/zone-cut.ts';
import { canonicalAddress, type RRset } from '../powerdns/rrset.ts';
import { hasTooManyTargets } from '../sources/host-limit.ts';

/** Reports whether two RRsets of one name have the same content, whatever their TTLs. */
export function sameAnswer(a: RRset, b: RRset): boolean {
  if (a.type !== b.type || a.records.length !== b.records.length) return false;
  if (a.records.every((content, i) => content === b.records[i])) return true;
  const contents = new Set(a.records.map(canonicalAddress));
  return b.records.every((content) => contents.has(canonicalAddress(content)));
}

/** Reports whether two RRsets of one name cannot both be published, even for objects that share it. */
export function areExclusive(a: RRset, b: RRset): boolean {
  if (a.type === b.type) return isSingle(a.type);
  return (isExclusive(a.type) || isExclusive(b.type)) && !isGlue(a, b) && !isGlue(b, a);
}

/** A name has one CNAME (RFC 1034 section 3.6.2). */
const isSingle = (type: string) => type === 'CNAME';

/** Beside a delegation nothing is answered (RFC 1034 section 4.2.1). */
const isExclusive = (type: string) => type === 'CNAME' || type === 'NS';

/** Merges the records of one object and type, with the lowest of their TTLs. */
export function mergeByObject(desiredRecords: RRset[]): RRset[] {
  const groups = Map.groupBy(desiredRecords, ({ mark, type, records }) =>
    [mark?.content, type, ...(isSingle(type) ? records : [])].join(' '),
  );
  if (groups.size === desiredRecords.length) return desiredRecords;
  return groups
    .values()
    .map((group) => ({ ...merged(group), ttl: Math.min(...group.map(({ ttl }) => ttl)) }))
    .toArray();
}

/** Returns the first RRset of a group with the records of all. */
export function merged(group: RRset[]): RRset {
  const first = group[0] as RRset;
  if (group.length === 1) return first;
  return { ...first, records: [...new Set(group.flatMap(({ records }) => records))].sort() };
}

/**
 * Groups records of one sharing group, in order of precedence, so that each group becomes one RRset. Those are
 * incompatible that cannot be published beside one with higher precedence.
 */
export function groupCompatible(desiredRecords: RRset[]): { groups: RRset[][]; incompatible: RRset[] } {
  const groups = new Map<string, RRset[]>();
  const incompatible: RRset[] = [];
  for (const rrset of desiredRecords) {
    const group = groups.get(rrset.type);
    if (groups.values().some(([first]) => first && areExclusive(first, rrset))) incompatible.push(rrset);
    else if (group && hasTooManyTargets(merged([...group, rrset]).records)) incompatible.push(rrset);
    else if (group) group.push(rrset);
    else groups.set(rrset.type, [rrset]);
  }
  return { groups: [...groups.values()], incompatible };
}
