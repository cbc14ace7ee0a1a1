import type { DeclaredSource } from '../../contract/declaration.ts';
import type { SourceFilters } from './kinds/annotation.ts';
import { fromDNSEndpoint } from './kinds/dns-endpoint.ts';
import { fromIngress } from './kinds/ingress.ts';
import { type Route, routeOf } from './kinds/route.ts';
import { fromService } from './kinds/service.ts';
import type { SourceObject } from './source-object.ts';

/** Where the API server has the objects of a kind. */
export interface Resource {
  /** The path of its group and version. */
  api: string;
  plural: string;
}

/** A kind of object whose claims are read. */
export interface Kind extends Resource {
  /** What ExternalDNS calls it in the label `resource`. */
  label: string;
  read: (object: never, filters: SourceFilters, source: DeclaredSource) => SourceObject[] | Route;
}

const gatewayAPI = '/apis/gateway.networking.k8s.io';

export const gateways: Resource = { api: `${gatewayAPI}/v1`, plural: 'gateways' };
export const namespaces: Resource = { api: '/api/v1', plural: 'namespaces' };

/** In the versions that ExternalDNS v0.23 asks for: it looks for no other. */
export const kinds: Readonly<Record<string, Kind>> = {
  Ingress: { label: 'ingress', api: '/apis/networking.k8s.io/v1', plural: 'ingresses', read: fromIngress },
  Service: { label: 'service', api: '/api/v1', plural: 'services', read: fromService },
  HTTPRoute: route('httproute', 'v1'),
  GRPCRoute: route('grpcroute', 'v1'),
  TLSRoute: route('tlsroute', 'v1'),
  TCPRoute: route('tcproute', 'v1alpha2'),
  UDPRoute: route('udproute', 'v1alpha2'),
  DNSEndpoint: {
    label: 'crd',
    api: '/apis/externaldns.k8s.io/v1alpha1',
    plural: 'dnsendpoints',
    read: fromDNSEndpoint,
  },
};

function route(label: string, version: string): Kind {
  return { label, api: `${gatewayAPI}/${version}`, plural: `${label}s`, read: routeOf };
}

/** Whether the claims of a kind are a matter of its Gateways, too. */
export const isRoute = ({ read }: Kind) => read === routeOf;

/** The path of the objects in one namespace, or in all of them. */
export const pathOf = ({ api, plural }: Resource, namespace = '') =>
  namespace ? `${api}/namespaces/${namespace}/${plural}` : `${api}/${plural}`;
