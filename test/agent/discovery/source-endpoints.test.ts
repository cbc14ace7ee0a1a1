/** The endpoints that the agent works out, compared with those of ExternalDNS's sources. */
import { expect, test } from 'vitest';
import { type DesiredRecordsOptions, desiredRecordsAt } from '../../../functions/agent/discovery/desired-records.ts';
import { type Endpoint, nameOf } from '../../../functions/agent/discovery/endpoint.ts';
import { endpointsAt } from '../../../functions/agent/discovery/source-endpoints.ts';
import type { SourceObject } from '../../../functions/agent/sources/source-object.ts';
import { discoverable } from '../../../functions/contract/declaration.ts';
import { sourceResources } from '../../../functions/contract/source-kinds.ts';
import type { DiscoveryChanges } from '../../contract/declared.ts';
import { endpointsOf, needsPodsOrNodes, type SourceFlags } from '../external-dns-sources.ts';
import { declare } from '../make.ts';
import { binary, hear } from '../real-external-dns.ts';
import { MemorySources } from '../sources/generated/memory-sources.ts';
import { type GeneratedObject, generate, generateGateways, routeKinds } from '../sources/generated/objects.ts';
import { randomFrom } from '../sources/generated/random.ts';

/** The one that first showed how Services are merged. Any other is worth a try, too. */
const seed = Number(process.env.SEED ?? 763_854);
console.log(`SEED=${seed} generates the same objects`);

/** The source of every kind that the agent reads. */
export const everySource = Object.keys(sourceResources).map((kind) => ({ kind, isAnticipated: true as const }));

function compared(objects: readonly GeneratedObject[], settings: DiscoveryChanges, endpoints: readonly Endpoint[]) {
  const { discovery } = declare({
    discovery: { ownerID: 'corp', recordTypes: [...discoverable], sources: everySource, ...settings },
  });
  if (!discovery) throw new Error('no discovery is declared');
  const lister = new MemorySources(() => discovery);
  for (const object of objects) lister.put(object);
  const context: DesiredRecordsOptions = { scope: { ownerID: 'corp' }, discovery, lister, ttlOf: () => undefined };
  const asked = Map.groupBy(endpoints, nameOf);
  const names = new Set([...lister.list()].flatMap(({ hosts }) => hosts));
  const requestAt = (name: string, endpoints: readonly Endpoint[]) =>
    desiredRecordsAt(name, endpoints, context)
      .map(({ type, ttl, records, mark }) => `${mark?.content} ${type} ${ttl} ${records.join(' ')}`)
      .sort();
  const outcomes = [...names].map((name) => {
    const expected = endpointsAt(name, lister.byHost(name));
    if (!expected) return { name, isLeft: true };
    return { name, expected: requestAt(name, expected), asked: requestAt(name, asked.get(name) ?? []) };
  });
  return { outcomes, lister };
}

const generated = (from: number, count: number, kinds?: readonly (keyof typeof sourceResources)[]) => {
  const random = randomFrom(from);
  const options = { hosts: Math.max(10, count), ...(kinds && { kinds }) };
  const objects = Array.from({ length: count }, (_, i) => generate(random, i, options));
  return [...generateGateways(random, options), ...objects];
};

const sourceFlags = ['ingress', 'service', ...routeKinds.map((kind) => `gateway-${kind.toLowerCase()}`), 'crd'];

/** As the function writes them. */
const argumentsOf = ({ ingressClassNames = [], serviceTypes = ['LoadBalancer'] }: SourceFlags) => [
  ...sourceFlags.map((flag) => `--source=${flag}`),
  ...discoverable.map((type) => `--managed-record-types=${type}`),
  ...ingressClassNames.map((name) => `--ingress-class=${name}`),
  ...serviceTypes.map((type) => `--service-type-filter=${type}`),
  ...(serviceTypes.includes('ClusterIP') ? ['--publish-internal-services'] : []),
];

const settings: [string, DiscoveryChanges, SourceFlags][] = [
  ['the defaults', {}, {}],
  [
    'classes and types',
    {
      sources: everySource.map((source) => ({
        ...source,
        ...(source.kind === 'Ingress' && { ingressClassNames: ['nginx'] }),
        ...(source.kind === 'Service' && { serviceTypes: ['LoadBalancer', 'ClusterIP', 'ExternalName', 'NodePort'] }),
      })),
    },
    { ingressClassNames: ['nginx'], serviceTypes: ['LoadBalancer', 'ClusterIP', 'ExternalName', 'NodePort'] },
  ],
];

const reason = binary ? '' : ' (there is no ExternalDNS: set EXTERNAL_DNS)';

test.skipIf(reason).each(settings)(
  `of 200 objects the real ExternalDNS asks for the same, as sets, with %s${reason}`,
  async (_, changes, flags) => {
    const objects = generated(seed, 200);
    const { outcomes } = compared(objects, changes, await hear(objects, argumentsOf(flags)));
    for (const { name, expected, asked, isLeft } of outcomes)
      if (!isLeft) expect({ name, requests: expected }).toEqual({ name, requests: asked });
  },
  90_000,
);

