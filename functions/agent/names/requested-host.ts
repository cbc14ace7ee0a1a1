import { nameKey } from '../../contract/verdict.ts';
import type { DesiredRecord } from '../discovery/desired-records.ts';
import type { RejectedRecord } from '../discovery/evaluation.ts';
import type { Decision } from '../discovery/pipeline.ts';
import { keyOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';
import { isTargetType, targetsByType } from '../sources/target.ts';
import { targetsAt } from './source-targets.ts';

/** One host of one object, with what the object, ExternalDNS and the provider have for it. */
export interface RequestedHost {
  /** Absolute. */
  name: string;
  resource: string;
  /** Absent if the object does not have the host, or is not known. */
  sourceObject?: SourceObject;
  /** What ExternalDNS requests for the object. */
  desiredRecords: DesiredRecord[];
  rejected: RejectedRecord[];
  /** What the delete guard alone keeps. */
  held: RRset[];
}

/** Pure: returns every host that an object has or ExternalDNS requests. */
export function requestedHosts(
  lister: Pick<SourceLister, 'list' | 'listFiltered'>,
  decisions: readonly Decision[],
): RequestedHost[] {
  const hosts = new Map<string, RequestedHost>();
  const hostOf = (name: string, resource: string): RequestedHost => {
    const key = nameKey({ name, resource });
    const host = hosts.get(key) ?? { name, resource, desiredRecords: [], rejected: [], held: [] };
    hosts.set(key, host);
    return host;
  };
  for (const objects of [lister.listFiltered(), lister.list()]) {
    for (const sourceObject of objects)
      for (const host of sourceObject.hosts) hostOf(host, sourceObject.resource).sourceObject = sourceObject;
  }
  for (const { desiredRecords, refused, held } of decisions) {
    for (const desired of desiredRecords) hostOf(desired.name, resourceOf(desired)).desiredRecords.push(desired);
    for (const each of refused) hostOf(each.rrset.name, resourceOf(each.rrset)).rejected.push(each);
    for (const rrset of held) hostOf(rrset.name, resourceOf(rrset)).held.push(rrset);
  }
  return [...hosts.values()];
}

/** Returns what the object itself shows: after a restart ExternalDNS has not synced yet, while its records are served. */
export function ownRecords({ name, resource, sourceObject, held }: RequestedHost): DesiredRecord[] {
  if (held.length > 0 || !sourceObject || sourceObject.filteredBy !== undefined) return [];
  const mark = { account: '', content: resource };
  return [...targetsByType(targetsAt(name, sourceObject) ?? [])].map(([type, records]) => ({
    name,
    type,
    records,
    ttl: 0,
    mark,
  }));
}

/**
 * Returns the records without which a host does not resolve: its addresses; without any its CNAME, which is never
 * published beside them; else all. Records that the spec filters out, or that have no target, are not expected.
 */
export function essentialRecords({ desiredRecords, rejected }: RequestedHost): DesiredRecord[] {
  const targets = desiredRecords.filter(({ type }) => isTargetType(type));
  const addresses = targets.filter(({ type }) => type !== 'CNAME');
  const candidates = [addresses, targets, desiredRecords].find((records) => records.length > 0) ?? [];
  const isExpected = ({ verdict, isOwn }: RejectedRecord) =>
    verdict !== 'Filtered' && verdict !== 'NoAddress' && !isOwn;
  return candidates.filter((desired) => {
    const ofRecord = rejected.filter(({ rrset }) => keyOf(rrset) === keyOf(desired));
    return ofRecord.length === 0 || ofRecord.some(isExpected);
  });
}
