import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rejectionOf } from '../../../functions/agent/discovery/checks.ts';
import { type DesiredRecord, desiredRecordsOf } from '../../../functions/agent/discovery/desired-records.ts';
import { type Endpoint, endpointOf, rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { evaluate } from '../../../functions/agent/discovery/evaluate.ts';
import { deletion, replacement, type Zone } from '../../../functions/agent/powerdns/rrset.ts';
import { noSources, type SourceLister, type SourceObject } from '../../../functions/agent/sources/source-object.ts';
import { discoverable } from '../../../functions/contract/declaration.ts';
import type { DiscoveryChanges } from '../../contract/declared.ts';
import { values } from '../../dns/rdata/arbitraries.ts';
import { loop, merged, type Webhook } from '../external-dns.ts';
import { declare, endpoint, zone } from '../make.ts';
import { MemoryZones } from '../zones/memory-zones.ts';
import { contextWith, emptyNameIn } from './contexts.ts';

type Settings = DiscoveryChanges;
interface Surroundings {
  settings?: Settings;
  lister?: SourceObject[];
  namespace?: string;
  zoneTTL?: number;
}

/** A lister of a cluster without other objects. */
function viewOf(lister: SourceObject[]): SourceLister {
  return {
    ...noSources,
    hasSynced: (resource) => resource.startsWith('ingress/'),
    get: (resource) => lister.find((sourceObject) => sourceObject.resource === resource),
    byHost: (name) => lister.filter(({ hosts }) => hosts.includes(name)),
    list: () => lister,
  };
}

function desiredAs(
  endpoints: Endpoint[],
  { settings, lister = [], namespace, zoneTTL }: Surroundings = {},
): DesiredRecord[] {
  const { discovery } = declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, ...settings } });
  if (!discovery) throw new Error('nothing is discovered');
  return desiredRecordsOf(endpoints, {
    scope: { ownerID: 'corp', ...(namespace !== undefined && { namespace }) },
    discovery,
    lister: viewOf(lister),
    ttlOf: () => zoneTTL,
  });
}

/** Lines such as `www A 192.0.2.1 (ingress/a/x)`, followed by the fault if there is one. */
const linesOf = (desiredRecords: DesiredRecord[]) =>
  desiredRecords
    .map(({ name, type, records, mark, fault }) => {
      const what = [name.replace('.corp.internal.', ''), type, ...records].join(' ');
      return `${what} (${mark?.content})${fault === undefined ? '' : `: ${fault}`}`;
    })
    .sort();

const www = 'www.corp.internal';
const x = (type: string, ...targets: string[]) => endpoint('ingress/a/x', www, type, ...targets);
const y = (type: string, ...targets: string[]) => endpoint('ingress/b/y', www, type, ...targets);

describe('a TTL', () => {
  test.each<[requested: number | undefined, settings: Settings, zoneTTL: number | undefined, ttl: number]>([
    [undefined, {}, undefined, 60],
    [undefined, {}, 300, 300],
    [undefined, { defaultTTL: 30 }, 300, 30],
    [0, { defaultTTL: 30 }, 300, 30],
    [15, { defaultTTL: 30 }, 300, 15],
    [15, { minimumTTL: 20 }, undefined, 20],
    [25, { minimumTTL: 20 }, undefined, 25],
    [undefined, { minimumTTL: 120 }, undefined, 120],
    [undefined, { defaultTTL: 5, minimumTTL: 20 }, undefined, 20],
    // It is rejected, not hidden.
    [-1, { minimumTTL: 20 }, undefined, -1],
    [2 ** 31, { minimumTTL: 20 }, undefined, 2 ** 31],
  ])('of %j, with %j and %j for the zone, is %d', (recordTTL, settings, zoneTTL, ttl) => {
    const given = { ...x('A', '192.0.2.1'), ...(recordTTL !== undefined && { recordTTL }) };
    expect(desiredAs([given], { settings, ...(zoneTTL !== undefined && { zoneTTL }) })).toMatchObject([{ ttl }]);
  });
});

test('two sources that want the same are one record, with the shorter TTL', () => {
  const slow = { ...x('A', '192.0.2.1'), recordTTL: 300 };
  const fast = { ...x('A', '192.0.2.1'), recordTTL: 15 };
  const bad = { ...x('A', '192.0.2.1'), recordTTL: -1 };
  for (const order of [
    [slow, fast, bad, bad],
    [bad, fast, slow],
  ]) {
    expect(
      desiredAs(order)
        .map(({ ttl }) => ttl)
        .sort(),
    ).toEqual([-1, 15]);
  }
  expect(desiredAs([x('A', '192.0.2.1'), y('A', '192.0.2.1'), x('A', '192.0.2.2')])).toHaveLength(3);
});

