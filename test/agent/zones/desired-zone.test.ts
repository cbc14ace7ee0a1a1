import { describe, expect, test } from 'vitest';
import { desiredZones } from '../../../functions/agent/zones/desired-zone.ts';
import type { ZoneFiles } from '../../../functions/agent/zones/zone-file.ts';
import type { Declaration } from '../../../functions/contract/declaration.ts';
import type { DeclaredRecord } from '../../../functions/dns/record.ts';
import { corp, declare, fileMark, fileOf, fileRef, noFile, record, zones, zoneWith } from '../make.ts';

const mark = { account: 'internal-dns', content: '' };

test('a zone has a SOA, its NS and the addresses of its name server', () => {
  const addresses = ['192.0.2.53', '2001:DB8::53', '2001:db8::53'];
  expect([...desiredZones(declare({ addresses }))].map(([zone, { rrsets }]) => [zone, rrsets])).toEqual([
    [
      'corp.internal.',
      [
        {
          name: 'corp.internal.',
          type: 'SOA',
          ttl: 3600,
          records: ['ns1.corp.internal. hostmaster.corp.internal. 0 3600 600 604800 5'],
          mark,
        },
        { name: 'corp.internal.', type: 'NS', ttl: 3600, records: ['ns1.corp.internal.'], mark },
        { name: 'ns1.corp.internal.', type: 'A', ttl: 60, records: ['192.0.2.53'], mark },
        { name: 'ns1.corp.internal.', type: 'AAAA', ttl: 60, records: ['2001:db8::53'], mark },
      ],
    ],
  ]);
});

const named = (declaration: Parameters<typeof declare>[0]) =>
  Object.fromEntries(
    [...desiredZones(declare(declaration))].map(([zone, { rrsets }]) => [
      zone,
      rrsets.filter((r) => r.type !== 'SOA').map((r) => `${r.name} ${r.type} ${r.records.join(' ')}`),
    ]),
  );

test('each name server has the addresses of its replica, and shares those of all while it has none', () => {
  const replicaAddresses = [['192.0.2.54', '2001:DB8::54'], []];
  const nameServers = ['ns1.corp.internal', 'ns2.corp.internal'];
  const parts = { addresses: ['192.0.2.53'], replicaAddresses, zones: [{ name: 'corp.internal', nameServers }] };
  expect(named(parts)['corp.internal.']).toEqual([
    'corp.internal. NS ns1.corp.internal. ns2.corp.internal.',
    'ns1.corp.internal. A 192.0.2.54',
    'ns1.corp.internal. AAAA 2001:db8::54',
    'ns2.corp.internal. A 192.0.2.53',
  ]);
});

test('name servers outside the zones get no address', () => {
  const nameServers = ['ns.example.com', 'NS.corp.internal.', 'ns.corp.internal'];
  expect(named({ zones: [{ name: 'corp.internal', nameServers }] })).toEqual({
    'corp.internal.': ['corp.internal. NS ns.example.com. ns.corp.internal.', 'ns.corp.internal. A 192.0.2.53'],
  });
});

test('the address of a name server is in the zone that answers for its name', () => {
  const [child] = zones('dev.corp.internal');
  const parent = { name: 'corp.internal', nameServers: ['ns.dev.corp.internal'] };
  expect(named({ zones: [parent, child!] })).toEqual({
    'corp.internal.': [
      'corp.internal. NS ns.dev.corp.internal.',
      'dev.corp.internal. NS ns1.dev.corp.internal.',
      'ns1.dev.corp.internal. A 192.0.2.53',
    ],
    'dev.corp.internal.': [
      'dev.corp.internal. NS ns1.dev.corp.internal.',
      'ns.dev.corp.internal. A 192.0.2.53',
      'ns1.dev.corp.internal. A 192.0.2.53',
    ],
  });
});

test('a zone exists before its name server has an address', () => {
  expect(named({ addresses: [] })).toEqual({ 'corp.internal.': ['corp.internal. NS ns1.corp.internal.'] });
});

/** The RRsets of one zone except its SOA, as `name type content [source]`. */
function contentOf(declaration: Partial<Declaration>, files?: ZoneFiles, name = 'corp.internal.') {
  const content = desiredZones(declare(declaration), files).get(name)!;
  const rrsets = content.rrsets.filter(({ type }) => type !== 'SOA');
  return {
    rrsets: rrsets.map((r) => [r.name, r.type, r.records.join(' '), r.mark?.content].filter(Boolean).join(' ')),
    ...(content.problem && { problem: content.problem }),
    ...(content.pending && { waiting: content.pending }),
    held: [...content.heldFiles],
  };
}
const withRecords = (...records: DeclaredRecord[]) => ({ zones: [zoneWith('corp.internal', records)] });
const frame = ['corp.internal. NS ns1.corp.internal.', 'ns1.corp.internal. A 192.0.2.53'];

