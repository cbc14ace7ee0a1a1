import type { List, ObjectMeta } from '../../kubernetes/object.ts';
import { keyOf } from '../../powerdns/rrset.ts';
import { firstTargets } from '../host-limit.ts';
import type { Part, SourceObject } from '../source-object.ts';
import { contentsOf } from '../target.ts';
import type { SourceFilters } from './annotation.ts';
import { hostsOf, targetsOf, toFilteredObject, toSourceObject, unique } from './conversion.ts';
import { selectorReason } from './filter.ts';

export interface DNSEndpoint {
  metadata: ObjectMeta;
  spec?: { endpoints?: List<Endpoint | null> };
}

interface Endpoint {
  dnsName?: string;
  recordType?: string;
  recordTTL?: number;
  targets?: List<string>;
}

/**
 * Returns one source object with a part for each endpoint. ExternalDNS ignores the controller annotation of DNSEndpoints.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/crd.go
 */
export function fromDNSEndpoint({ metadata, spec }: DNSEndpoint, filters: SourceFilters): SourceObject[] {
  const parts = new Map<string, Part>();
  const hosts = new Set<string>();
  for (const endpoint of spec?.endpoints ?? []) {
    const { dnsName = '', recordType = '', recordTTL } = endpoint ?? {};
    const [host] = hostsOf([dnsName]);
    if (!endpoint || host === undefined) continue;
    hosts.add(host);
    const key = keyOf({ name: host, type: recordType });
    const targets = firstTargets(unique([...(parts.get(key)?.targets ?? []), ...canonical(endpoint)]));
    parts.set(key, { targets, ...(recordTTL && { ttl: recordTTL }) });
  }
  const filteredBy = selectorReason(metadata, filters);
  if (filteredBy !== undefined) return toFilteredObject('crd', metadata, [...hosts], filteredBy);
  const targets = unique([...parts.values()].flatMap((part) => part.targets ?? []));
  return toSourceObject('crd', metadata, [...hosts], targets).map((sourceObject) => ({
    ...sourceObject,
    parts: partsOf(sourceObject, parts),
  }));
}

/** Returns the parts of the hosts within the limit. */
function partsOf({ hosts, overflow }: SourceObject, parts: ReadonlyMap<string, Part>): ReadonlyMap<string, Part> {
  if (!overflow) return parts;
  const within = new Set(hosts);
  return new Map(parts.entries().filter(([key]) => within.has(key.slice(0, key.lastIndexOf(' ')))));
}

const canonical = ({ recordType = '', targets }: Endpoint): readonly string[] =>
  ['A', 'AAAA', 'CNAME'].includes(recordType) ? targetsOf(targets ?? []) : contentsOf(recordType, targets ?? []);
