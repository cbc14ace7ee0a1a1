import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';

/** Where the tests' own objects live: another namespace than the server's. */
export const shop = 'e2e-shop';

interface IngressOptions {
  name: string;
  hosts: string[];
  namespace?: string;
  annotations?: Record<string, string>;
}

/** The annotation that says which address or name a host gets. */
export const target = 'external-dns.alpha.kubernetes.io/target';
export const hostname = 'external-dns.alpha.kubernetes.io/hostname';

export function ingress({ name, hosts, namespace = shop, annotations = {} }: IngressOptions): KubernetesObject {
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
}

/** Another team's. */
export const market = 'e2e-market';

export function service(name: string, spec: object, metadata: object = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: shop, ...metadata },
    spec: { ports: [{ port: 80 }], ...spec },
  };
}

const gatewayAPI = 'gateway.networking.k8s.io/v1';

export const gateway = (name: string): KubernetesObject => ({
  apiVersion: gatewayAPI,
  kind: 'Gateway',
  metadata: { name, namespace: shop },
  spec: {
    gatewayClassName: 'any',
    listeners: [
      { name: 'http', port: 80, protocol: 'HTTP' },
      { name: 'tls', port: 443, protocol: 'TLS', tls: { mode: 'Passthrough' } },
    ],
  },
});

/** A route through the Gateway `front`. */
export const route = (kind: string, name: string, hostnames: string[]): KubernetesObject => ({
  apiVersion: gatewayAPI,
  kind,
  metadata: { name, namespace: shop },
  spec: {
    parentRefs: [{ name: 'front' }],
    hostnames,
    rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
  },
});

/** Endpoints as `[name, type, ...targets]`. */
export const dnsEndpoint = (name: string, endpoints: string[][], namespace = shop): KubernetesObject => ({
  apiVersion: 'externaldns.k8s.io/v1alpha1',
  kind: 'DNSEndpoint',
  metadata: { name, namespace },
  spec: {
    endpoints: endpoints.map(([dnsName, recordType, ...targets]) => ({ dnsName, recordType, targets })),
  },
});

export const configMap = (name: string, data: Record<string, string>): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'internal-dns' },
  data,
});

export function internalDNS(name: string, spec: object): KubernetesObject {
  return { apiVersion: 'dns.internal/v1alpha1', kind: 'InternalDNS', metadata: { name }, spec };
}