test('of a name that is too long only the end is checked, and of a target only the beginning', () => {
  const deep = endpoint('ingress/a/x', `${'a.'.repeat(1e5)}corp.internal`, 'A', '192.0.2.1');
  const long = x('CNAME', `${'a.'.repeat(1e5)}example.com`);
  const desiredRecords = desiredAs([deep, long, x('A', '1'.repeat(1e5))]);
  expect(desiredRecords.map(({ name, records }) => [name.length, records[0]?.length])).toEqual([
    [255, 9],
    [18, 61],
    [18, 61],
  ]);
  const messages = desiredRecords.map((desired) => evaluate([desired], [zone()], declare()).refused[0]?.message);
  expect(messages).toEqual([
    'longer than 253 characters (RFC 1035 section 2.3.4): use a shorter name',
    expect.stringMatching(/^correct the target: not a .{1,200}$/),
    expect.stringMatching(/^correct the target: not an IPv4 address: .{1,100}$/),
  ]);
});

test('names in excluded domains are left out silently', () => {
  const settings = { excludedDomains: ['Dev.corp.internal'], targets: { default: ['192.0.2.9'] } };
  const names = ['dev.corp.internal', 'a.dev.corp.internal', '*.dev.corp.internal', 'mydev.corp.internal'];
  const desiredRecords = names.map((name) => endpoint('ingress/a/x', name, 'A', '192.0.2.1'));
  const lister = [sourceObject('ingress/a/new', [], ['b.dev.corp.internal.'])];
  expect(linesOf(desiredAs(desiredRecords, { settings, lister }))).toEqual(['mydev A 192.0.2.1 (ingress/a/x)']);
});

test('records of other types are reported once where an object wants no others at a name', () => {
  const settings = { recordTypes: ['A', 'CNAME'] };
  expect(linesOf(desiredAs([x('A', '192.0.2.1'), x('AAAA', '2001:db8::1')], { settings }))).toEqual([
    'www A 192.0.2.1 (ingress/a/x)',
  ]);
  expect(desiredAs([x('AAAA', '2001:db8::1')], { settings })).toMatchObject([
    { isFiltered: true, fault: 'records of type AAAA are not discovered: add AAAA to discovery.recordTypes' },
  ]);
  expect(desiredAs([x('A', '192.0.2.1'), x('LUA', 'x')], { settings })).toMatchObject([
    { type: 'A' },
    { isFiltered: true, fault: 'records of type LUA are not discovered' },
  ]);
});

describe('targets.override', () => {
  const addresses = { targets: { override: ['203.0.113.1', '2001:DB8::1'] } };
  const both = ['www A 203.0.113.1 (ingress/a/x)', 'www AAAA 2001:db8::1 (ingress/a/x)'];
  test.each<[string, Endpoint[]]>([
    ['an IPv4 address', [x('A', '192.0.2.1')]],
    ['addresses of both families', [x('A', '192.0.2.1', '192.0.2.2'), x('AAAA', '2001:db8::9')]],
    ['a name', [x('CNAME', 'lb.example.com')]],
    ['nothing', [x('A')]],
  ])('replaces %s, by address family', (_, desiredRecords) => {
    expect(linesOf(desiredAs(desiredRecords, { settings: addresses }))).toEqual(both);
  });

  test('may be a name', () => {
    const settings = { targets: { override: ['NAT.example.com'] } };
    const desiredRecords = [x('A', '192.0.2.1'), x('AAAA', '2001:db8::9'), y('A', '192.0.2.2')];
    expect(linesOf(desiredAs(desiredRecords, { settings }))).toEqual([
      'www CNAME nat.example.com. (ingress/a/x)',
      'www CNAME nat.example.com. (ingress/b/y)',
    ]);
  });

  test('does not replace records of other types', () => {
    const settings = { ...addresses, recordTypes: [...discoverable] };
    expect(linesOf(desiredAs([x('TXT', 'text'), x('MX', '10 mail.example.com')], { settings }))).toEqual([
      'www MX 10 mail.example.com. (ingress/a/x)',
      'www TXT "text" (ingress/a/x)',
    ]);
  });
});

