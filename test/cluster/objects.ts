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

export const configMap = (name: string, data: Record<string, string>): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'internal-dns' },
  data,
});

export function internalDNS(name: string, spec: object): KubernetesObject {
  return { apiVersion: 'dns.internal/v1alpha1', kind: 'InternalDNS', metadata: { name }, spec };
}