test.each(settings)('of 200 objects they are the same, as sets, with %s', (_, changes, flags) => {
  const objects = generated(seed, 200);
  const { outcomes } = compared(objects, changes, endpointsOf(objects, flags));
  const others = outcomes.filter(({ isLeft }) => !isLeft);
  for (const { name, expected, asked } of others)
    expect({ name, requests: expected }).toEqual({ name, requests: asked });
});

test.each(['Ingress', 'Service', 'DNSEndpoint', ...routeKinds] as const)('of %s most are anticipated', (kind) => {
  const counts = { all: 0, exact: 0 };
  // Few in each, so that one object does not keep the names of all others from being anticipated.
  for (let i = 0; i < 60; i++) {
    const objects = generated(i, 2, [kind]);
    const { outcomes } = compared(objects, {}, endpointsOf(objects));
    for (const { name, expected, asked, isLeft } of outcomes) {
      counts.all++;
      if (isLeft) continue;
      counts.exact++;
      expect({ name, requests: expected }).toEqual({ name, requests: asked });
    }
  }
  expect(counts.exact / counts.all).toBeGreaterThan(0.2);
});

test('objects whose targets are those of Pods and Nodes are left to ExternalDNS', () => {
  const services = generated(seed, 300, ['Service']).filter(needsPodsOrNodes);
  const types = ['LoadBalancer', 'ClusterIP', 'ExternalName', 'NodePort'];
  const { lister } = compared(services, { sources: [{ kind: 'Service', serviceTypes: types }] }, []);
  const left = [...lister.list()];
  expect(left.length).toBeGreaterThan(3);
  const hostOf = ({ hosts }: SourceObject) => hosts.find((host) => host.split('.').every(({ length }) => length <= 63));
  for (const each of left) expect(endpointsAt(hostOf(each) ?? 'x.', [each])).toBeUndefined();
});

const object = (resource: string, more: Partial<SourceObject> = {}): SourceObject => ({
  resource,
  namespace: 'a',
  created: '2026-01-01T00:00:00Z',
  hosts: ['www.corp.internal.'],
  targets: ['192.0.2.1'],
  ...more,
});

test.each<[string, SourceObject[], string[] | undefined]>([
  ['no object', [], []],
  ['an object', [object('ingress/a/x')], ['A 192.0.2.1 ingress/a/x']],
  [
    'targets of every type',
    [object('ingress/a/x', { targets: ['192.0.2.1', '2001:db8::1', 'lb.example.com.'], ttl: 60 })],
    ['A 192.0.2.1 60 ingress/a/x', 'AAAA 2001:db8::1 60 ingress/a/x', 'CNAME lb.example.com. 60 ingress/a/x'],
  ],
  [
    'two objects of a kind, merged',
    [object('ingress/a/x'), object('ingress/b/y', { targets: ['192.0.2.2'] })],
    ['A 192.0.2.1 192.0.2.2 ingress/a/x'],
  ],
  [
    'two objects of a kind with different TTLs, apart',
    [object('ingress/a/x'), object('ingress/b/y', { targets: ['192.0.2.2'], ttl: 60 })],
    ['A 192.0.2.1 ingress/a/x', 'A 192.0.2.2 60 ingress/b/y'],
  ],
  [
    'two objects of two kinds with the same, once',
    [object('ingress/a/x'), object('service/a/x')],
    ['A 192.0.2.1 ingress/a/x'],
  ],
  [
    'two objects of two kinds, apart',
    [object('ingress/a/x'), object('service/a/x', { targets: ['192.0.2.2'] })],
    ['A 192.0.2.1 ingress/a/x', 'A 192.0.2.2 service/a/x'],
  ],
  ['an object without an address', [object('ingress/a/x', { targets: [] })], []],
  [
    'an object whose targets are unknown',
    [object('ingress/a/x'), object('service/a/y', { targets: undefined! })],
    undefined,
  ],
  ['an object that may be read in another way', [object('ingress/a/x', { isInexact: true })], undefined],
  ['an object with names of Pods', [object('service/a/x', { below: true })], undefined],
  [
    'an object with too many targets',
    [object('ingress/a/x', { targets: Array.from({ length: 65 }, (_, i) => `10.0.0.${i}`) })],
    undefined,
  ],
  [
    'an object with too many hosts',
    [object('ingress/a/x', { overflow: { host: 'x.', hashes: new Uint32Array() } })],
    undefined,
  ],
])('at a name with %s', (_, objects, expected) => {
  const endpoints = endpointsAt('www.corp.internal.', objects);
  const lines = endpoints?.map(({ recordType, targets, recordTTL, labels }) =>
    [recordType, ...targets, ...(recordTTL ? [recordTTL] : []), labels?.resource].join(' '),
  );
  expect(lines).toEqual(expected);
});

test('a label of more than 63 octets makes an endpoint for a DNSEndpoint only', () => {
  const name = `${'x'.repeat(64)}.corp.internal.`;
  const at = (resource: string) => endpointsAt(name, [object(resource, { hosts: [name] })]);
  expect([at('ingress/a/x'), at('crd/a/x')?.length]).toEqual([[], 1]);
});