describe('targets.networks', () => {
  const networks = ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'];
  const excludedNetworks = ['10.1.0.0/16'];
  const settings = { targets: { networks, excludedNetworks } };
  test.each<[type: string, targets: string[], kept: string[]]>([
    ['A', ['10.0.0.1', '10.1.0.1', '192.0.2.1', '192.0.2.7'], ['10.0.0.1', '192.0.2.7']],
    ['AAAA', ['2001:db8::1', '2001:db9::1'], ['2001:db8::1']],
    ['AAAA', ['::ffff:10.0.0.1', '::ffff:10.1.0.1'], ['::ffff:10.0.0.1']],
    ['CNAME', ['lb.example.com'], ['lb.example.com.']],
    // It is reported as an invalid address, not as one of another network.
    ['A', ['lb.example.com'], ['lb.example.com']],
  ])('keeps of %s %j %j', (type, targets, records) => {
    const [desired] = desiredAs([x(type, ...targets)], { settings });
    expect(desired?.records).toEqual(records);
    expect(desired?.fault).toBeUndefined();
  });

  test('is named in the message when it excludes the last one', () => {
    const outside = { records: [], isFiltered: true, fault: '192.0.2.1 is outside discovery.targets.networks' };
    expect(desiredAs([x('A', '192.0.2.1')], { settings })).toMatchObject([outside]);
    expect(desiredAs([x('A', '10.1.0.1', '10.1.0.2')], { settings })).toMatchObject([
      {
        records: [],
        fault: '10.1.0.1 is in discovery.targets.excludedNetworks, and none of the others may be published',
      },
    ]);
    const only = { targets: { excludedNetworks } };
    expect(linesOf(desiredAs([x('A', '192.0.2.1')], { settings: only }))).toEqual(['www A 192.0.2.1 (ingress/a/x)']);
  });

  test('has no message where an object keeps other addresses', () => {
    const desiredRecords = [x('A', '10.0.0.1'), x('AAAA', '2001:db9::1'), y('AAAA', '2001:db9::1')];
    expect(linesOf(desiredAs(desiredRecords, { settings }))).toEqual([
      'www A 10.0.0.1 (ingress/a/x)',
      'www AAAA (ingress/b/y): 2001:db9::1 is outside discovery.targets.networks',
    ]);
  });
});

const sourceObject = (
  resource: string,
  targets?: string[],
  hosts = ['www.corp.internal.'],
  created = '2026',
): SourceObject => ({
  resource,
  namespace: resource.split('/')[1] as string,
  created,
  hosts,
  ...(targets && { targets }),
});

describe('targets.default', () => {
  const settings = { targets: { default: ['192.0.2.9', '2001:db8::9'] } };
  const lister = [
    sourceObject('ingress/a/x', []),
    sourceObject('ingress/b/y', [], ['b.corp.internal.', 'c.corp.internal.']),
  ];

  test('applies to objects without an address, unless ExternalDNS sends one', () => {
    const others = ['b', 'c'].flatMap((name) => [
      `${name} A 192.0.2.9 (ingress/b/y)`,
      `${name} AAAA 2001:db8::9 (ingress/b/y)`,
    ]);
    const own = ['www A 192.0.2.9 (ingress/a/x)', 'www AAAA 2001:db8::9 (ingress/a/x)'];
    expect(linesOf(desiredAs([], { settings, lister }))).toEqual([...others, ...own]);
    expect(linesOf(desiredAs([x('A', '192.0.2.1')], { settings, lister }))).toEqual([
      ...others,
      'www A 192.0.2.1 (ingress/a/x)',
    ]);
    expect(linesOf(desiredAs([x('A')], { settings, lister }))).toEqual([...others, ...own]);
    expect(desiredAs([], { lister })).toEqual([]);
  });

  test('applies to the hosts without an address, even if others of the object have one', () => {
    const hosts = ['www.corp.internal.', 'b.corp.internal.'];
    const of = (name: string, targets: string[]): [string, { targets: string[] }][] =>
      ['A', 'AAAA', 'CNAME'].map((type) => [`${name} ${type}`, { targets }]);
    const parts = new Map([...of('www.corp.internal.', ['192.0.2.1']), ...of('b.corp.internal.', [])]);
    const route = { ...sourceObject('ingress/a/x', ['192.0.2.1'], hosts), parts };
    expect(linesOf(desiredAs([x('A', '192.0.2.1')], { settings, lister: [route] }))).toEqual([
      'b A 192.0.2.9 (ingress/a/x)',
      'b AAAA 2001:db8::9 (ingress/a/x)',
      'www A 192.0.2.1 (ingress/a/x)',
    ]);
  });

  test('applies to objects of the namespace of the owner', () => {
    const names = desiredAs([], { settings, lister, namespace: 'a' }).map(({ name }) => name);
    expect(names).toEqual(['www.corp.internal.', 'www.corp.internal.']);
  });
});

