/**
 * The kinds of objects that can be discovered: what ExternalDNS v0.23 (source/*.go) needs for each, and those that only the
 * agent reads.
 */
import { gateways, resourceName, sourceResources } from '../../contract/source-kinds.ts';

/** The versions and groups that ExternalDNS watches, for resources that only the function refers to. */
const watched = {
  istio: 'v1.networking.istio.io',
  contour: 'v1.projectcontour.io',
  traefik: 'v1alpha1.traefik.io',
  openshift: 'v1.route.openshift.io',
} as const;

/** Why a kind cannot be watched in only some namespaces. */
export const clusterWide = {
  routes:
    'ExternalDNS reads the Namespaces of the whole cluster for routes, so it cannot be limited to some: leave namespaces out and restrict names with tenants, or use gatewayNamespace',
  nodes: 'a Node belongs to no namespace: leave namespaces out, or give Nodes an InternalDNS of their own',
  onNodes:
    'the addresses of Pods and of Services of type NodePort are those of Nodes, which belong to no namespace: leave namespaces out',
} as const;

type ClusterWide = keyof typeof clusterWide;

const install = {
  gateway: 'install the Gateway API: https://gateway-api.sigs.k8s.io/guides/#installing-gateway-api',
  layer4:
    'ExternalDNS v0.23 watches this version, which the experimental channel of the Gateway API has before 1.6 and no channel later: leave the source out, or use annotated Services',
  endpoint:
    'install the CRD: https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/config/crd/standard/dnsendpoints.externaldns.k8s.io.yaml',
  istio: 'install Istio: https://istio.io/latest/docs/setup/install/',
  contour: 'install Contour: https://projectcontour.io/getting-started/',
  traefik: 'install Traefik 3: https://doc.traefik.io/traefik/getting-started/install-traefik/',
  openshift: 'only available on OpenShift',
  own: 'apply its definition: kubectl apply -R -f configuration (docs/machines.md, docs/zones.md)',
  any: 'install the API that defines it, or correct the name in resources',
} as const;

/** The fields of a source that only some kinds have. */
export type Filter =
  | 'ingressClassNames'
  | 'serviceTypes'
  | 'gatewayName'
  | 'gatewayNamespace'
  | 'gatewayLabels'
  | 'resources';

interface SourceKind {
  /** The value of ExternalDNS's --source. Absent if only the agent reads the kind. */
  flag?: string;
  /** The resources that CRDs have to provide, as `plural.version.group`. */
  resources?: readonly string[];
  /** How to install them. */
  install?: string;
  clusterWide?: ClusterWide;
  filters?: readonly Filter[];
  /** Whether hosts come from annotations only, or ExternalDNS reads annotations in any case. */
  hostless?: true;
}

const route = (kind: keyof typeof sourceResources, channel: 'gateway' | 'layer4' = 'gateway'): SourceKind => ({
  flag: `gateway-${sourceResources[kind].label}`,
  resources: [gateways, sourceResources[kind]].map(resourceName),
  install: install[channel],
  clusterWide: 'routes',
  filters: ['gatewayName', 'gatewayNamespace', 'gatewayLabels'],
  ...(channel === 'layer4' && { hostless: true }),
});

const own = (kind: 'Machine' | 'NameClaim' | 'Zone'): SourceKind => ({
  resources: [resourceName(sourceResources[kind])],
  install: install.own,
});

/** By the kind in `spec.discovery.sources`. */
const sourceKinds = {
  Ingress: { flag: 'ingress', filters: ['ingressClassNames'] },
  Service: { flag: 'service', filters: ['serviceTypes'], hostless: true },
  HTTPRoute: route('HTTPRoute'),
  GRPCRoute: route('GRPCRoute'),
  TLSRoute: route('TLSRoute'),
  TCPRoute: route('TCPRoute', 'layer4'),
  UDPRoute: route('UDPRoute', 'layer4'),
  DNSEndpoint: { flag: 'crd', resources: [resourceName(sourceResources.DNSEndpoint)], install: install.endpoint },
  // The template that disables annotations also replaces the names of Nodes: source/node.go.
  Node: { flag: 'node', clusterWide: 'nodes', hostless: true },
  Pod: { flag: 'pod', clusterWide: 'onNodes', hostless: true },
  IstioGateway: { flag: 'istio-gateway', resources: [`gateways.${watched.istio}`], install: install.istio },
  IstioVirtualService: {
    flag: 'istio-virtualservice',
    resources: [`gateways.${watched.istio}`, `virtualservices.${watched.istio}`],
    install: install.istio,
  },
  HTTPProxy: { flag: 'contour-httpproxy', resources: [`httpproxies.${watched.contour}`], install: install.contour },
  TraefikProxy: {
    flag: 'traefik-proxy',
    resources: ['ingressroutes', 'ingressroutetcps', 'ingressrouteudps'].map(
      (plural) => `${plural}.${watched.traefik}`,
    ),
    install: install.traefik,
  },
  OpenShiftRoute: { flag: 'openshift-route', resources: [`routes.${watched.openshift}`], install: install.openshift },
  Machine: own('Machine'),
  NameClaim: own('NameClaim'),
  Zone: own('Zone'),
  Unstructured: { flag: 'unstructured', install: install.any, filters: ['resources'], hostless: true },
} as const satisfies Record<string, SourceKind>;

export type Kind = keyof typeof sourceKinds;

export const allKinds = Object.keys(sourceKinds) as Kind[];

export const sourceKind = (kind: Kind): SourceKind => sourceKinds[kind];

/** Whether the agent reads the objects of a kind, too. */
export const isReadByAgent = (kind: Kind): boolean => kind in sourceResources;

/** The kinds that satisfy a predicate. */
export const kindsWith = (predicate: (kind: SourceKind) => boolean): Kind[] =>
  allKinds.filter((kind) => predicate(sourceKind(kind)));

/** The routes of the Gateway API. ExternalDNS has one set of flags for all of them. */
export const routes = kindsWith(({ clusterWide }) => clusterWide === 'routes');