describe('records', () => {
  test('are in their zone, normalised, with the TTL of the zone or their own', () => {
    const zone = zoneWith(
      'corp.internal',
      [record('@', 'MX', '10 mail'), { ...record('mail', 'AAAA', '2001:DB8::25'), ttl: 5 }],
      { defaultTTL: 300 },
    );
    const { rrsets, defaultTTL } = desiredZones(declare({ zones: [zone] })).get('corp.internal.')!;
    expect(defaultTTL).toBe(300);
    expect(rrsets.slice(3)).toEqual([
      { name: 'corp.internal.', type: 'MX', ttl: 300, records: ['10 mail.corp.internal.'], mark },
      { name: 'mail.corp.internal.', type: 'AAAA', ttl: 5, records: ['2001:db8::25'], mark },
    ]);
  });

  test('that are invalid are reported, and the others are served', () => {
    expect(
      contentOf(withRecords(record('a', 'A', '192.0.2.1'), record('b', 'CNAME', 'c'), record('b', 'TXT', 'x'))),
    ).toEqual({
      rrsets: [...frame, 'a.corp.internal. A 192.0.2.1'],
      problem: expect.stringMatching(/^records\[2\]\.values\[0\]: a CNAME must be the only record of its name/),
      held: [],
    });
  });

  test.each<[DeclaredRecord[], string[]]>([
    [[record('ns1', 'A', '192.0.2.9')], ['ns1.corp.internal. A 192.0.2.9']],
    // Without the other address family of the DNS Service, which may be another host.
    [[record('ns1', 'AAAA', '2001:db8::9')], ['ns1.corp.internal. AAAA 2001:db8::9']],
    [[record('ns1', 'TXT', 'x')], ['ns1.corp.internal. A 192.0.2.53', 'ns1.corp.internal. TXT "x"']],
  ])('at the name of a name server replace the addresses of the DNS Service: %j', (records, expected) => {
    expect(contentOf(withRecords(...records)).rrsets).toEqual(['corp.internal. NS ns1.corp.internal.', ...expected]);
  });

  test('cannot be a CNAME at the name of any zone’s name server', () => {
    const { zones } = withRecords(record('dns', 'CNAME', 'a'));
    expect(contentOf({ zones: [...zones, { name: 'b.internal', nameServers: ['dns.corp.internal'] }] })).toEqual({
      rrsets: [frame[0], 'ns1.corp.internal. A 192.0.2.53', 'dns.corp.internal. A 192.0.2.53'],
      problem: "records[0].values[0]: the name of a zone's server must have addresses (RFC 2181 section 10.3)",
      held: [],
    });
  });

  test('of both address families with a check are one LUA record, with the shorter TTL', () => {
    const check = { check: { port: 25 } };
    const { zones } = withRecords(
      { ...record('mail', 'A', '192.0.2.1'), ...check, ttl: 5 },
      { ...record('mail', 'AAAA', '2001:db8::1'), ...check },
      record('mail', 'TXT', 'x'),
    );
    const { rrsets } = desiredZones(declare({ zones })).get('corp.internal.')!;
    expect(rrsets.slice(3)).toMatchObject([
      { name: 'mail.corp.internal.', type: 'TXT', ttl: 60 },
      {
        name: 'mail.corp.internal.',
        type: 'LUA',
        ttl: 5,
        records: [expect.stringMatching(/^A /), expect.stringMatching(/^AAAA /)],
      },
    ]);
  });
});

