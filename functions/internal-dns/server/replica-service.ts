import { isIP } from 'node:net';
import type { Spec } from '../spec.ts';
import { serviceNamed } from './service-schema.ts';

/** Whether clients are to reach each replica through a Service of its own. With a resolver they reach that instead. */
export function hasReplicaServices(spec: Spec): boolean {
  if (spec.resolver) return false;
  return spec.replicas > 1 && spec.replicaServices.mode === 'Each' && advertisedOf(spec).protocols.length > 1;
}

/**
 * The settings of the Service of each replica, by ordinal: those of the advertised one, without what only one Service can
 * have, and with what the spec says of this replica.
 */
export function replicaServicesOf(spec: Spec): Spec['service'][] {
  const { tailscale, ...advertised } = advertisedOf(spec);
  return Array.from({ length: spec.replicas }, (_, ordinal) => {
    const { annotations = {}, loadBalancerIP, addresses = [] } = spec.replicaServices.overrides[ordinal] ?? {};
    return {
      ...advertised,
      annotations: { ...shareable(advertised.annotations), ...annotations },
      loadBalancerIP,
      addresses,
      nodePort: undefined,
      clusterIP: undefined,
      ...(tailscale && { tailscale: machineOf(tailscale, ordinal) }),
    };
  });
}

/**
 * The settings of the same Services for the resolver, which asks each replica at an address that stays. Kubernetes cannot
 * change the first IP family of a Service that was there for clients.
 */
export const backendServicesOf = (spec: Spec): Spec['service'][] =>
  replicaServicesOf(spec).map(({ labels, ipFamilies, ipFamilyPolicy }) => ({
    type: 'ClusterIP',
    annotations: {},
    labels,
    protocols: ['UDP', 'TCP'],
    loadBalancerSourceRanges: [],
    ipFamilies,
    ipFamilyPolicy,
    addresses: [],
  }));

export const replicaKey = (ordinal: number) => `services/replicas/${ordinal}`;

const advertisedOf = (spec: Spec): Spec['service'] => serviceNamed(spec, spec.advertise);

function machineOf(tailscale: NonNullable<Spec['service']['tailscale']>, ordinal: number) {
  const { hostname } = tailscale;
  // A label has at most 63 characters.
  return hostname === undefined ? tailscale : { ...tailscale, hostname: `${hostname.slice(0, 61)}-${ordinal}` };
}

/** Annotations that name what a load balancer has only once, or that let Services share an address. */
const unique = new Set([
  'service.beta.kubernetes.io/aws-load-balancer-name',
  'service.beta.kubernetes.io/aws-load-balancer-eip-allocations',
  'service.beta.kubernetes.io/azure-pip-name',
  'service.beta.kubernetes.io/azure-pip-name-ipv6',
  'service.beta.kubernetes.io/azure-dns-label-name',
  'networking.gke.io/load-balancer-ip-addresses',
  'metallb.io/allow-shared-ip',
  'metallb.universe.tf/allow-shared-ip',
  'lbipam.cilium.io/sharing-key',
  'tailscale.com/hostname',
]);

/** Without what would give a second Service the address, the machine or the hosts of the first one. */
const shareable = (annotations: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(annotations).filter(
      ([key, value]) => !unique.has(key) && !/^external-dns\./.test(key) && !isAddressList(value),
    ),
  );

const isAddressList = (value: string) => value.split(',').every((each) => isIP(each.trim()) !== 0);
