import { group, version } from './kinds/group.ts';

/** An API resource, in the version that ExternalDNS v0.23 watches: it looks for no other. */
export interface ApiResource {
  /** Empty for the core group. */
  group: string;
  version: string;
  plural: string;
}

export interface SourceResource extends ApiResource {
  /** What ExternalDNS calls the kind in its label `resource`: `ingress/shop/web`. */
  label: string;
}

/** https://gateway-api.sigs.k8s.io/reference/spec/ */
export const gatewayGroup = 'gateway.networking.k8s.io';

export const gateways: ApiResource = { group: gatewayGroup, version: 'v1', plural: 'gateways' };
export const listenerSets: ApiResource = { ...gateways, plural: 'listenersets' };

/** A kind of this project, which the agent reads and ExternalDNS does not know. */
const ownResource = (label: string): SourceResource => ({ label, group, version, plural: `${label}s` });

const route = (label: string, version = 'v1'): SourceResource => ({
  label,
  group: gatewayGroup,
  version,
  plural: `${label}s`,
});

/** The kinds of which both the function and the agent read objects, by `spec.discovery.sources[].kind`. */
export const sourceResources = {
  Ingress: { label: 'ingress', group: 'networking.k8s.io', version: 'v1', plural: 'ingresses' },
  Service: { label: 'service', group: '', version: 'v1', plural: 'services' },
  HTTPRoute: route('httproute'),
  GRPCRoute: route('grpcroute'),
  TLSRoute: route('tlsroute'),
  TCPRoute: route('tcproute', 'v1alpha2'),
  UDPRoute: route('udproute', 'v1alpha2'),
  DNSEndpoint: { label: 'crd', group: 'externaldns.k8s.io', version: 'v1alpha1', plural: 'dnsendpoints' },
  Machine: ownResource('machine'),
  NameClaim: ownResource('nameclaim'),
  Zone: ownResource('zone'),
} as const satisfies Record<string, SourceResource>;

const own: ReadonlySet<string> = new Set(['Machine', 'NameClaim', 'Zone'] satisfies (keyof typeof sourceResources)[]);

/** Reports whether a kind is of this project, so that ExternalDNS does not know it. */
export const isOwnKind = (kind: string): boolean => own.has(kind);

const checking: ReadonlySet<string> = new Set(['NameClaim', 'Zone'] satisfies (keyof typeof sourceResources)[]);

/** Reports whether teams can have addresses checked with objects of these sources, but none of a Service. */
export const mayCheck = (sources: readonly { kind: string }[]): boolean =>
  sources.some(({ kind }) => checking.has(kind));

/** Name of a resource in declarations and reports: `httproutes.v1.gateway.networking.k8s.io`. */
export const resourceName = ({ group, version, plural }: ApiResource): string => `${plural}.${version}.${group}`;

/** https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/annotations/annotations.go */
export const annotationPrefix = 'external-dns.kubernetes.io/';
/** ExternalDNS's own until v0.22, and still read; the new one overrides it. */
export const legacyAnnotationPrefix = 'external-dns.alpha.kubernetes.io/';