describe('a zone file', () => {
  const zone = (...records: DeclaredRecord[]) => ({
    zones: [zoneWith('corp.internal', records, { recordsFrom: [fileRef] })],
  });
  const source = fileMark.content;

  test('adds its records, marked with its name', () => {
    expect(contentOf(zone(record('www', 'A', '192.0.2.1')), fileOf('mail A 192.0.2.2', 'www TXT "x"'))).toEqual({
      rrsets: [
        ...frame,
        'www.corp.internal. A 192.0.2.1',
        `www.corp.internal. TXT "x" ${source}`,
        `mail.corp.internal. A 192.0.2.2 ${source}`,
      ],
      held: [],
    });
  });

  test('has its own TTL, else that of the zone', () => {
    const { rrsets } = desiredZones(declare(zone()), fileOf('a A 192.0.2.1', '$TTL 5m', 'b A 192.0.2.2')).get(
      'corp.internal.',
    )!;
    expect(rrsets.slice(3).map(({ ttl }) => ttl)).toEqual([60, 300]);
  });

  test('may have the SOA and NS of the zone, which are taken from the composite instead', () => {
    const soa = '@ 3600 IN SOA ns.example. noc.example. 7 1 2 3 4';
    expect(contentOf(zone(), fileOf(soa, '@ NS ns.example.', 'a A 192.0.2.1'))).toEqual({
      rrsets: [...frame, `a.corp.internal. A 192.0.2.1 ${source}`],
      held: [],
    });
  });

  test.each<[string, string[], string]>([
    ['a line that is none', ['a A 192.0.2.1', 'b A 192.0.2.256'], 'line 2: not an IPv4 address: 192.0.2.256'],
    [
      'records that cannot stand together',
      ['a A 192.0.2.1', '', 'a CNAME b'],
      'line 3: a CNAME must be the only record of its name',
    ],
    [
      'a name that the composite has',
      ['www CNAME b'],
      'line 1: a CNAME must be the only record of its name (RFC 1034 section 3.6.2), and records[0].values[0]',
    ],
    [
      'an RRset that the composite has',
      ['www A 192.0.2.7'],
      'line 1: records[0].values[0] has the A of this name already: put every value there',
    ],
    ['the same record', ['www A 192.0.2.1'], 'line 1: records[0].values[0] has the A of this name already'],
    [
      'a cut above a name of the composite',
      ['dev NS ns.example.'],
      'records[1].values[0]: never answered: dev.corp.internal is delegated (line 1)',
    ],
    ['LUA', ['x LUA A "return 1"'], 'line 1: LUA is code, not data: zone files must not have it'],
    ['DNAME', ['x DNAME y'], 'line 1: DNAME is declared in zones[].records: PowerDNS has to know of it at its start'],
    ['another zone', ['x.example. A 192.0.2.1'], 'line 1: x.example is outside the zone corp.internal'],
    ['a server as a CNAME', ['ns1 CNAME a'], "line 1: the name of a zone's server must have addresses"],
  ])('is held as a whole for %s, and records of the composite are served', (_, lines, message) => {
    const own = [record('www', 'A', '192.0.2.1'), record('x.dev', 'A', '192.0.2.3')];
    expect(contentOf(zone(...own), fileOf(...lines, 'good A 192.0.2.8'))).toEqual({
      rrsets: [...frame, 'www.corp.internal. A 192.0.2.1', 'x.dev.corp.internal. A 192.0.2.3'],
      problem: expect.stringContaining(`${source}, ${message}`),
      held: [source],
    });
  });

  test('is held when it cannot be read, and awaited while it has not been read yet', () => {
    expect(contentOf(zone(), noFile('there is no such ConfigMap'))).toEqual({
      rrsets: frame,
      problem: `${source}: there is no such ConfigMap`,
      held: [source],
    });
    expect(contentOf(zone(), new Map())).toEqual({ rrsets: frame, waiting: `waiting for ${source}`, held: [source] });
  });

  test('is served despite invalid records of the composite', () => {
    const { rrsets, problem, held } = contentOf(
      zone(record('w', 'A', '192.0.2.1'), record('w', 'CNAME', 'x')),
      fileOf('b A 192.0.2.2'),
    );
    expect([rrsets.at(-1), held]).toEqual([`b.corp.internal. A 192.0.2.2 ${source}`, []]);
    expect(problem).toMatch(/^records\[1\]/);
  });

  test('of several is held independently, with a message of its own', () => {
    const refs = ['one', 'two', 'three'].map((key) => ({ configMap: 'zones', key }));
    const files = new Map(
      [['a A 192.0.2.1'], ['b A 192.0.2.2', 'a A 192.0.2.9'], ['c A 192.0.2.3']].map((lines, index) => [
        `ConfigMap zones, key ${refs[index]!.key}`,
        { text: lines.join('\n') },
      ]),
    );
    expect(contentOf({ zones: [zoneWith('corp.internal', [], { recordsFrom: refs })] }, files)).toEqual({
      rrsets: [
        ...frame,
        'a.corp.internal. A 192.0.2.1 ConfigMap zones, key one',
        'c.corp.internal. A 192.0.2.3 ConfigMap zones, key three',
      ],
      problem:
        'ConfigMap zones, key two, line 2: ConfigMap zones, key one, line 1 has the A of this name already: put every value there',
      held: ['ConfigMap zones, key two'],
    });
  });

  test('may have 150,000 names', () => {
    const text = Array.from({ length: 150_000 }, (_, i) => `h${i} A 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}\n`).join(
      '',
    );
    const contents = desiredZones(declare(zone()), new Map([[source, { text }]]));
    expect(contents.get('corp.internal.')?.rrsets).toHaveLength(150_003);
  });
});

