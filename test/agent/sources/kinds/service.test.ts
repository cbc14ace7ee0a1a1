import { describe, expect, test } from 'vitest';
import { fromService, type Service } from '../../../../functions/agent/sources/kinds/service.ts';
import { annotated, both, lineOf, metadata } from './object.ts';

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
  [
    'another controller’s is left out',
    { hostname, controller: 'other' },
    { type: 'LoadBalancer' },
    'web.corp.internal. left out: the annotation external-dns.kubernetes.io/controller assigns it to another controller: remove it, or set it to dns-controller',
  ],
  ['another controller’s without a name is nothing', { controller: 'other' }, { type: 'LoadBalancer' }, 'no claim'],
])('%s', (_, annotations, spec, line) => {
  expect(lineOf(fromService(service(annotations, spec, metalLB), both, { serviceTypes }))).toBe(line);
});

test('external and internal hostnames of a load balancer have their own targets', () => {
  const both3 = {
    hostname: 'web.corp.internal,two.corp.internal',
    'internal-hostname': `${internal},two.corp.internal`,
    ttl: '5m',
  };
  const [sourceObject] = fromService(service(both3, { type: 'LoadBalancer' }, metalLB), both);
  expect([...(sourceObject?.parts ?? [])].filter(([key]) => key.endsWith(' A'))).toEqual([
    ['web.corp.internal. A', { targets: ['198.51.100.8'], ttl: 300 }],
    ['two.corp.internal. A', { targets: ['198.51.100.8', '198.19.4.2'], ttl: 300 }],
    ['web-in.corp.internal. A', { targets: ['198.19.4.2'], ttl: 300 }],
  ]);
  const others: [Record<string, string>, Spec?][] = [
    [{ hostname }],
    [{ 'internal-hostname': internal }],
    [{ ...names, target: '192.0.2.9' }],
    [names, { type: 'ClusterIP' }],
    [names, { externalIPs: ['198.19.4.2'] }],
  ];
  for (const [one, spec] of others) {
    const [sourceObject] = fromService(service(one, { type: 'LoadBalancer', ...spec }, metalLB), both, {
      serviceTypes,
    });
    expect(sourceObject?.hosts.length).toBeGreaterThan(0);
    expect(sourceObject).not.toHaveProperty('parts');
  }
});

test('a load balancer without an address has no external targets yet, and its internal ones', () => {
  const read = (annotations: Record<string, string>) =>
    fromService(service(annotations, { type: 'LoadBalancer' }), both);
  expect(lineOf(read({ hostname }))).toBe('web.corp.internal. > none');
  const parts = read(names)[0]?.parts;
  expect(['web', 'web-in'].map((name) => parts?.get(`${name}.corp.internal. A`)?.targets)).toEqual([
    [],
    ['198.19.4.2'],
  ]);
});

describe('if ExternalDNS resolves the hostname of a load balancer', () => {
  const aws = { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }] } };
  const unknown = 'web.corp.internal. > unknown';
  test.each<[string, Record<string, string>, Spec, Service['status'], string]>([
    ['only ExternalDNS knows the addresses', { hostname }, {}, aws, unknown],
    [
      'they are unknown beside an address of its own',
      { hostname },
      {},
      { loadBalancer: { ingress: [{ ip: '198.51.100.8' }, { ip: '', hostname: 'lb.example.com' }] } },
      unknown,
    ],
    ['an address is that address', { hostname }, {}, metalLB, 'web.corp.internal. > 198.51.100.8'],
    ['there is none yet', { hostname }, {}, {}, 'web.corp.internal. > none'],
    [
      'external addresses come before it',
      { hostname },
      { externalIPs: ['192.0.2.5'] },
      aws,
      'web.corp.internal. > 192.0.2.5',
    ],
    [
      'so does the target annotation',
      { hostname, target: 'lb.example.com' },
      {},
      aws,
      'web.corp.internal. > lb.example.com.',
    ],
    [
      'inside it has its cluster address',
      { 'internal-hostname': internal },
      {},
      aws,
      'web-in.corp.internal. > 198.19.4.2',
    ],
    ['of both names nothing is known', names, {}, aws, 'web.corp.internal. web-in.corp.internal. > unknown'],
    [
      'an ExternalName has that name all the same',
      { hostname },
      { type: 'ExternalName', externalName: 'db.example.com' },
      aws,
      'web.corp.internal. > db.example.com.',
    ],
  ])('%s', (_, annotations, spec, status, line) => {
    const object = service(annotations, { type: 'LoadBalancer', ...spec }, status);
    expect(lineOf(fromService(object, both, { serviceTypes, resolvesHostnames: true }))).toBe(line);
  });

  test('otherwise the target is the hostname', () => {
    const read = fromService(service({ hostname }, { type: 'LoadBalancer' }, aws), both);
    expect(lineOf(read)).toBe('web.corp.internal. > lb.example.com.');
  });
});

test('only headless Services and NodePorts have the targets of Pods or Nodes', () => {
  const ofPodsOrNodes = (spec: Spec) => {
    const object = service({ hostname }, spec, { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }] } });
    return fromService(object, both, { serviceTypes, resolvesHostnames: true })[0]?.ofPodsOrNodes;
  };
  const specs: Spec[] = [
    { type: 'ClusterIP', clusterIP: 'None' },
    { type: 'NodePort' },
    { type: 'ClusterIP' },
    { type: 'LoadBalancer' },
    { type: 'ExternalName', externalName: 'db.example.com' },
  ];
  expect(specs.map(ofPodsOrNodes)).toEqual([true, true, undefined, undefined, undefined]);
});

test('only a headless Service owns the names of its Pods', () => {
  const below = (clusterIP: string) =>
    fromService(service({ hostname }, { type: 'ClusterIP', clusterIP }), both, { serviceTypes })[0]?.below;
  expect([below('None'), below('198.19.4.2')]).toEqual([true, undefined]);
});

test.each<[string | undefined, string, string[] | undefined]>([
  ['LoadBalancer', 'LoadBalancer', undefined],
  ['ClusterIP', 'LoadBalancer', undefined],
  [undefined, 'LoadBalancer, ExternalName', ['LoadBalancer', 'ExternalName']],
  ['ClusterIP', 'ClusterIP', ['ClusterIP']],
  ['LoadBalancer', 'ClusterIP', ['ClusterIP']],
  ['NodePort', 'ClusterIP', ['ClusterIP']],
])('of type %s it is left out where only %s counts, unless that is the same', (type, only, types) => {
  const [sourceObject] = fromService(service(names, { ...(type && { type }), ports: [{ nodePort: 30080 }] }), both, {
    serviceTypes: types,
  });
  const why = `discovery.sources[Service].serviceTypes selects only ${only}, and it is of type ${type ?? 'ClusterIP'}: change its type, or that field`;
  expect([sourceObject?.filteredBy, sourceObject?.hosts]).toEqual([
    type === only ? undefined : why,
    ['web.corp.internal.', 'web-in.corp.internal.'],
  ]);
});

test('a Service has no hosts if annotations are ignored', () => {
  expect(lineOf(fromService(service(names, { type: 'LoadBalancer' }), { hostnames: 'Spec' }))).toBe(
    'web.corp.internal. web-in.corp.internal. left out: discovery.hostnames is Spec, so names in annotations are ignored: write the host into the spec, or change that field',
  );
});

test('its source object has its name and uid', () => {
  const [sourceObject] = fromService(service(names, { type: 'LoadBalancer' }), both);
  expect(sourceObject).toMatchObject({ resource: 'service/shop/web', namespace: 'shop', uid: metadata().uid });
});
