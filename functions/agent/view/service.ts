import type { DeclaredSource } from '../declaration.ts';
import type { Claim } from '../discovery/claim.ts';
import { annotationsOf, givenTargets, isForeign, isRead, listIn, type Reading } from './annotation.ts';
import { type LoadBalancer, loadBalancerTargets } from './ingress.ts';
import { claimOf, hostsOf, type List, type Metadata, targetsOf } from './metadata.ts';

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
export function serviceClaim(
  service: Service,
  reading: Reading,
  { serviceTypes = usualTypes }: Pick<DeclaredSource, 'serviceTypes'> = {},
): Claim | undefined {
  const { metadata, spec = {} } = service;
  const annotations = annotationsOf(metadata, reading);
  // A Service has no host but in its annotations.
  if (reading.hostnames === 'Spec' || isForeign(annotations) || !isRead(metadata, reading)) return undefined;
  if (!serviceTypes.includes(spec.type ?? 'ClusterIP')) return undefined;
  const hosts = listIn(annotations('hostname'));
  const internal = listIn(annotations('internal-hostname'));
  const all = hostsOf([...hosts, ...internal]);
  const given = givenTargets(annotations);
  if (given.length > 0) return claimOf('service', metadata, all, targetsOf(given));
  const own = ownTargets(service, hosts.length > 0, internal.length > 0);
  const claim = claimOf('service', metadata, [...all, ...servicePorts(service, all)], own && targetsOf(own));
  return claim && isHeadless(service) ? { ...claim, below: true } : claim;
}

/** Undefined where they are those of Pods or Nodes. */
function ownTargets(service: Service, isPublished: boolean, isInternal: boolean): string[] | undefined {
  const { type, clusterIP = '', externalName = '', externalIPs } = service.spec ?? {};
  if (isHeadless(service) || type === 'NodePort') return undefined;
  const outside = externalIPs?.length ? [...externalIPs] : undefined;
  if (type === 'ExternalName') return outside ?? [externalName];
  if (type !== 'LoadBalancer') return [clusterIP];
  const published = outside ?? loadBalancerTargets(service.status?.loadBalancer);
  return [...(isPublished ? published : []), ...(isInternal ? [clusterIP] : [])];
}

/** Its Pods answer for it, and each with a `hostname` for the name below. */
const isHeadless = ({ spec }: Service) => spec?.type !== 'ExternalName' && spec?.clusterIP === 'None';

/** SRV records (RFC 2782) of the ports that a Service has on the nodes. */
function servicePorts({ metadata, spec }: Service, hosts: string[]): string[] {
  if (spec?.type !== 'NodePort') return [];
  const protocols = (spec.ports ?? []).filter((p) => p.nodePort).map(({ protocol = 'TCP' }) => protocol.toLowerCase());
  return hosts.flatMap((host) => [...new Set(protocols)].map((protocol) => `_${metadata.name}._${protocol}.${host}`));
}