describe('a CNAME loop', () => {
  const refOf = (key: string) => ({ configMap: 'zones', key });
  const sourceOf = (key: string) => `ConfigMap zones, key ${key}`;
  const filesOf = (texts: Record<string, string[]>): ZoneFiles =>
    new Map(Object.entries(texts).map(([key, lines]) => [sourceOf(key), { text: lines.join('\n') }]));

  test('through another zone is reported with the file and the line that close it', () => {
    const zones = [
      zoneWith('corp.internal', [record('a', 'CNAME', 'b.lab.internal.')], { recordsFrom: [refOf('corp')] }),
      zoneWith('lab.internal', [], { recordsFrom: [refOf('lab')] }),
    ];
    const files = filesOf({ corp: ['good A 192.0.2.1'], lab: ['x A 192.0.2.2', '* CNAME a.corp.internal.'] });
    expect(contentOf({ zones }, files, 'lab.internal.')).toEqual({
      rrsets: ['lab.internal. NS ns1.lab.internal.', 'ns1.lab.internal. A 192.0.2.53'],
      problem: `${sourceOf('lab')}, line 2: CNAME loop b.lab.internal -> a.corp.internal -> b.lab.internal (*.lab.internal answers for b.lab.internal): point it to a name that has an address`,
      held: [sourceOf('lab')],
    });
    expect(contentOf({ zones }, files)).toEqual({
      rrsets: [
        ...frame,
        'a.corp.internal. CNAME b.lab.internal.',
        `good.corp.internal. A 192.0.2.1 ${sourceOf('corp')}`,
      ],
      held: [],
    });
  });

  test('of two files is reported for the last one', () => {
    const zones = [zoneWith('corp.internal', [], { recordsFrom: [refOf('one'), refOf('two')] })];
    const { problem, held } = contentOf({ zones }, filesOf({ one: ['a CNAME b'], two: ['b ALIAS a'] }));
    expect(held).toEqual([sourceOf('two')]);
    expect(problem).toMatch(
      /^ConfigMap zones, key two, line 1: CNAME loop b.corp.internal -> a.corp.internal -> b.corp/,
    );
  });

  test('does not exist where a file overrides the wildcard, and is left out otherwise', () => {
    const zones = [
      zoneWith('corp.internal', [record('*.apps', 'CNAME', 'in.apps'), record('x', 'A', '192.0.2.1')], {
        recordsFrom: [fileRef],
      }),
    ];
    const wildcard = '*.apps.corp.internal. CNAME in.apps.corp.internal.';
    expect(contentOf({ zones }, fileOf('in.apps A 192.0.2.7'))).toMatchObject({
      rrsets: expect.arrayContaining([wildcard]),
      held: [],
    });
    // The content of the file is unknown, so it may have the name.
    expect(contentOf({ zones }, noFile('gone')).rrsets).toContain(wildcard);
    expect(contentOf({ zones }, new Map()).rrsets).toContain(wildcard);
    const { rrsets, problem } = contentOf({ zones }, fileOf('other A 192.0.2.7'));
    expect(rrsets).not.toContain(wildcard);
    expect(rrsets).toContain('x.corp.internal. A 192.0.2.1');
    expect(problem).toMatch(
      /^records\[0\]\.values\[0\]: CNAME loop in\.apps\.corp\.internal -> in\.apps\.corp\.internal /,
    );
  });

  test('through a record that follows from a delegation leaves out that record', () => {
    const zones = [
      { ...zoneWith('2.0.192.in-addr.arpa', []), nameServers: ['ns.example'] },
      {
        ...zoneWith('64/26.2.0.192.in-addr.arpa', [record('65', 'CNAME', '65.2.0.192.in-addr.arpa.')]),
        nameServers: ['ns.example'],
      },
    ];
    const { rrsets } = contentOf({ zones }, undefined, '2.0.192.in-addr.arpa.');
    const own = contentOf({ zones }, undefined, '64/26.2.0.192.in-addr.arpa.');
    const leading = [...rrsets, ...own.rrsets].filter((rrset) => rrset.startsWith('65.') && rrset.includes('CNAME'));
    expect(leading).toHaveLength(1);
    expect([own.problem, contentOf({ zones }, undefined, '2.0.192.in-addr.arpa.').problem].join()).toMatch(
      /CNAME loop /,
    );
  });
});