describe('an endpoint that ExternalDNS has merged', () => {
  const [one, two, three] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
  const unclear = (targets: string, ...objects: string[]) =>
    `cannot tell which of ${objects.join(' and ')} has the target${targets.includes(', ') ? 's' : ''} ${targets}`;
  test.each<[string, SourceObject[], Endpoint, string[]]>([
    ['nobody is seen', [], x('A', one, two), [`www A ${one} ${two} (ingress/a/x)`]],
    [
      'one is seen, and the other is not',
      [sourceObject('ingress/a/x', [one])],
      x('A', one, two),
      [`www A ${one} (ingress/a/x)`],
    ],
    [
      'the only one was seen with other addresses',
      [sourceObject('ingress/a/x', [three])],
      x('A', one, two),
      [`www A ${one} ${two} (ingress/a/x)`],
    ],
    [
      'the only one was seen without an address',
      [sourceObject('ingress/a/x', [])],
      x('A', one, two),
      [`www A ${one} ${two} (ingress/a/x)`],
    ],
    [
      'each has its own',
      [sourceObject('ingress/a/x', [one, '2001:db8::1']), sourceObject('ingress/b/y', [two])],
      x('A', one, two),
      [`www A ${one} (ingress/a/x)`, `www A ${two} (ingress/b/y)`],
    ],
    [
      'both have the same',
      [sourceObject('ingress/a/x', [one]), sourceObject('ingress/b/y', [one])],
      x('A', one),
      [`www A ${one} (ingress/a/x)`, `www A ${one} (ingress/b/y)`],
    ],
    [
      'one is known, and the other has the rest',
      [sourceObject('ingress/a/x', [one]), sourceObject('ingress/b/y')],
      x('A', one, two),
      [`www A ${one} (ingress/a/x)`, `www A ${two} (ingress/b/y)`],
    ],
    [
      'the labelled one is not seen, and has the rest',
      [sourceObject('ingress/b/y', [two])],
      x('A', one, two),
      [`www A ${one} (ingress/a/x)`, `www A ${two} (ingress/b/y)`],
    ],
    [
      'two of one namespace are not known, and the older has the rest',
      [
        sourceObject('ingress/a/x', undefined, undefined, '2026'),
        sourceObject('ingress/a/old', undefined, undefined, '2025'),
      ],
      x('A', one, two),
      [`www A ${one} ${two} (ingress/a/old)`],
    ],
    [
      'two of two namespaces are not known',
      [sourceObject('ingress/a/x'), sourceObject('ingress/b/y'), sourceObject('ingress/c/z', [three])],
      x('A', one, three),
      [
        `www A (ingress/a/x): ${unclear(one, 'ingress/a/x', 'ingress/b/y')}`,
        `www A (ingress/b/y): ${unclear(one, 'ingress/a/x', 'ingress/b/y')}`,
        `www A ${three} (ingress/c/z)`,
      ],
    ],
    [
      'the view is ahead of ExternalDNS',
      [sourceObject('ingress/a/x', [three]), sourceObject('ingress/b/y', [two])],
      x('A', one, two),
      [`www A ${one} (ingress/a/x)`, `www A ${two} (ingress/b/y)`],
    ],
    [
      'the view is ahead of ExternalDNS, and another one is not known',
      [sourceObject('ingress/a/x', [three]), sourceObject('ingress/b/y')],
      x('A', one, two),
      [
        `www A (ingress/a/x): ${unclear(`${one}, ${two}`, 'ingress/a/x', 'ingress/b/y')}`,
        `www A (ingress/b/y): ${unclear(`${one}, ${two}`, 'ingress/a/x', 'ingress/b/y')}`,
      ],
    ],
    [
      'both have what they are seen to have, and there is more',
      [sourceObject('ingress/a/x', [one]), sourceObject('ingress/b/y', [two])],
      x('A', one, two, three),
      [`www A ${one} (ingress/a/x)`, `www A ${two} (ingress/b/y)`],
    ],
    [
      'another kind wants another answer',
      [sourceObject('ingress/a/x', [one]), sourceObject('service/b/y', [two])],
      x('A', one),
      [`www A ${one} (ingress/a/x)`],
    ],
    [
      'another kind wants the same, which ExternalDNS leaves out',
      [sourceObject('ingress/a/x', [one]), sourceObject('service/b/y', [one])],
      x('A', one),
      [`www A ${one} (ingress/a/x)`, `www A ${one} (service/b/y)`],
    ],
    [
      'one wants it of another name',
      [
        { ...sourceObject('ingress/a/x', [one, two]), parts: new Map([['www.corp.internal. A', { targets: [one] }]]) },
        sourceObject('ingress/b/y', [two]),
      ],
      x('A', one, two),
      [`www A ${one} (ingress/a/x)`, `www A ${two} (ingress/b/y)`],
    ],
    [
      'CNAMEs are merged with their like only',
      [sourceObject('ingress/a/x'), sourceObject('ingress/b/y')],
      x('CNAME', 'lb.example.com'),
      ['www CNAME lb.example.com. (ingress/a/x)'],
    ],
    [
      'both have one CNAME',
      [sourceObject('ingress/a/x', ['lb.example.com.']), sourceObject('ingress/b/y', ['lb.example.com.'])],
      x('CNAME', 'LB.example.com'),
      ['www CNAME lb.example.com. (ingress/a/x)', 'www CNAME lb.example.com. (ingress/b/y)'],
    ],
  ])('is split where %s', (_, lister, endpoint, expected) => {
    expect(linesOf(desiredAs([endpoint], { lister }))).toEqual(expected);
  });

  const shared = [sourceObject('ingress/a/x', [one]), sourceObject('ingress/b/y', [two])];

  test('is split even if shared hosts are merged, as not every namespace may have the name', () => {
    expect(linesOf(desiredAs([x('A', one, two)], { lister: shared, settings: { sharedHosts: 'Merge' } }))).toEqual([
      `www A ${one} (ingress/a/x)`,
      `www A ${two} (ingress/b/y)`,
    ]);
  });

  test('is not split where objects of the kind are not seen', () => {
    const pod = endpoint('pod/a/x', www, 'A', three, '192.0.2.4');
    expect(linesOf(desiredAs([pod], { lister: shared }))).toEqual([`www A ${three} 192.0.2.4 (pod/a/x)`]);
    // The listed ones may have been dropped as duplicates.
    const same = endpoint('pod/a/x', www, 'A', one);
    expect(linesOf(desiredAs([same], { lister: shared }))).toEqual([
      `www A ${one} (ingress/a/x)`,
      `www A ${one} (pod/a/x)`,
    ]);
  });

  test('has the TTL of each object, whichever of the equal endpoints ExternalDNS has kept', () => {
    const lister = [
      { ...sourceObject('ingress/a/x', [one]), ttl: 300 },
      sourceObject('ingress/b/y', [one]),
      sourceObject('service/a/x', [one]),
    ];
    const ttls = (endpoint: Endpoint) =>
      desiredAs([endpoint], { lister }).map(({ ttl, mark }) => `${mark?.content} ${ttl}`);
    const expected = ['ingress/a/x 300', 'ingress/b/y 60', 'service/a/x 60'];
    expect(ttls({ ...x('A', one), recordTTL: 300 })).toEqual(expected);
    expect(ttls(y('A', one))).toEqual(expected);
  });

  test('in one namespace gives no record to an object of another', () => {
    expect(linesOf(desiredAs([x('A', one)], { lister: shared, namespace: 'a' }))).toEqual([
      `www A ${one} (ingress/a/x)`,
    ]);
    expect(linesOf(desiredAs([y('A', one)], { lister: shared, namespace: 'b' }))).toEqual([
      `www A ${one} (ingress/b/y)`,
    ]);
  });

  test('is split into what each object wants, if all are known', () => {
    const address = fc.constantFrom(one, two, three);
    const objects = fc.uniqueArray(
      fc.record({
        resource: fc.constantFrom('ingress/a/x', 'ingress/a/y', 'ingress/b/x', 'ingress/c/x'),
        targets: fc.uniqueArray(address, { minLength: 1 }),
        created: fc.constantFrom('2025', '2026'),
      }),
      { selector: ({ resource }) => resource, minLength: 1 },
    );
    fc.assert(
      fc.property(objects, (all) => {
        const lister = all.map(({ resource, targets, created }) => sourceObject(resource, targets, undefined, created));
        const endpoints = all.map(({ resource, targets }) => endpoint(resource, www, 'A', ...targets));
        const apart = endpoints.map((endpoint) => rrsetOf(endpoint, 'corp'));
        expect(linesOf(desiredAs(merged(endpoints), { lister }))).toEqual(linesOf(apart));
      }),
    );
  });

  test('gives no object a target that only objects of another namespace have', () => {
    const resource = fc.constantFrom('ingress/a/x', 'ingress/a/y', 'ingress/b/x', 'ingress/c/x');
    const addresses = fc.uniqueArray(fc.constantFrom(one, two, three, '192.0.2.4'));
    const lister = fc.uniqueArray(fc.record({ resource, targets: fc.option(addresses) }), {
      selector: (each) => each.resource,
      minLength: 2,
    });
    fc.assert(
      fc.property(lister, resource, addresses, (all, labelled, targets) => {
        const seen = all.map((each) => sourceObject(each.resource, each.targets ?? undefined));
        const desiredRecords = desiredAs([endpoint(labelled, www, 'A', ...targets)], { lister: seen });
        for (const { records, mark } of desiredRecords) {
          const namespace = mark?.content.split('/')[1];
          for (const record of records) {
            const havers = seen.filter((each) => each.targets?.includes(record));
            if (havers.length > 0) expect(havers.map((each) => each.namespace)).toContain(namespace);
          }
        }
      }),
    );
  });
});

