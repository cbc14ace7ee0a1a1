import type { DeclaredSource } from '../../../contract/declaration.ts';
import type { List, ObjectMeta } from '../../kubernetes/object.ts';
import { shortList } from '../../lib/short-list.ts';
import type { SourceObject } from '../source-object.ts';
import { annotatedTargets, annotatedTTL, annotationsOf, listIn, type SourceFilters } from './annotation.ts';
import { hostsOf, targetsOf, toFilteredObject, toSourceObject, toSourceObjectPerHost, unique } from './conversion.ts';
import { arePlain, withExactness } from './exactness.ts';
import { annotationsIgnored, fieldOf, filterReason } from './filter.ts';
import { type LoadBalancer, loadBalancerTargets } from './ingress.ts';

export interface Service {
  metadata: ObjectMeta;
  spec?: {
    type?: string;
    clusterIP?: string;
    externalName?: string;
    externalIPs?: List<string>;
    ports?: List<{ nodePort?: number; protocol?: string }>;
  };
  status?: { loadBalancer?: LoadBalancer };
}

/** The other types need access to every Pod and Node of the cluster. */
const defaultTypes = ['LoadBalancer'];

/**
 * A ClusterIP Service has its `hostname`, too: if the spec selects that type, ExternalDNS has --publish-internal-services.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/service.go
 */
export function fromService(
  service: Service,
  filters: SourceFilters,
  { serviceTypes = defaultTypes, resolvesHostnames }: Pick<DeclaredSource, 'serviceTypes' | 'resolvesHostnames'> = {},
): SourceObject[] {
  const { metadata } = service;
  const annotations = annotationsOf(metadata, filters);
  const hosts = hostsOf(listIn(annotations('hostname')));
  const internal = hostsOf(listIn(annotations('internal-hostname')));
  const all = unique([...hosts, ...internal]);
  const filteredBy = filterReason(metadata, filters) ?? typeMismatch(service, serviceTypes) ?? hostnamesReason(filters);
  if (filteredBy !== undefined) return toFilteredObject('service', metadata, all, filteredBy);
  const ttl = annotatedTTL(annotations);
  const isPlain = arePlain(annotations, ['hostname', 'internal-hostname', 'target']);
  // How a name is merged that has both targets depends on its spelling.
  const isExact = isPlain && !internal.some((name) => hosts.includes(name));
  const given = annotatedTargets(annotations);
  if (given.length > 0) {
    const sourceObjects = toSourceObject('service', metadata, all, targetsOf(given), ttl);
    return withExactness(sourceObjects, isExact && !given.includes(''));
  }
  // Without a host, the targets do not matter.
  const published = hosts.length > 0 ? publishedTargets(service, resolvesHostnames) : [];
  const hidden = internal.length > 0 ? internalTargets(service) : [];
  const [externalTargets, ownTargets] = [published, internalTargets(service)].map((own) => own && targetsOf(own));
  if (externalTargets && ownTargets) {
    const targets = targetsByHost(hosts, externalTargets, internal, ownTargets);
    // A Service without a cluster IP yet has an empty target.
    const hasEmpty = [...(published ?? []), ...(hidden ?? [])].includes('');
    return withExactness(toSourceObjectPerHost('service', metadata, targets, ttl), isExact && !hasEmpty);
  }
  const sourceObjects = toSourceObject('service', metadata, [...all, ...servicePorts(service, all)], undefined, ttl);
  if (ownTargets) return sourceObjects;
  return sourceObjects.map((sourceObject) => ({
    ...sourceObject,
    ofPodsOrNodes: true,
    ...(isHeadless(service) && { below: true }),
  }));
}

function typeMismatch({ spec }: Service, types: readonly string[]): string | undefined {
  const type = spec?.type ?? 'ClusterIP';
  if (types.includes(type)) return undefined;
  return `${fieldOf({ kind: 'Service' }, 'serviceTypes')} selects only ${shortList(types)}, and it is of type ${type}: change its type, or that field`;
}

/** All hosts of a Service are in annotations. */
const hostnamesReason = ({ hostnames }: SourceFilters) => (hostnames === 'Spec' ? annotationsIgnored : undefined);

/** Targets of `hostname`; undefined if they are those of Pods or Nodes, or addresses that ExternalDNS resolves. */
function publishedTargets(service: Service, resolvesHostnames = false): readonly string[] | undefined {
  const { type, externalName = '', externalIPs } = service.spec ?? {};
  const { loadBalancer } = service.status ?? {};
  if (type !== 'LoadBalancer' && type !== 'ExternalName') return internalTargets(service);
  if (externalIPs?.length) return externalIPs;
  if (type === 'ExternalName') return [externalName];
  const isResolved = resolvesHostnames && loadBalancer?.ingress?.some(({ hostname }) => hostname);
  return isResolved ? undefined : loadBalancerTargets(loadBalancer);
}

/** Targets of `internal-hostname`; undefined if they are those of Pods or Nodes. */
function internalTargets(service: Service): readonly string[] | undefined {
  const { type, clusterIP = '' } = service.spec ?? {};
  if (type === 'ExternalName') return publishedTargets(service);
  return isHeadless(service) || type === 'NodePort' ? undefined : [clusterIP];
}

function targetsByHost(
  hosts: readonly string[],
  targets: readonly string[],
  internalHosts: readonly string[],
  internal: readonly string[],
): ReadonlyMap<string, string[]> {
  const [published, hidden] = [new Set(hosts), new Set(internalHosts)];
  return new Map(
    unique([...hosts, ...internalHosts]).map((name) => {
      return [name, unique([...(published.has(name) ? targets : []), ...(hidden.has(name) ? internal : [])])];
    }),
  );
}

/** The records of a headless Service have the addresses of its Pods; one with a `hostname` also has a name below. */
const isHeadless = ({ spec }: Service) => spec?.type !== 'ExternalName' && spec?.clusterIP === 'None';

/** Names of the SRV records (RFC 2782) that ExternalDNS makes for node ports. */
function servicePorts({ metadata, spec }: Service, hosts: readonly string[]): string[] {
  if (spec?.type !== 'NodePort') return [];
  const protocols = (spec.ports ?? []).filter((p) => p.nodePort).map(({ protocol = 'TCP' }) => protocol.toLowerCase());
  return hosts.flatMap((host) => [...new Set(protocols)].map((protocol) => `_${metadata.name}._${protocol}.${host}`));
}
