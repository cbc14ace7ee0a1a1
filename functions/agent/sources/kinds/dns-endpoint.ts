import type { List, ObjectMeta } from '../../kubernetes/object.ts';
import { keyOf } from '../../powerdns/rrset.ts';
import { firstTargets } from '../host-limit.ts';
import type { Part, SourceObject } from '../source-object.ts';
import { contentOf, contentsOf, isTargetType, typeOf } from '../target.ts';
import type { SourceFilters } from './annotation.ts';
import { hostsOf, targetsOf, toFilteredObject, toSourceObject, unique } from './conversion.ts';
import { isPlain, withExactness } from './exactness.ts';
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
  setIdentifier?: string;
  providerSpecific?: unknown;
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
  const sourceObjects = toSourceObject('crd', metadata, [...hosts], targets).map((sourceObject) => ({
    ...sourceObject,
    parts: partsOf(sourceObject, parts),
  }));
  const endpoints = (spec?.endpoints ?? [])
    .filter((each) => each !== null)
    .filter(({ dnsName = '' }) => hostsOf([dnsName]).length > 0);
  return withExactness(sourceObjects, endpoints.every(isExact) && areMerged(endpoints));
}

/**
 * Reports whether ExternalDNS passes an endpoint on as it is. It drops those with targets that are not of the type, or that
 * end in a dot where it expects none, and what it thinks of other types is its own matter.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/crd.go
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/endpoint.go (CheckEndpoint)
 */
function isExact({ dnsName, recordType = '', recordTTL = 0, targets, ...more }: Endpoint): boolean {
  if (
    !isPlain(dnsName) ||
    dnsName?.endsWith('..') ||
    recordTTL < 0 ||
    !targets?.length ||
    more.setIdentifier ||
    more.providerSpecific
  )
    return false;
  if (isTargetType(recordType)) return targets.every((target) => target !== '' && typeOf(target) === recordType);
  const form = forms[recordType];
  return form !== undefined && targets.every((target) => form.test(target) && isStable(recordType, target));
}

/** What ExternalDNS accepts as targets. */
const forms: Readonly<Record<string, RegExp>> = {
  TXT: /^/,
  MX: /^\d{1,4} \S+$/,
  SRV: /^(\d{1,4} ){3}\S+\.$/,
  NS: /[^.]$/,
};

const isStable = (type: string, target: string) => contentOf(type, contentOf(type, target)) === contentOf(type, target);

/** Reports whether ExternalDNS merges the endpoints of one name and type: they have the same TTL, and are spelled the same. */
function areMerged(endpoints: readonly Endpoint[]): boolean {
  const keys = endpoints.map(({ dnsName = '', recordType = '', recordTTL = 0 }) => ({
    place: keyOf({ name: hostsOf([dnsName])[0] ?? '', type: recordType }),
    key: `${dnsName} ${recordTTL}`,
  }));
  const places = Map.groupBy(keys, ({ place }) => place).values();
  return places.every((same) => new Set(same.map(({ key }) => key)).size === 1);
}

/** Returns the parts of the hosts within the limit. */
function partsOf({ hosts, overflow }: SourceObject, parts: ReadonlyMap<string, Part>): ReadonlyMap<string, Part> {
  if (!overflow) return parts;
  const within = new Set(hosts);
  return new Map(parts.entries().filter(([key]) => within.has(key.slice(0, key.lastIndexOf(' ')))));
}

const canonical = ({ recordType = '', targets }: Endpoint): readonly string[] =>
  ['A', 'AAAA', 'CNAME'].includes(recordType) ? targetsOf(targets ?? []) : contentsOf(recordType, targets ?? []);
