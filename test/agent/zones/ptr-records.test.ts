/** The PTR records of addresses. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { desiredZones } from '../../../functions/agent/zones/desired-zone.ts';
import { ptrRecordsFor } from '../../../functions/agent/zones/ptr-records.ts';
import type { DeclaredRecord } from '../../../functions/dns/record.ts';
import { reverseName } from '../../../functions/dns/zone/reverse.ts';
import { corp, declare, discoveredRRset, record, zones, zoneWith } from '../make.ts';

const network = '2.0.192.in-addr.arpa';
const ptr = (name: string, ...addresses: string[]): DeclaredRecord => ({
  ...record(name, addresses[0]!.includes(':') ? 'AAAA' : 'A', ...addresses),
  ptr: true,
});
const at = (name: string, ...addresses: string[]) =>
  discoveredRRset('ingress/a/x', `${name}.corp.internal.`, addresses[0]!.includes(':') ? 'AAAA' : 'A', ...addresses);

/** `name target` of every PTR record, and the warnings; without discovery where `published` is undefined. */
function pointers(records: DeclaredRecord[], published: RRset[] | undefined, reverse = zones(network)) {
  const declaration = declare({ zones: [zoneWith('corp.internal', records), ...reverse], addresses: [] });
  const contents = desiredZones(declaration);
  const declared = [...contents.values()].flatMap((content) => content.rrsets);
  const { rrsets, warnings } = ptrRecordsFor(contents, published && [...declared, ...published]);
  return { ptrs: [...rrsets.values()].flat().map((r) => `${r.name} ${r.records.join(' ')}`), warnings };
}
const one = (name: string) => [`1.${network}. ${name}.corp.internal.`];

describe('of several names of one address', () => {
  test.each<[string, DeclaredRecord[], RRset[], string]>([
    [
      'one that requests it, before a published one',
      [ptr('long.name', '192.0.2.1')],
      [at('a', '192.0.2.1')],
      'long.name',
    ],
    [
      'one that requests it, and not one that does not',
      [record('a', 'A', '192.0.2.1'), ptr('z', '192.0.2.1')],
      [],
      'z',
    ],
    ['a published one, before a name server', [record('ns1', 'A', '192.0.2.1')], [at('z.z', '192.0.2.1')], 'z.z'],
    ['a name server, if there is no other', [record('ns1', 'A', '192.0.2.1')], [], 'ns1'],
    ['the one with the fewest labels', [], [at('a.b', '192.0.2.1'), at('z', '192.0.2.1')], 'z'],
    ['the alphabetically first one', [], [at('b', '192.0.2.1'), at('a', '192.0.2.1'), at('c', '192.0.2.1')], 'a'],
    [
      'the alphabetically first one that requests it',
      [ptr('c', '192.0.2.1'), ptr('b', '192.0.2.1')],
      [at('a', '192.0.2.1')],
      'b',
    ],
    ['no wildcard', [ptr('*', '192.0.2.1')], [at('*.a', '192.0.2.1'), at('b.b', '192.0.2.1')], 'b.b'],
  ])('it has %s', (_, records, published, name) => {
    expect(pointers(records, published)).toEqual({ ptrs: one(name), warnings: [] });
  });

  test('it does not depend on their order', () => {
    const names = fc.shuffledSubarray(['a', 'b', 'a.a', 'b.a', '*', 'zz', 'c.b.a']);
    fc.assert(
      fc.property(names, names, names, (declared, published, order) => {
        const records = (of: string[]) => of.filter((n) => declared.includes(n)).map((n) => ptr(n, '192.0.2.1'));
        const expected = (of: string[]) => of.filter((n) => published.includes(n)).map((n) => at(n, '192.0.2.1'));
        expect(pointers(records(order), expected(order))).toEqual(
          pointers(records(order.toSorted()), expected(order.toSorted())),
        );
      }),
    );
  });
});

test('a discovered address has a PTR record only with reverse, a declared one that requests it always', () => {
  expect(pointers([ptr('a', '192.0.2.1')], undefined).ptrs).toEqual(one('a'));
  expect(pointers([], undefined)).toEqual({ ptrs: [], warnings: [] });
  expect(pointers([record('a', 'A', '192.0.2.1')], []).ptrs).toEqual([]);
});

test('each IPv4 and IPv6 address has one, and a CNAME none', () => {
  const published = [
    at('a', '192.0.2.1', '192.0.2.2'),
    at('a', '2001:db8::1'),
    discoveredRRset('o', 'b.corp.internal.', 'CNAME', 'a.'),
  ];
  const { ptrs } = pointers([], published, zones(network, '8.b.d.0.1.0.0.2.ip6.arpa'));
  expect(ptrs).toEqual([
    `1.${network}. a.corp.internal.`,
    `2.${network}. a.corp.internal.`,
    `${reverseName('2001:db8::1')} a.corp.internal.`,
  ]);
});

test('they have the TTL of their zone and their own mark', () => {
  const reverse = { ...zones(network)[0]!, defaultTTL: 300 };
  const declaration = declare({ zones: [corp, reverse], addresses: [] });
  const { rrsets } = ptrRecordsFor(desiredZones(declaration), [at('a', '192.0.2.1')]);
  expect([...rrsets]).toEqual([
    [
      `${network}.`,
      [
        {
          name: `1.${network}.`,
          type: 'PTR',
          ttl: 300,
          records: ['a.corp.internal.'],
          mark: { account: 'internal-dns', content: 'ptr' },
        },
      ],
    ],
  ]);
});

describe('declared records of the reverse zone come first', () => {
  const declared = (...records: DeclaredRecord[]) => [zoneWith(network, records)];
  test.each<[string, DeclaredRecord[], string[]]>([
    ['a PTR record', [record('1', 'PTR', 'other.example.')], []],
    ['a CNAME', [record('1', 'CNAME', '1.part')], []],
    ['a part that is delegated', [record('0/30', 'NS', 'ns.tenant.example.')], []],
    ['a delegation', [record('1', 'NS', 'ns.tenant.example.')], []],
    ['text, which is no rival', [record('1', 'TXT', 'x')], one('a')],
  ])('%s', (_, records, ptrs) => {
    expect(pointers([ptr('a', '192.0.2.1')], [], declared(...records)).ptrs).toEqual(ptrs);
  });

  test('a delegation below the reverse zone', () => {
    const above = [zoneWith('192.in-addr.arpa', [record('2.0', 'NS', 'ns.example.')])];
    expect(pointers([ptr('a', '192.0.2.1'), ptr('b', '192.0.3.1')], [], above).ptrs).toEqual([
      '1.3.0.192.in-addr.arpa. b.corp.internal.',
    ]);
  });
});

test('a declared zone for a part of a /24 has its PTR records', () => {
  const { ptrs } = pointers([ptr('a', '192.0.2.65'), ptr('b', '192.0.2.1')], [], zones(network, `64/26.${network}`));
  expect(ptrs.sort()).toEqual([`1.${network}. b.corp.internal.`, `65.64/26.${network}. a.corp.internal.`]);
});

test('addresses without a reverse zone are reported once, with the zone to declare', () => {
  const addresses = [at('a', '10.1.2.3', '10.1.2.4', '192.0.2.1'), at('b', '2001:db8:1:2::3'), at('*', '172.16.0.1')];
  expect(pointers([ptr('c', '198.51.100.1')], addresses)).toEqual({
    ptrs: one('a'),
    warnings: ['100.51.198.in-addr.arpa', '2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa', '2.1.10.in-addr.arpa'].map(
      (zone) => `addresses in ${zone} have no zone for their PTR records: declare it, or one above it`,
    ),
  });
});
