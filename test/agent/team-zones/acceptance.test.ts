import { describe, expect, test } from 'vitest';
import { type AcceptanceInput, acceptedZones, mostZones } from '../../../functions/agent/team-zones/acceptance.ts';
import { discoveryWith } from '../../contract/declared.ts';
import { tenant, zoneObject as zone } from '../machines/objects.ts';
import { declare, record, zoneWith } from '../make.ts';

const declaration = declare({
  name: 'corp',
  zones: [
    zoneWith('corp.internal', [record('www.b', 'A', '192.0.2.1'), record('@', 'MX', '10 mail')]),
    zoneWith('2.0.192.in-addr.arpa', [record('0/26', 'NS', 'ns.example.com.')]),
    zoneWith('128-191.2.0.192.in-addr.arpa', []),
  ],
});
const patterns = [
  '*.corp.internal',
  'a.internal',
  '*.a.internal',
  '*.2.0.192.in-addr.arpa',
  'internal',
  'corp.internal',
];
const discovery = discoveryWith({
  tenants: [tenant('a', {}, [], patterns), tenant('b', {}, [], ['b.internal']), tenant('none')],
  reservedNames: ['secret.corp.internal'],
});

const context = { declaration, discovery, isOfService: () => false };

const decide = (zones: AcceptanceInput['zones'], more: Partial<AcceptanceInput> = {}) => {
  const labelsOf = (namespace: string) => (namespace === 'unknown' ? undefined : { team: namespace });
  const { accepted, refused } = acceptedZones({ zones, ...context, labelsOf, mostRecords: 1000, ...more });
  return {
    accepted: accepted.map(({ namespace, name }) => `${namespace}/${name}`),
    refused: refused.map(({ object, refusal, isTemporary }) => `${object.name}${isTemporary ? '?' : ''}: ${refusal}`),
  };
};
const refusalOf = (...[name, spec, meta]: Parameters<typeof zone>) => decide([zone(name, spec, meta)]).refused.join();

describe('who may have which zone', () => {
  test.each<[string, string, string]>([
    ['a', 'a.internal', ''],
    ['a', 'shop.a.internal', ''],
    ['a', 'shop.corp.internal', ''],
    ['a', 'internal', ''],
    ['b', 'b.internal', ''],
    ['b', 'a.internal', 'namespace b can have only the zones b.internal (discovery.tenants): use one of these'],
    [
      'a',
      'b.internal',
      'namespace a can have only the zones *.corp.internal, a.internal, *.a.internal, *.2.0.192.in-addr.arpa and 2 more',
    ],
    ['none', 'a.internal', 'namespace none can have no zones (discovery.tenants): add the name to zones of a tenant'],
    ['other', 'a.internal', 'namespace other can have no zones (discovery.tenants)'],
    ['unknown', 'a.internal', 'a.internal?: the labels of namespace unknown are not known yet'],
    ['a', 'secret.corp.internal', 'the name is reserved (discovery.reservedNames): use another name'],
    ['a', 'corp.internal', 'corp.internal is in spec.zones of InternalDNS corp: use another name'],
  ])('namespace %s, %s', (namespace, name, refusal) => {
    expect(refusalOf(name, {}, { namespace })).toContain(refusal);
    if (refusal === '') expect(decide([zone(name, {}, { namespace })]).accepted).toHaveLength(1);
  });

  test('one with checks waits until the addresses of Services are known', () => {
    const zones = [
      zone('a.internal', { records: [{ ...record('www', 'A', '192.0.2.1'), check: { port: 443 } }] }),
      zone('b.a.internal', { records: [record('www', 'A', '192.0.2.1')] }),
    ];
    expect(decide(zones, { isOfService: undefined })).toEqual({
      accepted: ['a/b.a.internal'],
      refused: [expect.stringMatching(/^a.internal[?]: the address ranges of Services, which are never checked/)],
    });
    expect(decide(zones).refused).toEqual([]);
  });

  test('without tenants nobody has one', () => {
    expect(decide([zone('a.internal')], { discovery: discoveryWith({}) }).refused.join()).toContain(
      'can have no zones',
    );
  });
});

