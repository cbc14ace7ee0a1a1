import { expect, test } from 'vitest';
import { type Service, serviceClaim } from '../../../functions/agent/view/service.ts';
import { annotated, both, lineOf } from './claims.ts';

type Spec = NonNullable<Service['spec']>;
const serviceTypes = ['LoadBalancer', 'ClusterIP', 'NodePort', 'ExternalName'];
const [hostname, internal] = ['web.corp.internal', 'web-in.corp.internal'];
const names = { hostname, 'internal-hostname': internal };

const service = (annotations: Record<string, string>, spec: Spec, status?: Service['status']): Service => ({
  metadata: annotated(annotations),
  spec: { clusterIP: '198.19.4.2', ...spec },
  ...(status && { status }),
});
const metalLB = { loadBalancer: { ingress: [{ ip: '198.51.100.8' }] } };

test.each<[string, Record<string, string>, Spec, string]>([
  [
    'a LoadBalancer has what its status says',
    { hostname },
    { type: 'LoadBalancer' },
    'web.corp.internal. > 198.51.100.8',
  ],
  [
    'external addresses come before the status',
    { hostname },
    { type: 'LoadBalancer', externalIPs: ['192.0.2.5', '2001:DB8::5'] },
    'web.corp.internal. > 192.0.2.5 2001:db8::5',
  ],
  [
    'inside it has its cluster address',
    { 'internal-hostname': internal },
    { type: 'LoadBalancer' },
    'web-in.corp.internal. > 198.19.4.2',
  ],
  [
    'with both names it has both',
    names,
    { type: 'LoadBalancer' },
    'web.corp.internal. web-in.corp.internal. > 198.51.100.8 198.19.4.2',
  ],
  [
    'the target annotation replaces all of them',
    { ...names, target: 'nat.example' },
    { type: 'LoadBalancer' },
    'web.corp.internal. web-in.corp.internal. > nat.example.',
  ],
  [
    'a ClusterIP has its own',
    { 'internal-hostname': internal },
    { type: 'ClusterIP' },
    'web-in.corp.internal. > 198.19.4.2',
  ],
  ['a ClusterIP that is published has its own', { hostname }, { type: 'ClusterIP' }, 'web.corp.internal. > 198.19.4.2'],
  [
    'a headless one has those of Pods',
    { hostname },
    { type: 'ClusterIP', clusterIP: 'None' },
    'web.corp.internal. > unknown',
  ],
  [
    'a headless one may have targets of its own',
    { hostname, target: '192.0.2.9' },
    { type: 'ClusterIP', clusterIP: 'None' },
    'web.corp.internal. > 192.0.2.9',
  ],
  [
    'a NodePort has those of Nodes, and the names of its ports',
    { hostname },
    { type: 'NodePort', ports: [{ nodePort: 30053, protocol: 'UDP' }, { nodePort: 30080 }, {}] },
    'web.corp.internal. _web._udp.web.corp.internal. _web._tcp.web.corp.internal. > unknown',
  ],
  [
    'a NodePort may have targets of its own, and no names of ports then',
    { hostname, target: '192.0.2.9' },
    { type: 'NodePort', ports: [{ nodePort: 30080 }] },
    'web.corp.internal. > 192.0.2.9',
  ],
  [
    'an ExternalName has that name',
    { hostname },
    { type: 'ExternalName', externalName: 'db.Example.com' },
    'web.corp.internal. > db.example.com.',
  ],
  [
    'an ExternalName may have addresses',
    { hostname },
    { type: 'ExternalName', externalName: 'db.example.com', externalIPs: ['192.0.2.4'] },
    'web.corp.internal. > 192.0.2.4',
  ],
  ['without an annotation there is no claim', {}, { type: 'LoadBalancer' }, 'no claim'],
  ['another controller’s makes no claim', { hostname, controller: 'other' }, { type: 'LoadBalancer' }, 'no claim'],
])('%s', (_, annotations, spec, line) => {
  expect(lineOf(serviceClaim(service(annotations, spec, metalLB), both, { serviceTypes }))).toBe(line);
});

test('each name of a load balancer has its own targets where it has names inside and outside', () => {
  const both3 = {
    hostname: 'web.corp.internal,two.corp.internal',
    'internal-hostname': `${internal},two.corp.internal`,
    ttl: '5m',
  };
  const claim = serviceClaim(service(both3, { type: 'LoadBalancer' }, metalLB), both);
  expect([...(claim?.parts ?? [])].filter(([key]) => key.endsWith(' A'))).toEqual([
    ['web.corp.internal. A', { targets: ['198.51.100.8'], ttl: 300 }],
    ['two.corp.internal. A', { targets: ['198.51.100.8', '198.19.4.2'], ttl: 300 }],
    ['web-in.corp.internal. A', { targets: ['198.19.4.2'], ttl: 300 }],
  ]);
  const others: Record<string, string>[] = [
    { hostname },
    { 'internal-hostname': internal },
    { ...names, target: '192.0.2.9' },
  ];
  for (const one of others) {
    expect(serviceClaim(service(one, { type: 'LoadBalancer' }, metalLB), both)?.parts).toBeUndefined();
  }
});

test('a load balancer that has no address yet leaves a claim without targets', () => {
  expect(lineOf(serviceClaim(service({ hostname }, { type: 'LoadBalancer' }), both))).toBe('web.corp.internal. > none');
});

test('the names of its Pods are a headless Service’s too, and no other’s', () => {
  const below = (clusterIP: string) =>
    serviceClaim(service({ hostname }, { type: 'ClusterIP', clusterIP }), both, { serviceTypes })?.below;
  expect([below('None'), below('198.19.4.2')]).toEqual([true, undefined]);
});

test.each<[string, string, string[] | undefined, boolean]>([
  ['LoadBalancer', 'LoadBalancer', undefined, true],
  ['ClusterIP', 'LoadBalancer', undefined, false],
  ['ClusterIP', 'ClusterIP', ['ClusterIP'], true],
  ['LoadBalancer', 'ClusterIP', ['ClusterIP'], false],
])('type %s counts among %s: %s', (type, _, types, counts) => {
  const claim = serviceClaim(service(names, { type }), both, { serviceTypes: types });
  expect(claim !== undefined).toBe(counts);
});

test('where annotations name no host, a Service has none', () => {
  expect(serviceClaim(service(names, { type: 'LoadBalancer' }), { hostnames: 'Spec' })).toBeUndefined();
});

test('what it claims is called after it', () => {
  const { resource, namespace } = serviceClaim(service(names, { type: 'LoadBalancer' }), both) ?? {};
  expect([resource, namespace]).toEqual(['service/shop/web', 'shop']);
});
