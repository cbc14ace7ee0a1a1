import { nameKey } from '../../contract/verdict.ts';
import type { DesiredRecord } from '../discovery/desired-record.ts';
import type { RejectedRecord } from '../discovery/evaluation.ts';
import type { ProviderSnapshot } from '../discovery/provider.ts';
import { isTargetType } from '../discovery/target.ts';
import { keyOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';

/** One host of one object, and all that is known of it. */
export interface RequestedHost {
  /** Absolute. */
  name: string;
  resource: string;
  /** What the object itself says. */
  sourceObject?: SourceObject;
  /** What ExternalDNS wants there for the object. */
  desiredRecords: DesiredRecord[];
  /** What of it is left out. */
  refused: RejectedRecord[];
  /** What stands there only because the delete guard holds it. */
  held?: RRset;
}

/** Pure: every host that the cluster's objects claim or ExternalDNS wants. */
export function requestedHosts(
  lister: Pick<SourceLister, 'list' | 'listFiltered'>,
  snapshots: readonly ProviderSnapshot[],
): RequestedHost[] {
  const hosts = new Map<string, RequestedHost>();
  const at = (name: string, resource: string): RequestedHost => {
    const key = nameKey({ name, resource });
    const known = hosts.get(key);
    if (known) return known;
    const host: RequestedHost = { name, resource, desiredRecords: [], refused: [] };
    hosts.set(key, host);
    return host;
  };
  for (const sourceObject of lister.listFiltered())
    for (const host of sourceObject.hosts) at(host, sourceObject.resource).sourceObject = sourceObject;
  for (const sourceObject of lister.list())
    for (const host of sourceObject.hosts) at(host, sourceObject.resource).sourceObject = sourceObject;
  for (const { desiredRecords, refused, held } of snapshots) {
    for (const desired of desiredRecords) at(desired.name, resourceOf(desired)).desiredRecords.push(desired);
    for (const each of refused) at(each.rrset.name, resourceOf(each.rrset)).refused.push(each);
    for (const rrset of held) at(rrset.name, resourceOf(rrset)).held = rrset;
  }
  return [...hosts.values()];
}

/**
 * The wishes without which a host does not resolve: its addresses, else its alias, which is never published beside them,
 * else everything. Not what has no answer to give, as where a filter takes it.
 */
export function essentialOf({ desiredRecords, refused }: RequestedHost): DesiredRecord[] {
  const targets = desiredRecords.filter(({ type }) => isTargetType(type));
  const addresses = targets.filter(({ type }) => type !== 'CNAME');
  const asked = [addresses, targets, desiredRecords].find((some) => some.length > 0) ?? [];
  const isLost = ({ verdict, isOwn }: RejectedRecord) => verdict !== 'Filtered' && verdict !== 'NoAddress' && !isOwn;
  return asked.filter((desired) => {
    const against = refused.filter(({ rrset }) => keyOf(rrset) === keyOf(desired));
    return against.length === 0 || against.some(isLost);
  });
}
