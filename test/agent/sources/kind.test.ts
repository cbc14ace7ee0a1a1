import { expect, test } from 'vitest';
import { kinds, referenceOf } from '../../../functions/agent/sources/kind.ts';

const known: [string, string, string][] = [
  ['ingress', 'networking.k8s.io/v1', 'Ingress'],
  ['service', 'v1', 'Service'],
  ['httproute', 'gateway.networking.k8s.io/v1', 'HTTPRoute'],
  ['grpcroute', 'gateway.networking.k8s.io/v1', 'GRPCRoute'],
  ['tlsroute', 'gateway.networking.k8s.io/v1', 'TLSRoute'],
  ['tcproute', 'gateway.networking.k8s.io/v1alpha2', 'TCPRoute'],
  ['udproute', 'gateway.networking.k8s.io/v1alpha2', 'UDPRoute'],
  ['crd', 'externaldns.k8s.io/v1alpha1', 'DNSEndpoint'],
  ['machine', 'dns.internal/v1alpha1', 'Machine'],
  ['nameclaim', 'dns.internal/v1alpha1', 'NameClaim'],
  ['zone', 'dns.internal/v1alpha1', 'Zone'],
];

test.each(known)('%s refers to %s %s', (label, apiVersion, kind) => {
  const name = 'web.v1';
  expect(referenceOf(`${label}/shop/${name}`, 'u1')).toEqual({ apiVersion, kind, namespace: 'shop', name, uid: 'u1' });
});

test('every kind has a reference', () => {
  expect(known.map(([label]) => label)).toEqual(Object.values(kinds).map(({ label }) => label));
});

test.each(['node/worker-1', 'pod/shop/web', 'constructor/shop/web', 'ingress', 'ingress/', '', 'kind//name'])(
  '%j has no reference',
  (resource) => {
    expect(referenceOf(resource, 'u1')).toBeUndefined();
  },
);

test('the reference of an object without a namespace has none', () => {
  expect(referenceOf('ingress/web', 'u1')).not.toHaveProperty('namespace');
});