describe('in loops of ExternalDNS', () => {
  const settings: Settings = { recordTypes: [...discoverable], minimumTTL: 10 };
  const nameContext = emptyNameIn('corp.internal.');
  const context = contextWith(settings);

  /** Desired records without a fault, each name and type once. */
  function webhook(database: MemoryZones): Webhook {
    const present = async () => (await database.zones())[0] as Zone;
    return {
      records: async () =>
        (await present()).rrsets.filter((r) => r.mark?.account === 'external-dns/corp').map(endpointOf),
      adjustEndpoints: async (endpoints) => {
        const faultless = desiredAs(endpoints, { settings }).filter(
          (desired) => rejectionOf(desired, nameContext, context) === undefined,
        );
        return [...Map.groupBy(faultless, ({ name, type }) => `${name} ${type}`).values()].map(([first]) =>
          endpointOf(first as DesiredRecord),
        );
      },
      applyChanges: async ({ create = [], updateNew = [], delete: deleted = [] }) => {
        const rrsets = (list: Endpoint[]) => list.map((endpoint) => rrsetOf(endpoint, 'corp'));
        const changes = [...rrsets(deleted).map(deletion), ...rrsets([...create, ...updateNew]).map(replacement)];
        expect(await database.apply(await present(), changes)).toEqual([]);
      },
    };
  }

  const nameOf: Partial<Record<string, string>> = { SRV: '_s._tcp' };
  const desiredRecords = fc.constantFrom(...discoverable.filter((type) => type !== 'CNAME')).chain((type) =>
    fc.record({
      dnsName: fc.nat(5).map((i) => `${nameOf[type] ?? 'h'}.${i}.corp.internal`),
      recordType: fc.constant(type as string),
      targets: fc.array(values[type], { minLength: 1, maxLength: 3 }),
      recordTTL: fc.constantFrom(0, 1, 15),
      labels: fc.constant({ resource: 'crd/a/x' }),
    }),
  );
  const cnames = fc.record({
    dnsName: fc.nat(3).map((i) => `c${i}.corp.internal`),
    recordType: fc.constant('CNAME'),
    targets: values.CNAME.map((target) => [target]),
    recordTTL: fc.constantFrom(0, 1, 15),
    labels: fc.constant({ resource: 'crd/a/x' }),
  });

  test('the second one sends nothing, whatever the endpoints', async () => {
    const rounds = fc.array(fc.array(fc.oneof(desiredRecords, cnames), { maxLength: 12 }), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const external = webhook(new MemoryZones([zone()]));
        for (const endpoints of all) {
          await loop(external, merged(endpoints));
          expect(await loop(external, merged(endpoints))).toBeUndefined();
          const byPlace = (a: Endpoint, b: Endpoint) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
          expect((await external.records()).sort(byPlace)).toEqual(
            (await external.adjustEndpoints(merged(endpoints))).sort(byPlace),
          );
        }
      }),
    );
  });
});
