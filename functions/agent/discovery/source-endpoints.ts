import { discoverable } from '../../contract/declaration.ts';
import { withoutDot } from '../../dns/name.ts';
import { keyOf } from '../powerdns/rrset.ts';
import { hasTooManyTargets } from '../sources/host-limit.ts';
import type { SourceObject } from '../sources/source-object.ts';
import { contentOf, isTargetType, typeOf } from '../sources/target.ts';
import { type Endpoint, resourceLabel } from './endpoint.ts';
import { kindLabelOf } from './resource-label.ts';

/**
 * Returns the endpoints that ExternalDNS makes of source objects at one of their names; undefined if only ExternalDNS can
 * tell, such as for the addresses of Pods and Nodes.
 * @param name absolute
 */
export function endpointsAt(name: string, sourceObjects: readonly SourceObject[]): Endpoint[] | undefined {
  const all: Endpoint[] = [];
  for (const sourceObject of sourceObjects) {
    const own = endpointsOf(sourceObject, name);
    if (!own) return undefined;
    all.push(...own);
  }
  return merged(all);
}

function endpointsOf(sourceObject: SourceObject, name: string): Endpoint[] | undefined {
  const { resource, isInexact, overflow, below, parts } = sourceObject;
  if (isInexact || overflow || below) return undefined;
  if (isDropped(name, resource)) return [];
  const endpoints: Endpoint[] = [];
  for (const recordType of discoverable) {
    const part = parts ? parts.get(keyOf({ name, type: recordType })) : isTargetType(recordType) && sourceObject;
    if (!part) continue;
    const { targets, ttl } = part;
    if (!targets || hasTooManyTargets(targets)) return undefined;
    const ofType = isTargetType(recordType) ? targets.filter((target) => typeOf(target) === recordType) : targets;
    if (ofType.length === 0) continue;
    // Of what is no name it depends on the spelling what becomes of it.
    if (recordType === 'CNAME' && !ofType.every((target) => contentOf(recordType, withoutDot(target)) === target))
      return undefined;
    const dnsName = withoutDot(name);
    endpoints.push({ dnsName, targets: [...ofType], recordType, ...(ttl && { recordTTL: ttl }), labels: { resource } });
  }
  return endpoints;
}

/**
 * Names with a longer label make no endpoint, except those of a DNSEndpoint.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/endpoint.go (NewEndpointWithTTL)
 */
const isDropped = (name: string, resource: string) =>
  kindLabelOf(resource) !== 'crd' && name.split('.').some((label) => label.length > 63);

/**
 * Merges the endpoints of each kind, and leaves out repetitions: a thousand objects may share a name and its targets. Those
 * of Services are merged whatever their TTLs, and the first one by its label keeps its own.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/service.go#L234-L260
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/utils.go (MergeEndpoints)
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/wrappers/dedupsource.go
 */
function merged(endpoints: readonly Endpoint[]): Endpoint[] {
  const ofKinds = new Map<string, { endpoint: Endpoint; targets: Set<string> }>();
  for (const endpoint of endpoints.toSorted(byLabel)) {
    const { recordType, recordTTL = 0, targets } = endpoint;
    const kind = kindLabelOf(resourceLabel(endpoint));
    const alias = recordType === 'CNAME' ? targets.join() : '';
    const ttl = kind === 'service' && recordType !== 'CNAME' ? '' : recordTTL;
    const key = [kind, recordType, ttl, alias].join(' ');
    const same = ofKinds.get(key);
    if (!same) ofKinds.set(key, { endpoint, targets: new Set(targets) });
    else for (const target of targets) same.targets.add(target);
  }
  const once = new Map<string, Endpoint>();
  for (const { endpoint, targets } of ofKinds.values()) {
    const sorted = [...targets].sort();
    const key = [endpoint.recordType, ...sorted].join(' ');
    if (!once.has(key)) once.set(key, { ...endpoint, targets: sorted });
  }
  return [...once.values()];
}

function byLabel(one: Endpoint, other: Endpoint): number {
  const [a, b] = [resourceLabel(one), resourceLabel(other)];
  return a < b ? -1 : Number(a > b);
}
