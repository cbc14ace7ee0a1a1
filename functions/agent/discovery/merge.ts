import { isGlue } from '../../dns/zone/zone-cut.ts';
import { canonicalAddress, type RRset } from '../powerdns/rrset.ts';
import { hasTooManyTargets } from '../sources/host-limit.ts';

/** Whether two RRsets of one name say the same, for however long. */
export function sameAnswer(a: RRset, b: RRset): boolean {
  if (a.type !== b.type || a.records.length !== b.records.length) return false;
  if (a.records.every((content, i) => content === b.records[i])) return true;
  const there = new Set(a.records.map(canonicalAddress));
  return b.records.every((content) => there.has(canonicalAddress(content)));
}

/** Whether two RRsets have no room beside each other in one party's name. */
export function areExclusive(a: RRset, b: RRset): boolean {
  if (a.type === b.type) return isSingle(a.type);
  return (isExclusive(a.type) || isExclusive(b.type)) && !isGlue(a, b) && !isGlue(b, a);
}

/** A name has one CNAME (RFC 1034 section 3.6.2). */
const isSingle = (type: string) => type === 'CNAME';

/** Beside a delegation nothing is answered (RFC 1034 section 4.2.1). */
const isExclusive = (type: string) => type === 'CNAME' || type === 'NS';

/** The wishes with all that one object says of a type in one RRset: it lives as briefly as the briefest of them. */
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

/** The first of a group with the records of all. */
export function merged(group: RRset[]): RRset {
  const first = group[0] as RRset;
  if (group.length === 1) return first;
  return { ...first, records: [...new Set(group.flatMap(({ records }) => records))].sort() };
}

/**
 * The wishes of one party, in the order of their claims, as the groups that become one RRset each; beside them those
 * that a better claim leaves no room for.
 */
export function groupCompatible(desiredRecords: RRset[]): { groups: RRset[][]; beside: RRset[] } {
  const groups = new Map<string, RRset[]>();
  const beside: RRset[] = [];
  for (const rrset of desiredRecords) {
    const group = groups.get(rrset.type);
    if (groups.values().some(([first]) => first && areExclusive(first, rrset))) beside.push(rrset);
    else if (group && hasTooManyTargets(merged([...group, rrset]).records)) beside.push(rrset);
    else if (group) group.push(rrset);
    else groups.set(rrset.type, [rrset]);
  }
  return { groups: [...groups.values()], beside };
}