describe('a delegation', () => {
  test('of a declared zone has its declared glue and its DS', () => {
    const child = zoneWith('dev.corp.internal', [record('ns1', 'A', '192.0.2.9')]);
    const ds = new Map([['dev.corp.internal.', ['1 13 2 ab']]]);
    const { rrsets } = desiredZones(declare({ zones: [child, corp] }), undefined, ds).get('corp.internal.')!;
    expect(rrsets.slice(3).map((r) => `${r.name} ${r.type} ${r.records}`)).toEqual([
      'dev.corp.internal. NS ns1.dev.corp.internal.',
      'dev.corp.internal. DS 1 13 2 ab',
      'ns1.dev.corp.internal. A 192.0.2.9',
    ]);
  });

  test('is only in the nearest parent zone', () => {
    const all = zones('corp.internal', 'a.dev.corp.internal', 'dev.corp.internal');
    expect(contentOf({ zones: all }).rrsets).not.toContainEqual(expect.stringContaining('a.dev'));
    expect(contentOf({ zones: all }, undefined, 'dev.corp.internal.').rrsets).toContain(
      'a.dev.corp.internal. NS ns1.a.dev.corp.internal.',
    );
  });
});

describe('a part of a /24 (RFC 2317)', () => {
  const network = '2.0.192.in-addr.arpa';
  const aliases = (declaration: Partial<Declaration>, files?: ZoneFiles) =>
    desiredZones(declare(declaration), files)
      .get(`${network}.`)!
      .rrsets.filter(({ type }) => type === 'CNAME');
  const delegated = (...labels: string[]) => ({
    zones: [
      zoneWith(
        network,
        labels.map((label) => record(label, 'NS', 'ns.tenant.example.')),
      ),
    ],
  });

  test.each<[string, Partial<Declaration>, number, number, string]>([
    ['delegated to others', delegated('64/26'), 64, 127, `64/26.${network}.`],
    ['that is a zone here', { zones: zones(`64/26.${network}`, network) }, 64, 127, `64/26.${network}.`],
    ['written as a range', delegated('5-9'), 5, 9, `5-9.${network}.`],
  ])('%s has a CNAME for each address', (_, declaration, first, last, target) => {
    const records = aliases(declaration);
    expect(records).toHaveLength(last - first + 1);
    expect(records[0]).toEqual({
      name: `${first}.${network}.`,
      type: 'CNAME',
      ttl: expect.any(Number),
      records: [`${first}.${target}`],
      mark,
    });
    expect(records.at(-1)?.name).toBe(`${last}.${network}.`);
  });

  test('does not replace declared records or those of another part', () => {
    const [zone] = delegated('64/26', '126-129', '130-131').zones;
    const own = [record('64', 'PTR', 'gateway.example.'), record('65', 'TXT', 'x')];
    const records = aliases({ zones: [{ ...zone!, records: [...zone!.records!, ...own] }] });
    expect(records.map(({ name }) => name.split('.')[0])).toEqual([
      ...Array.from({ length: 62 }, (_, i) => `${i + 66}`),
      '130',
      '131',
    ]);
    // Overlapping parts are rejected, not delegated.
    expect(records.find(({ name }) => name.startsWith('126.'))?.records).toEqual([`126.64/26.${network}.`]);
    const content = desiredZones(declare({ zones: [zone!] })).get(`${network}.`);
    expect(content?.problem).toContain(
      `126-129.${network} overlaps 64/26.${network}: an address belongs to one part of a network (RFC 2317`,
    );
  });

  test('has the CNAMEs of the file that delegates it', () => {
    const zone = { zones: [zoneWith(network, [], { recordsFrom: [fileRef] })] };
    const records = aliases(zone, fileOf('64/26 NS ns.tenant.example.'));
    expect([records.length, records[0]?.mark]).toEqual([64, fileMark]);
  });

  test('belongs to its own /24 only', () => {
    expect(aliases(delegated('64/26', '65/26', '64/24', 'x'))).toHaveLength(64);
    const above = zoneWith('0.192.in-addr.arpa', [record('64/26.2', 'NS', 'ns.tenant.example.')]);
    const { rrsets } = desiredZones(declare({ zones: [above] })).get('0.192.in-addr.arpa.')!;
    expect(rrsets.filter(({ type }) => type === 'CNAME')).toEqual([]);
  });
});