describe('zones beside others', () => {
  test.each<[string, object, string]>([
    [
      'b.corp.internal',
      {},
      'corp.internal has a record of www.b.corp.internal, which the Zone would hide: remove it there (spec.zones of InternalDNS corp)',
    ],
    ['c.corp.internal', {}, ''],
    [
      '0/26.2.0.192.in-addr.arpa',
      { nameServers: ['ns.a.internal'] },
      '2.0.192.in-addr.arpa has a record of 0/26.2.0.192.in-addr.arpa',
    ],
    ['128/26.2.0.192.in-addr.arpa', { nameServers: ['ns.a.internal'] }, 'overlaps 128-191.2.0.192.in-addr.arpa'],
    ['64/26.2.0.192.in-addr.arpa', { nameServers: ['ns.a.internal'] }, ''],
    ['a.internal', { nameServers: ['ns.a.internal', 'ns1.corp.internal', 'ns.example.com'] }, ''],
    [
      'a.internal',
      { nameServers: ['www.corp.internal'] },
      'nameServers: www.corp.internal is in the zone corp.internal: use names in a.internal',
    ],
    ['a.internal', { nameServers: 3 }, 'spec.nameServers: '],
    ['a.internal', { records: [record('x', 'A', 'nonsense')] }, ''],
  ])('%s %o', (name, spec, refusal) => {
    const refused = refusalOf(name, spec as Record<string, unknown>);
    if (refusal === '') expect(refused).toBe('');
    else expect(refused).toContain(refusal);
  });

  test('of several with one name the oldest has it, whatever the order', () => {
    const objects = [1, 0, 2].map((age) => ({
      ...zone('a.internal', {}, { age }),
      name: `z${age}`,
      resource: `zone/a/z${age}`,
    }));
    for (const order of [objects, objects.toReversed()]) {
      expect(decide(order)).toEqual({
        accepted: ['a/z0'],
        refused: [1, 2].map((age) => `z${age}: a.internal is in Zone a/z0, which is older: use another name`),
      });
    }
  });

  test('a newer zone hides no record of an older one', () => {
    const older = zone('a.internal', { records: [record('{{xr.name}}.shop', 'A', '192.0.2.1')] });
    expect(decide([older, zone('shop.a.internal', {}, { age: 1 })])).toEqual({
      accepted: ['a/a.internal'],
      refused: [
        'shop.a.internal: a.internal has a record of corp.shop.a.internal, which the Zone would hide: remove it there (Zone a/a.internal, which is older)',
      ],
    });
    expect(decide([older, zone('mail.a.internal', {}, { age: 1 })]).refused).toEqual([]);
  });
});

describe('how much teams can have', () => {
  const many = (count: number, spec = {}) =>
    Array.from({ length: count }, (_, age) => zone(`z${age}.a.internal`, spec, { age }));

  test('a namespace', () => {
    const { accepted, refused } = decide(many(mostZones.inNamespace + 1));
    expect([accepted.length, refused.join()]).toEqual([
      mostZones.inNamespace,
      'z64.a.internal: namespace a has 64 older Zones, and can have no more: delete some',
    ]);
  });

  test('records, so that a small one still fits', () => {
    const records = [record('www', 'A', ...Array.from({ length: 50 }, (_, i) => `192.0.2.${i}`))];
    const objects = [...many(3, { records }), zone('small.a.internal', {}, { age: 9 })];
    const { accepted, refused } = decide(objects, { mostRecords: 120 });
    expect(accepted).toEqual(['a/z0.a.internal', 'a/z1.a.internal', 'a/small.a.internal']);
    expect(refused.join()).toContain('z2.a.internal: the Zones have more records than resources.agent.limits.memory');
  });
});
