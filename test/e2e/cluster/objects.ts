import type { KubernetesObject } from '../../../functions/cdk8s-function-xp/composition.ts';

/** The annotation with the address or name that hosts resolve to. */
export const target = 'external-dns.alpha.kubernetes.io/target';
export const hostname = 'external-dns.alpha.kubernetes.io/hostname';

interface IngressOptions {
  name: string;
  hosts: string[];
  namespace?: string;
  annotations?: Record<string, string>;
}

/** Constructors of source objects in a namespace. */
export type Objects = ReturnType<typeof objectsIn>;

const gatewayAPI = 'gateway.networking.k8s.io/v1';

export const objectsIn = (home: string) => ({
  ingress({ name, hosts, namespace = home, annotations = {} }: IngressOptions): KubernetesObject {
    const backend = { service: { name: 'web', port: { number: 80 } } };
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, namespace, annotations },
      spec: {
        defaultBackend: backend,
        rules: hosts.map((host) => ({ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } })),
      },
    };
  },

  service: (name: string, spec: object, metadata: object = {}): KubernetesObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: home, ...metadata },
    spec: { ports: [{ port: 80 }], ...spec },
  }),

  gateway: (name: string): KubernetesObject => ({
    apiVersion: gatewayAPI,
    kind: 'Gateway',
    metadata: { name, namespace: home },
    spec: {
      gatewayClassName: 'any',
      listeners: [
        { name: 'http', port: 80, protocol: 'HTTP' },
        { name: 'tls', port: 443, protocol: 'TLS', tls: { mode: 'Passthrough' } },
      ],
    },
  }),

  /** A route of the Gateway `front`. */
  route: (kind: string, name: string, hostnames: string[]): KubernetesObject => ({
    apiVersion: gatewayAPI,
    kind,
    metadata: { name, namespace: home },
    spec: {
      parentRefs: [{ name: 'front' }],
      hostnames,
      rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
    },
  }),

  /** Endpoints as `[name, type, ...targets]`. */
  dnsEndpoint: (name: string, endpoints: string[][]): KubernetesObject => ({
    apiVersion: 'externaldns.k8s.io/v1alpha1',
    kind: 'DNSEndpoint',
    metadata: { name, namespace: home },
    spec: {
      endpoints: endpoints.map(([dnsName, recordType, ...targets]) => ({ dnsName, recordType, targets })),
    },
  }),
});

/** A ConfigMap in the servers' namespace with a zone file of 10,000 records under the key `zone`; `last` is the last one. */
export function largeZoneFile(name: string, last: string): KubernetesObject {
  const hosts = Array.from({ length: 9_999 }, (_, index) => `host-${index} A 198.18.${index >> 8}.${index & 255}`);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'internal-dns' },
    data: { zone: ['$TTL 60', ...hosts, last, ''].join('\n') },
  };
}

/** Marks objects that the next run deletes; the value is the scenario. */
export const scenarioLabel = 'e2e.dns.internal/scenario';

/** Tests query from a node, which a NetworkPolicy keeps out of the Pods of other nodes. */
const statusPage = { from: ['0.0.0.0/0', '::/0'].map((cidr) => ({ ipBlock: { cidr } })) };

/** An InternalDNS whose status page is open to the tests, unless its spec has a `statusPage`. */
export function internalDNS(name: string, spec: object): KubernetesObject {
  return {
    apiVersion: 'dns.internal/v1alpha1',
    kind: 'InternalDNS',
    metadata: { name },
    spec: { statusPage, ...spec },
  };
}

/** The networks of all clients: a resolver that forwards takes no network of length 0. */
export const everybody = ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'];
