import type { DeclaredSource } from '../../../contract/declaration.ts';
import { shortList } from '../../lib/short-list.ts';
import type { SourceObject } from '../source-object.ts';
import { annotationsOf, givenTargets, listIn, type SourceFilters } from './annotation.ts';
import { annotationsIgnored, fieldOf, filterReason } from './filter.ts';
import { type LoadBalancer, loadBalancerTargets } from './ingress.ts';
import { hostsOf, type List, type Metadata, targetsOf, toFilteredObject, toSourceObject, unique } from './metadata.ts';
import { toSourceObjectPerHost } from './per-host-targets.ts';
import { statedTTL } from './ttl.ts';

export interface Service {
  metadata: Metadata;
  spec?: {
    type?: string;
    clusterIP?: string;
    externalName?: string;
    externalIPs?: List<string>;
    ports?: List<{ nodePort?: number; protocol?: string }>;
  };
  status?: { loadBalancer?: LoadBalancer };
}

/** The others need to read every Pod and Node of the cluster. */
const usualTypes = ['LoadBalancer'];

/**
 * A ClusterIP Service has its `hostname`, too: where they count, ExternalDNS runs with --publish-internal-services.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/service.go
 */
export function fromService(
  service: Service,
  filters: SourceFilters,
  { serviceTypes = usualTypes, resolvesHostnames }: Pick<DeclaredSource, 'serviceTypes' | 'resolvesHostnames'> = {},
): SourceObject[] {
  const { metadata } = service;
  const annotations = annotationsOf(metadata, filters);
  const hosts = hostsOf(listIn(annotations('hostname')));
  const internal = hostsOf(listIn(annotations('internal-hostname')));
  const all = unique([...hosts, ...internal]);
  const filteredBy = filterReason(metadata, filters) ?? otherType(service, serviceTypes) ?? unnamed(filters);
  if (filteredBy !== undefined) return toFilteredObject('service', metadata, all, filteredBy);
  const ttl = statedTTL(annotations('ttl'));
  const given = givenTargets(annotations);
  if (given.length > 0) return toSourceObject('service', metadata, all, targetsOf(given), ttl);
  // What no host goes by need not be known.
  const published = hosts.length > 0 ? publishedTargets(service, resolvesHostnames) : [];
  const [outside, inside] = [published, internalTargets(service)].map((own) => own && targetsOf(own));
  if (outside && inside)
    return toSourceObjectPerHost('service', metadata, targetsByHost(hosts, outside, internal, inside), ttl);
  const sourceObjects = toSourceObject('service', metadata, [...all, ...servicePorts(service, all)], undefined, ttl);
  if (inside) return sourceObjects;
  return sourceObjects.map((sourceObject) => ({
    ...sourceObject,
    ofPodsOrNodes: true,
    ...(isHeadless(service) && { below: true }),
  }));
}

function otherType({ spec }: Service, types: readonly string[]): string | undefined {
  const type = spec?.type ?? 'ClusterIP';
  if (types.includes(type)) return undefined;
  return `${fieldOf({ kind: 'Service' }, 'serviceTypes')} takes only ${shortList(types)}, and it is of type ${type}: change its type, or that field`;
}

/** A Service has no host but in its annotations. */
const unnamed = ({ hostnames }: SourceFilters) => (hostnames === 'Spec' ? annotationsIgnored : undefined);

/** What goes by `hostname`. Undefined where it is what Pods or Nodes have, or what ExternalDNS resolves a name to. */
function publishedTargets(service: Service, resolvesHostnames = false): readonly string[] | undefined {
  const { type, externalName = '', externalIPs } = service.spec ?? {};
  const { loadBalancer } = service.status ?? {};
  if (type !== 'LoadBalancer' && type !== 'ExternalName') return internalTargets(service);
  if (externalIPs?.length) return externalIPs;
  if (type === 'ExternalName') return [externalName];
  const isResolved = resolvesHostnames && loadBalancer?.ingress?.some(({ hostname }) => hostname);
  return isResolved ? undefined : loadBalancerTargets(loadBalancer);
}

/** What goes by `internal-hostname`. */
function internalTargets(service: Service): readonly string[] | undefined {
  const { type, clusterIP = '' } = service.spec ?? {};
  if (type === 'ExternalName') return publishedTargets(service);
  return isHeadless(service) || type === 'NodePort' ? undefined : [clusterIP];
}

/** Its hosts of both kinds have each their own targets. */
function targetsByHost(
  hosts: readonly string[],
  outside: readonly string[],
  internal: readonly string[],
  inside: readonly string[],
): ReadonlyMap<string, string[]> {
  const [published, hidden] = [new Set(hosts), new Set(internal)];
  return new Map(
    unique([...hosts, ...internal]).map((name) => {
      return [name, unique([...(published.has(name) ? outside : []), ...(hidden.has(name) ? inside : [])])];
    }),
  );
}

/** Its Pods answer for it, and each with a `hostname` for the name below. */
const isHeadless = ({ spec }: Service) => spec?.type !== 'ExternalName' && spec?.clusterIP === 'None';

/** SRV records (RFC 2782) of the ports that a Service has on the nodes. */
function servicePorts({ metadata, spec }: Service, hosts: readonly string[]): string[] {
  if (spec?.type !== 'NodePort') return [];
  const protocols = (spec.ports ?? []).filter((p) => p.nodePort).map(({ protocol = 'TCP' }) => protocol.toLowerCase());
  return hosts.flatMap((host) => [...new Set(protocols)].map((protocol) => `_${metadata.name}._${protocol}.${host}`));
}
