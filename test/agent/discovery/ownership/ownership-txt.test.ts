/** The TXT records of ExternalDNS's own registry: written as it would, in a real PowerDNS, and imported again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointOf } from '../../../../functions/agent/discovery/endpoint.ts';
import { importOwnership } from '../../../../functions/agent/discovery/ownership/adoption.ts';
import {
  isOwnershipRecord,
  type OwnershipTXT,
  ownershipMark,
  ownershipRecordName,
  ownershipRecordsFor,
  withOwnershipRecords,
} from '../../../../functions/agent/discovery/ownership/ownership-txt.ts';
import { Database } from '../../../../functions/agent/powerdns/database.ts';
import { request } from '../../../../functions/agent/powerdns/http-request.ts';
import { PowerDNS } from '../../../../functions/agent/powerdns/powerdns.ts';
import {
  answerOf,
  type Change,
  deletion,
  discoveredMark,
  haveSameAnswer,
  type RRset,
  replacement,
  type Zone,
} from '../../../../functions/agent/powerdns/rrset.ts';
import { LuaSupport } from '../../../../functions/agent/zones/lua-support.ts';
import { Zones } from '../../../../functions/agent/zones/zones.ts';
import type { Declaration } from '../../../../functions/contract/declaration.ts';
import { powerdnsFiles } from '../../../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../../powerdns/server.ts';
import { waitTimeoutMs } from '../../../timeouts.ts';
import { declare, discoveredRRset, foreign, record, zone, zoneWith } from '../../make.ts';
import { apiAt } from '../../powerdns/api.ts';

const options: OwnershipTXT = { prefix: 'extdns-%{record_type}.', wildcardReplacement: '_wildcard' };
const dashed: OwnershipTXT = { prefix: 'txt-', wildcardReplacement: '_wildcard' };

describe('an ownership record has the name that ExternalDNS gives it', () => {
  // https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/registry/mapper/mapper_test.go
  test.each([
    ['%{record_type}-', '', 'foo.example.com', 'A', 'a-foo.example.com'],
    ['%{record_type}-', '', 'foo.example.com', 'AAAA', 'aaaa-foo.example.com'],
    ['%{record_type}-', '', 'foo.example.com', 'CNAME', 'cname-foo.example.com'],
    ['%{record_type}-', '', 'foo.example.com', 'NS', 'ns-foo.example.com'],
    ['%{record_type}-', '', 'foo.example.com', 'MX', 'mx-foo.example.com'],
    ['%{record_type}-', '', 'foo.example.com', 'SRV', 'srv-foo.example.com'],
    ['%{record_type}-', '', '2.49.168.192.in-addr.arpa', 'PTR', 'ptr-2.49.168.192.in-addr.arpa'],
    ['%{record_type}-', '', 'foo.example.com', 'TXT', 'txt-foo.example.com'],
    ['txt-', 'wild', '*.example.com', 'A', 'txt-a-wild.example.com'],
    ['txt-', 'wild', '*.example.com', 'MX', 'txt-mx-wild.example.com'],
    ['txt-', 'wild', '*.example.com', 'TXT', 'txt-txt-wild.example.com'],
    ['', '', 'foo.example.com', 'A', 'a-foo.example.com'],
    ['', '', 'foo.example.com', 'AAAA', 'aaaa-foo.example.com'],
    ['', '', 'foo.example.com', 'CNAME', 'cname-foo.example.com'],
    ['', '', '2.49.168.192.in-addr.arpa', 'PTR', 'ptr-2.49.168.192.in-addr.arpa'],
    ['foo', '', 'example.com', 'A', 'fooa-example.com'],
    ['foo-', '', 'example.com', 'A', 'foo-a-example.com'],
    ['foo.', '', 'example.com', 'CNAME', 'foo.cname-example.com'],
    ['foo.bar.', '', 'example.com', 'CNAME', 'foo.bar.cname-example.com'],
    ['%{record_type}-foo', '', 'example.com', 'A', 'a-fooexample.com'],
    ['%{record_type}foo.', '', 'example.com', 'CNAME', 'cnamefoo.example.com'],
    ['bar.%{record_type}.foo.', '', 'example.com', 'CNAME', 'bar.cname.foo.example.com'],
    ['owned-by-', '', 'foo.example.com', 'TXT', 'owned-by-txt-foo.example.com'],
    ['owned-by-', '', '_443._tcp.example.com', 'TLSA', 'owned-by-tlsa-_443._tcp.example.com'],
    // What its ToTXTName returns for more prefixes, for wildcards and for the apex.
    ['Txt-', '', '*.corp.internal', 'A', 'txt-a-*.corp.internal'],
    ['Txt-', '_Wildcard', 'www.corp.internal', 'A', 'txt-a-www.corp.internal'],
    ['Txt-', '_Wildcard', 'www.corp.internal', 'CNAME', 'txt-cname-www.corp.internal'],
    ['Txt-', '_Wildcard', 'corp.internal', 'A', 'txt-a-corp.internal'],
    ['Txt-', '_Wildcard', '*.corp.internal', 'A', 'txt-a-_wildcard.corp.internal'],
    ['Txt-', '_Wildcard', 'internal', 'A', 'txt-a-internal'],
    ['foo.bar.', '', '*.corp.internal', 'A', 'foo.bar.a-*.corp.internal'],
    ['foo.bar.', '_Wildcard', 'www.corp.internal', 'A', 'foo.bar.a-www.corp.internal'],
    ['foo.bar.', '_Wildcard', 'www.corp.internal', 'CNAME', 'foo.bar.cname-www.corp.internal'],
    ['foo.bar.', '_Wildcard', 'corp.internal', 'A', 'foo.bar.a-corp.internal'],
    ['foo.bar.', '_Wildcard', '*.corp.internal', 'A', 'foo.bar.a-_wildcard.corp.internal'],
    ['foo.bar.', '_Wildcard', 'internal', 'A', 'foo.bar.a-internal'],
  ])('prefix %j, wildcard replacement %j: %s %s', (prefix, wildcardReplacement, name, type, expected) => {
    expect(ownershipRecordName(`${name}.`, type, { prefix, wildcardReplacement })).toBe(`${expected}.`);
  });
});

const text = (owner: string, resource: string) =>
  `"heritage=external-dns,external-dns/owner=${owner},external-dns/resource=${resource}"`;
const a = (name: string, resource = 'ingress/a/x') => discoveredRRset(resource, name, 'A', '192.0.2.1');
const ownershipRecord = (name: string, resource = 'ingress/a/x', owner = 'corp'): RRset => ({
  name,
  type: 'TXT',
  ttl: 300,
  records: [text(owner, resource)],
  mark: ownershipMark,
});
const unmarked = ({ mark, ...rrset }: RRset): RRset => rrset;
const short = ({ name, type }: Pick<RRset, 'name' | 'type'>) => `${name} ${type}`;

describe('ownership records', () => {
  const recordsIn = (rrsets: RRset[], how = options) => ownershipRecordsFor('corp.internal.', rrsets, how);
  const namesOf = (rrsets: RRset[], how = options) => recordsIn(rrsets, how).map(({ name }) => name);

  test('exist for each discovered RRset and for nothing else', () => {
    const rrsets = [a('w.corp.internal.'), foreign('f.corp.internal.', 'A', '192.0.2.2'), ...zone().rrsets];
    expect(recordsIn(rrsets)).toEqual([ownershipRecord('extdns-a.w.corp.internal.')]);
    expect(recordsIn([...rrsets, ...recordsIn(rrsets)])).toEqual(recordsIn(rrsets));
  });

  test.each<[string, string, string[], string[]]>([
    ['a name', 'w.corp.internal.', ['extdns-a.w.corp.internal.'], ['txt-a-w.corp.internal.']],
    ['the apex', 'corp.internal.', ['extdns-a.corp.internal.'], []],
    ['a wildcard', '*.corp.internal.', ['extdns-a._wildcard.corp.internal.'], ['txt-a-_wildcard.corp.internal.']],
    ['a label of 63 characters', `${'x'.repeat(63)}.corp.internal.`, [`extdns-a.${'x'.repeat(63)}.corp.internal.`], []],
    ['a name of 253 characters', `${'x.'.repeat(120)}corp.internal.`, [], []],
  ])('have legal names in the zone: %s', (_, name, dotted, inLabel) => {
    expect(namesOf([a(name)])).toEqual(dotted);
    expect(namesOf([a(name)], dashed)).toEqual(inLabel);
  });

  test('of wildcards need a replacement for the asterisk', () => {
    expect(namesOf([a('*.corp.internal.')], { ...options, wildcardReplacement: '' })).toEqual([]);
  });

  test('do not replace what already has their name', () => {
    const w = a('w.corp.internal.');
    const at = 'extdns-a.w.corp.internal.';
    for (const other of [
      foreign(at, 'TXT', '"x"'),
      foreign(at, 'CNAME', 'x.'),
      discoveredRRset('o/a/b', at, 'CNAME', 'x.'),
    ]) {
      expect(namesOf([w, other]).filter((name) => name === at)).toEqual([]);
    }
    expect(namesOf([w, foreign(at, 'A', '192.0.2.2')])).toEqual([at]);
    expect(namesOf([a('w.corp.internal.'), foreign('w.corp.internal.', 'DNAME', 'x.')])).toEqual([]);
  });

  test('of two RRsets with one name are one, whatever their order', () => {
    const shared = { prefix: 'x%{record_type}', wildcardReplacement: '' };
    const both = [
      a('aaafoo.corp.internal.', 'ingress/b/x'),
      discoveredRRset('ingress/a/x', 'foo.corp.internal.', 'AAAA', '::1'),
    ];
    expect(recordsIn(both, shared)).toEqual([ownershipRecord('xaaaafoo.corp.internal.')]);
    expect(recordsIn(both.toReversed(), shared)).toEqual(recordsIn(both, shared));
  });

  test.each<[string, string, string, string | undefined]>([
    ['of a namespace', 'corp/team-a', 'ingress/a/x', text('corp/team-a', 'ingress/a/x')],
    ['with a comma, which could not be parsed: no record', 'corp,x', 'ingress/a/x', undefined],
    [
      'of an object with a quote: without the object',
      'corp',
      'ingress/"/x',
      '"heritage=external-dns,external-dns/owner=corp"',
    ],
    ['of an object without a name: without the object', 'corp', '', '"heritage=external-dns,external-dns/owner=corp"'],
  ])('name the owner %s', (_, owner, resource, content) => {
    const [created] = recordsIn([{ ...a('w.corp.internal.'), mark: discoveredMark(owner, resource) }]);
    expect(created?.records).toEqual(content && [content]);
  });

  test('are split into several strings when the object has a long name', () => {
    const resource = `ingress/${'n'.repeat(63)}/${'x'.repeat(253)}`;
    const [created] = recordsIn([a('w.corp.internal.', resource)]);
    const [first = '', second = '', ...more] = created?.records[0]?.split('" "') ?? [];
    expect([first.length, more]).toEqual([256, []]);
    expect(`${first}${second}`).toBe(text('corp', resource));
  });
});

describe('the changes of discovered records', () => {
  const changed = (rrsets: RRset[], changes: Change[], how: OwnershipTXT | undefined = options) =>
    withOwnershipRecords({ ...zone(), rrsets }, changes, how).map(({ action, rrset }) => `${action} ${short(rrset)}`);
  const w = a('w.corp.internal.');
  const its = ownershipRecord('extdns-a.w.corp.internal.');

  test('come with those of their ownership records', () => {
    expect(changed([], [replacement(w)])).toEqual([
      'replace w.corp.internal. A',
      'replace extdns-a.w.corp.internal. TXT',
    ]);
    expect(changed([w, its], [deletion(w)])).toEqual([
      'delete w.corp.internal. A',
      'delete extdns-a.w.corp.internal. TXT',
    ]);
    const cname = discoveredRRset('ingress/a/x', w.name, 'CNAME', 'lb.example.');
    expect(changed([w, its], [deletion(w), replacement(cname)])).toEqual([
      'delete w.corp.internal. A',
      'replace w.corp.internal. CNAME',
      'delete extdns-a.w.corp.internal. TXT',
      'replace extdns-cname.w.corp.internal. TXT',
    ]);
  });

  test('leave an unchanged ownership record alone, and add none without ownershipTXT', () => {
    expect(changed([w, its], [replacement({ ...w, records: ['192.0.2.2'] })])).toEqual(['replace w.corp.internal. A']);
    expect(withOwnershipRecords(zone(), [replacement(w)], undefined)).toEqual([replacement(w)]);
  });

  test('update the ownership record when another object has the name', () => {
    const moved = a(w.name, 'ingress/b/x');
    expect(withOwnershipRecords({ ...zone(), rrsets: [w, its] }, [replacement(moved)], options).slice(1)).toEqual([
      replacement({ ...its, records: [text('corp', 'ingress/b/x')] }),
    ]);
  });

  test('leave an unmanaged TXT record at the name of an ownership record', () => {
    const unmanaged = foreign(its.name, 'TXT', '"theirs"');
    expect(changed([unmanaged], [replacement(w)])).toEqual(['replace w.corp.internal. A']);
    expect(changed([w, unmanaged], [deletion(w)])).toEqual(['delete w.corp.internal. A']);
  });
});

describe('a record from ExternalDNS’s own registry', () => {
  const w = foreign('w.corp.internal.', 'A', '192.0.2.1');
  const at = 'extdns-a.w.corp.internal.';
  const its = unmarked(ownershipRecord(at));
  const adoptedIn = (...rrsets: RRset[]) => importOwnership({ ...zone(), rrsets }, 'corp', options);

  test('counts as discovered, and its ownership record as ours', () => {
    const { rrsets } = adoptedIn(w, its);
    expect(rrsets).toEqual([
      { ...w, mark: discoveredMark('corp', 'ingress/a/x'), isAdopted: true },
      { ...its, mark: ownershipMark, isAdopted: true },
    ]);
  });

  test.each<[string, RRset, RRset, string[]]>([
    [
      'that names a namespace’s owner',
      w,
      unmarked(ownershipRecord(at, 'ingress/a/x', 'corp/a')),
      ['external-dns/corp/a', 'internal-dns'],
    ],
    ['that is ours already', w, ownershipRecord(at), ['external-dns/corp', 'internal-dns']],
    [
      'that names only the owner',
      w,
      foreign(at, 'TXT', '"heritage=external-dns,external-dns/owner=corp"'),
      ['external-dns/corp', 'internal-dns'],
    ],
    ['that alone has lost its mark', a('w.corp.internal.'), its, ['external-dns/corp', 'internal-dns']],
  ])('counts as discovered with an ownership record %s', (_, rrset, beside, accounts) => {
    expect(adoptedIn(rrset, beside).rrsets.map(({ mark }) => mark?.account)).toEqual(accounts);
  });

  test.each<[string, RRset[]]>([
    ['no ownership record', [w]],
    ['that of another owner', [w, unmarked(ownershipRecord(at, 'ingress/a/x', 'corp2'))]],
    ['that of another type', [w, { ...its, name: 'extdns-aaaa.w.corp.internal.' }]],
    ['another text at its name', [w, foreign(at, 'TXT', '"owner=corp"')]],
    ['another heritage', [w, foreign(at, 'TXT', '"heritage=other,external-dns/owner=corp"')]],
    ['several texts', [w, { ...its, records: [...its.records, '"x"'] }]],
    ['one that was discovered itself', [w, { ...its, mark: discoveredMark('corp', 'crd/a/b') }]],
    ['an ownership record alone', [its]],
    ['an ownership record of an ownership record', [its, { ...its, name: `extdns-txt.${at}` }]],
    [
      'a type that is not discovered',
      [foreign('w.corp.internal.', 'LUA', 'A "x"'), { ...its, name: 'extdns-lua.w.corp.internal.' }],
    ],
    [
      'the NS RRset at the apex',
      [foreign('corp.internal.', 'NS', 'ns.example.'), { ...its, name: 'extdns-ns.corp.internal.' }],
    ],
  ])('does not with %s, and the zone stays the same object', (_, rrsets) => {
    const current = { ...zone(), rrsets };
    expect(importOwnership(current, 'corp', options)).toBe(current);
  });

  test('does not with other options or for another owner', () => {
    const current = { ...zone(), rrsets: [w, its] };
    expect(importOwnership(current, 'corp', dashed)).toBe(current);
    expect(importOwnership(current, 'other', options)).toBe(current);
  });

  test('compares like a marked one, and never shows that it was adopted', () => {
    for (const rrset of adoptedIn(w, its).rrsets) {
      const { isAdopted, ...written } = rrset;
      expect([isAdopted, haveSameAnswer(rrset, written), answerOf(rrset)]).toEqual([true, true, answerOf(written)]);
      expect(endpointOf(rrset)).toEqual(endpointOf(written));
    }
  });

  test('is imported whatever was discovered', () => {
    const rrset = fc
      .record({
        name: fc.constantFrom('corp.internal.', 'w.corp.internal.', '*.corp.internal.', 'a-w.corp.internal.'),
        of: fc.constantFrom<[string, string]>(['A', '192.0.2.1'], ['AAAA', '::1'], ['TXT', '"x"'], ['MX', '10 m.']),
        resource: fc.constantFrom('ingress/a/x', 'service/b/y'),
        owner: fc.constantFrom('corp', 'corp/a'),
      })
      .map(
        ({ name, of: [type, content], resource, owner }): RRset => ({
          ...discoveredRRset(resource, name, type, content),
          mark: discoveredMark(owner, resource),
        }),
      );
    fc.assert(
      fc.property(fc.uniqueArray(rrset, { selector: short }), fc.constantFrom(options, dashed), (discovered, how) => {
        const records = ownershipRecordsFor('corp.internal.', discovered, how);
        const owned = new Set(records.map(({ name }) => name));
        const possible = discovered.filter(({ name, type }) => owned.has(ownershipRecordName(name, type, how)));
        const current = { ...zone(), rrsets: [...possible, ...records] };
        const { rrsets } = importOwnership({ ...current, rrsets: current.rrsets.map(unmarked) }, 'corp', how);
        expect(rrsets).toEqual(current.rrsets.map((each) => ({ ...each, isAdopted: true })));
      }),
    );
  });
});

describe('in a real PowerDNS', { tags: 'PowerDNS' }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'ownership-'));
  const keyFile = join(dir, 'include/api.conf');
  let server: RunningPowerDNS;
  let writes = 0;
  let zones: Zones;
  let database: Database;

  beforeAll(async () => {
    server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir });
    const counted: typeof request = (url, options) => {
      if (options.method !== 'GET') writes += 1;
      return request(url, options);
    };
    database = new Database(new PowerDNS({ api: server.apiUrl, keyFile, request: counted, timeoutMs: waitTimeoutMs }), {
      maxAgeMs: 0,
    });
    zones = new Zones({
      ...{ database, answers: async () => true, lua: new LuaSupport() },
      ...{ log: pino({ enabled: false }), now: Date.now },
    });
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true });
  });

  const declaration = (ownershipTXT: OwnershipTXT | undefined = options): Declaration =>
    declare({
      zones: [zoneWith('corp.internal', [record('declared', 'A', '192.0.2.7')])],
      discovery: { ownerID: 'corp', intervalSeconds: 2, ownershipTXT },
    });
  const reconcile = async (declared = declaration()) => {
    const loaded = { hash: JSON.stringify(declared), declaration: declared, outline: declared, files: new Map() };
    await zones.reconcile(loaded);
    const before = writes;
    await zones.reconcile({ ...loaded });
    expect(writes).toBe(before);
  };
  const present = async (): Promise<Zone> => (await zones.current()).zones[0]!;
  /** What PowerDNS has beside the declared records. */
  const current = async () =>
    ((await database.zones())[0]?.rrsets ?? [])
      .filter((rrset) => isOwnershipRecord(rrset) || rrset.mark?.account !== 'internal-dns')
      .map((rrset) => `${short(rrset)} ${rrset.records} ${rrset.mark?.account ?? '-'}`)
      .sort();
  const apply = async (...changes: Change[]) => {
    expect(await database.apply(await present(), withOwnershipRecords(await present(), changes, options))).toEqual([]);
  };
  /** Writes as ExternalDNS's pdns provider does, without comments. */
  const byProvider = (...rrsets: [string, string, ...string[]][]) =>
    apiAt(server.apiUrl, keyFile)('PATCH', '/zones/corp.internal.', {
      rrsets: rrsets.map(([name, type, ...contents]) => ({
        name,
        type,
        ttl: 300,
        changetype: contents.length > 0 ? 'REPLACE' : 'DELETE',
        records: contents.map((content) => ({ content, disabled: false })),
      })),
    });

  const long = `ingress/${'n'.repeat(63)}/${'x'.repeat(253)}`;
  const discovered = [
    a('corp.internal.'),
    a('*.w.corp.internal.'),
    discoveredRRset(long, 'l.corp.internal.', 'CNAME', 'lb.example.'),
  ];

  test('ownership records are created, changed and deleted with their RRsets, and nothing is written at rest', async () => {
    await reconcile();
    await apply(...discovered.map(replacement));
    const all = [
      '*.w.corp.internal. A 192.0.2.1 external-dns/corp',
      'corp.internal. A 192.0.2.1 external-dns/corp',
      `extdns-a._wildcard.w.corp.internal. TXT ${text('corp', 'ingress/a/x')} internal-dns`,
      `extdns-a.corp.internal. TXT ${text('corp', 'ingress/a/x')} internal-dns`,
      `extdns-cname.l.corp.internal. TXT ${ownershipRecordsFor('corp.internal.', discovered, options)[2]?.records} internal-dns`,
      'l.corp.internal. CNAME lb.example. external-dns/corp',
    ];
    expect(await current()).toEqual(all);
    const { answers } = await server.query('extdns-a.corp.internal', 'TXT');
    expect(`"${(answers[0] as { data: Buffer[] }).data}"`).toBe(text('corp', 'ingress/a/x'));
    await reconcile();
    expect(await current()).toEqual(all);

    await apply(...discovered.slice(1).map(deletion), replacement(a('corp.internal.', 'ingress/b/x')));
    await reconcile();
    expect(await current()).toEqual([
      'corp.internal. A 192.0.2.1 external-dns/corp',
      `extdns-a.corp.internal. TXT ${text('corp', 'ingress/b/x')} internal-dns`,
    ]);
    await apply(deletion(discovered[0]!));
    expect(await current()).toEqual([]);
  });

  test('ownership records follow a changed declaration', async () => {
    await reconcile();
    await database.apply(await present(), [replacement(a('w.corp.internal.'))]);
    const w = 'w.corp.internal. A 192.0.2.1 external-dns/corp';
    const its = (name: string) => `${name}.corp.internal. TXT ${text('corp', 'ingress/a/x')} internal-dns`;
    await reconcile();
    expect(await current()).toEqual([its('extdns-a.w'), w]);
    await reconcile(declaration(dashed));
    expect(await current()).toEqual([its('txt-a-w'), w]);
    await reconcile(declare({ ...declaration(), discovery: { ownerID: 'corp', intervalSeconds: 2 } }));
    expect(await current()).toEqual([w]);
    await reconcile(declare({ ...declaration(), discovery: undefined }));
    expect(await current()).toEqual([]);
  });

  test('what the built-in provider changed or created is ours again, and unmanaged records are not', async () => {
    await reconcile();
    await apply(
      replacement(a('kept.corp.internal.')),
      replacement(a('changed.corp.internal.')),
      replacement(a('gone.corp.internal.')),
    );
    const its = text('corp', 'ingress/a/x');
    await byProvider(
      ['changed.corp.internal.', 'A', '192.0.2.2'],
      ['extdns-a.changed.corp.internal.', 'TXT', its],
      ['gone.corp.internal.', 'A'],
      ['extdns-a.gone.corp.internal.', 'TXT'],
      ['new.corp.internal.', 'AAAA', '2001:db8::1'],
      ['extdns-aaaa.new.corp.internal.', 'TXT', text('corp', long)],
      ['theirs.corp.internal.', 'A', '192.0.2.3'],
    );
    const wasFound = (await present()).rrsets.filter(({ mark }) => mark?.account === 'external-dns/corp');
    expect(wasFound.map(({ name, mark }) => `${name} ${mark?.content}`).sort()).toEqual([
      'changed.corp.internal. ingress/a/x',
      'kept.corp.internal. ingress/a/x',
      `new.corp.internal. ${long}`,
    ]);
    await reconcile();
    const all = await current();
    expect(all.map((line) => `${line.split(' ').slice(0, 2).join(' ')} ${line.split(' ').at(-1)}`)).toEqual([
      'changed.corp.internal. A external-dns/corp',
      'extdns-a.changed.corp.internal. TXT internal-dns',
      'extdns-a.kept.corp.internal. TXT internal-dns',
      'extdns-aaaa.new.corp.internal. TXT internal-dns',
      'kept.corp.internal. A external-dns/corp',
      'new.corp.internal. AAAA external-dns/corp',
      'theirs.corp.internal. A -',
    ]);
    expect(all[0]).toContain('192.0.2.2');
    // They stay ours without ownership records.
    await reconcile(declare({ ...declaration(), discovery: undefined }));
    expect(await current()).toEqual(['theirs.corp.internal. A 192.0.2.3 -']);
  });
});
