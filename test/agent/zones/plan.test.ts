import { describe, expect, test } from 'vitest';
import { declaredAccount, discoveredMark, type RRset, type Zone } from '../../../functions/agent/powerdns/rrset.ts';
import { desiredZones } from '../../../functions/agent/zones/desired-zone.ts';
import { type PlanOptions, planZones } from '../../../functions/agent/zones/plan.ts';
import type { ZoneFiles } from '../../../functions/agent/zones/zone-file.ts';
import type { DeclaredRecord } from '../../../functions/dns/record.ts';
import {
  changesFor,
  corp,
  declare,
  discoveredRRset,
  fileMark,
  fileOf,
  fileRef,
  foreign,
  noFile,
  reconciled,
  record,
  zone,
  zones,
  zoneWith,
} from '../make.ts';
import { MemoryZones } from './memory-zones.ts';

const short = ({ name, type }: Pick<RRset, 'name' | 'type'>) => `${name} ${type}`;

/** Summarizes the planned changes. */
function todo(declaration: ReturnType<typeof declare>, present: Zone[]) {
  const { create, patch, remove, retained } = changesFor(declaration, present);
  return {
    create: create.map(({ name, rrsets }) => [name, ...rrsets.map(short)]),
    patch: patch.map(({ zone, changes }) => [zone.name, ...changes.map((c) => `${c.action} ${short(c.rrset)}`)]),
    remove: remove.map(({ name }) => name),
    retained: retained.map(({ name, message }) => `${name} ${message}`),
  };
}
const nothing = { create: [], patch: [], remove: [], retained: [] };
const both = declare({ zones: zones('corp.internal', 'dev.corp.internal') });
const inChild = discoveredRRset('o', 'a.dev.corp.internal.', 'A', '192.0.2.1');

test('a missing zone is created', () => {
  expect(todo(declare(), [])).toEqual({
    ...nothing,
    create: [['corp.internal.', 'corp.internal. SOA', 'corp.internal. NS', 'ns1.corp.internal. A']],
  });
});

test('a zone in its desired state, with discovered names in it, is not changed', () => {
  const more = [discoveredRRset('o', 'a.corp.internal.', 'A', '192.0.2.1'), foreign('b.corp.internal.', 'TXT', '"x"')];
  expect(todo(declare(), [zone('corp.internal', more)])).toEqual(nothing);
});

describe('drift is repaired', () => {
  const drifted = (change: (rrsets: RRset[]) => RRset[]) => {
    const present = zone();
    return todo(declare(), [{ ...present, rrsets: change(present.rrsets) }]).patch;
  };
  test.each(['SOA', 'NS', 'A'])('a missing %s', (type) => {
    const name = type === 'A' ? 'ns1.corp.internal.' : 'corp.internal.';
    expect(drifted((rrsets) => rrsets.filter((r) => r.type !== type))).toEqual([
      ['corp.internal.', `replace ${name} ${type}`],
    ]);
  });
  test.each(['SOA', 'NS', 'A'])('an edited %s', (type) => {
    const edited = (rrsets: RRset[]) => rrsets.map((r) => (r.type === type ? { ...r, records: ['other'] } : r));
    expect(drifted(edited)[0]).toHaveLength(2);
    const unmarked = (rrsets: RRset[]) => rrsets.map(({ mark, ...r }) => (r.type === type ? r : { ...r, mark: mark! }));
    expect(drifted(unmarked)[0]).toHaveLength(2);
  });
  test('but the serial stays', () => {
    const counted = (rrsets: RRset[]) =>
      rrsets.map((r) => ({ ...r, records: r.records.map((c) => c.replace(' 0 ', ' 2026112101 ')) }));
    expect(drifted(counted)).toEqual([]);
  });
});

test('a record that is no longer declared is deleted', () => {
  const before = declare({ addresses: ['192.0.2.53', '2001:db8::53'] });
  const now = declare({ zones: [{ name: 'corp.internal', nameServers: ['ns.example.com'] }] });
  expect(todo(now, [zone('corp.internal', [], before)]).patch).toEqual([
    [
      'corp.internal.',
      'delete ns1.corp.internal. A',
      'delete ns1.corp.internal. AAAA',
      'replace corp.internal. SOA',
      'replace corp.internal. NS',
    ],
  ]);
});

test('a declared record replaces a discovered one at its name, and no unmanaged one', () => {
  const declaration = declare({ zones: [{ name: 'corp.internal', nameServers: ['dns.corp.internal'] }] });
  const at = (rrset: RRset) => todo(declaration, [{ ...zone(), rrsets: [rrset] }]).patch[0]!.slice(1);
  const missing = ['replace corp.internal. SOA', 'replace corp.internal. NS', 'replace dns.corp.internal. A'];
  expect(at(discoveredRRset('o', 'dns.corp.internal.', 'CNAME', 'x.'))).toEqual([
    'delete dns.corp.internal. CNAME',
    ...missing,
  ]);
  expect(at(discoveredRRset('o', 'dns.corp.internal.', 'AAAA', '::1'))).toEqual([
    'delete dns.corp.internal. AAAA',
    ...missing,
  ]);
  expect(at(discoveredRRset('o', 'dns.corp.internal.', 'A', '192.0.2.1'))).toEqual(missing);
  expect(at(foreign('dns.corp.internal.', 'CNAME', 'x.'))).toEqual(missing);
});

test.each([
  ['a checked A', { check: { port: 80 } }, 'A', ['A']],
  ['a checked AAAA', { check: { port: 80 } }, 'AAAA', ['AAAA']],
  ['an ALIAS', {}, 'ALIAS', ['A', 'AAAA']],
  ['a plain A', {}, 'A', ['LUA']],
] as const)(
  'of addresses that somebody made %s takes the place of those that it answers itself',
  (_, more, type, removed) => {
    const values = { A: '192.0.2.1', AAAA: '2001:db8::1', ALIAS: 'lb.example.' };
    const records = [{ ...record('www', type, values[type]), ...more }];
    const present = [
      foreign('www.corp.internal.', 'A', '192.0.2.9'),
      foreign('www.corp.internal.', 'AAAA', '2001:db8::9'),
      foreign('www.corp.internal.', 'LUA', `A "'192.0.2.9'"`, `TXT "'x'"`),
      foreign('www.corp.internal.', 'TXT', '"x"'),
    ].filter((rrset) => rrset.type !== 'LUA' || removed.some((each) => each === 'LUA'));
    const [patch = []] = todo(declare({ zones: [zoneWith('corp.internal', records)] }), [
      zone('corp.internal', present),
    ]).patch;
    expect(patch.filter((change) => change.startsWith('delete'))).toEqual(
      removed.map((each) => `delete www.corp.internal. ${each}`),
    );
  },
);

test('without discovery all discovered records are deleted, and no others', () => {
  const present = zone('corp.internal', [
    discoveredRRset('o', 'a.corp.internal.', 'A', '192.0.2.1'),
    foreign('b.corp.internal.', 'A', '192.0.2.2'),
  ]);
  expect(todo(declare({ discovery: undefined }), [present])).toEqual({
    ...nothing,
    patch: [['corp.internal.', 'delete a.corp.internal. A']],
  });
});

describe('a zone that is not declared', () => {
  const none = declare({ zones: [] });

  test('is deleted with its discovered records', () => {
    const present = [zone('corp.internal', [discoveredRRset('o', 'a.corp.internal.', 'A', '192.0.2.1')])];
    expect(todo(none, present)).toEqual({ ...nothing, remove: ['corp.internal.'] });
  });

  test('is kept for its unmanaged records, without the discovered ones', () => {
    const present = [
      zone('corp.internal', [
        foreign('x.corp.internal.', 'A', '192.0.2.9'),
        discoveredRRset('o', 'a.corp.internal.', 'A', '192.0.2.1'),
      ]),
    ];
    expect(todo(none, present)).toEqual({
      ...nothing,
      patch: [['corp.internal.', 'delete a.corp.internal. A']],
      retained: [
        "corp.internal. no longer declared, but kept for records that are not this instance's, such as x.corp.internal A",
      ],
    });
  });

  test('is left alone if this instance did not create it', () => {
    expect(todo(none, [{ ...zone(), account: '' }])).toEqual({
      ...nothing,
      retained: ['corp.internal. not declared, and not made by this instance: left alone'],
    });
  });
});

describe('discovered records move to the zone that answers for them', () => {
  const delegation = ['replace dev.corp.internal. NS', 'replace ns1.dev.corp.internal. A'];

  test('into a new child zone', () => {
    const { create, patch } = todo(both, [
      zone('corp.internal', [inChild, discoveredRRset('o', 'b.corp.internal.', 'A', '192.0.2.2')]),
    ]);
    expect(create).toEqual([
      [
        'dev.corp.internal.',
        'dev.corp.internal. SOA',
        'dev.corp.internal. NS',
        'ns1.dev.corp.internal. A',
        short(inChild),
      ],
    ]);
    expect(patch).toEqual([['corp.internal.', `delete ${short(inChild)}`, ...delegation]]);
  });

  test('and back to the parent zone', () => {
    const present = [zone('corp.internal', [], both), zone('dev.corp.internal', [inChild])];
    const undelegated = delegation.map((change) => change.replace('replace', 'delete'));
    expect(todo(declare(), present)).toEqual({
      ...nothing,
      patch: [['corp.internal.', ...undelegated, `replace ${short(inChild)}`]],
      remove: ['dev.corp.internal.'],
    });
  });

  test('unless another record has their name', () => {
    const cname = discoveredRRset('o', 'dev.corp.internal.', 'CNAME', 'x.');
    const server = discoveredRRset('o', 'ns1.dev.corp.internal.', 'AAAA', '2001:db8::1');
    expect(todo(both, [zone('corp.internal', [cname, server])]).create[0]).toHaveLength(4);
    const present = [
      zone('corp.internal', [foreign('a.dev.corp.internal.', 'CNAME', 'x.')]),
      zone('dev.corp.internal', [inChild]),
    ];
    expect(todo(declare(), present).patch).toEqual([]);
  });

  test('unmanaged records do not move', () => {
    const present = zone('corp.internal', [foreign('a.dev.corp.internal.', 'A', '192.0.2.9')]);
    expect(todo(both, [present]).patch).toEqual([['corp.internal.', ...delegation]]);
  });
});

/** Returns the reconciled zones and their lines `name type content`, without SOA and NS. Expects a second plan to be empty. */
async function after(
  declaration: ReturnType<typeof declare>,
  present: Zone[],
  files?: ZoneFiles,
  lua?: boolean,
): Promise<{ zones: Zone[]; lines: string[] }> {
  const zones = await reconciled(declaration, present, files, lua);
  const { create, patch, remove } = changesFor(declaration, zones, files, lua);
  expect({ create, patch, remove }).toEqual({ create: [], patch: [], remove: [] });
  const lines = zones
    .flatMap(({ rrsets }) => rrsets)
    .filter(({ type, name }) => type !== 'SOA' && !(type === 'NS' && zones.some((z) => z.name === name)))
    .map((r) => `${short(r)} ${r.records.join(' ')}`);
  return { zones, lines: lines.filter((line) => !line.startsWith('ns1.')).sort() };
}

const corpWith = (...records: DeclaredRecord[]) => declare({ zones: [zoneWith('corp.internal', records)] });
const a = (name: string, address: string) => discoveredRRset('ingress/a/x', name, 'A', address);

describe('declared records', () => {
  test('are created, changed, replaced by another type and deleted', async () => {
    const steps: [DeclaredRecord[], string[]][] = [
      [
        [record('w', 'A', '192.0.2.1'), record('w', 'TXT', 'x')],
        ['A 192.0.2.1', 'TXT "x"'],
      ],
      [[record('w', 'A', '192.0.2.2', '192.0.2.3')], ['A 192.0.2.2 192.0.2.3']],
      [[record('w', 'CNAME', 'b')], ['CNAME b.corp.internal.']],
      [[record('w', 'AAAA', '2001:db8::1')], ['AAAA 2001:db8::1']],
      [[record('w', 'ALIAS', 'b')], ['ALIAS b.corp.internal.']],
      [[], []],
    ];
    let present: Zone[] = [];
    for (const [records, lines] of steps) {
      const { zones, lines: result } = await after(corpWith(...records), present);
      expect(result).toEqual(lines.map((line) => `w.corp.internal. ${line}`));
      present = zones;
    }
  });

  test('replace the discovered records that they conflict with, and no others', async () => {
    const present = [a('w.corp.internal.', '192.0.2.9'), a('x.corp.internal.', '192.0.2.9')];
    const { lines } = await after(corpWith(record('w', 'AAAA', '::1'), record('x', 'TXT', 'x')), [
      zone('corp.internal', present),
    ]);
    expect(lines).toEqual(['w.corp.internal. AAAA ::1', 'x.corp.internal. A 192.0.2.9', 'x.corp.internal. TXT "x"']);
  });

  test('leave unmanaged records of other types at their name', async () => {
    const present = zone('corp.internal', [foreign('w.corp.internal.', 'TXT', '"theirs"')]);
    const { zones: declared } = await after(corpWith(record('w', 'A', '192.0.2.1')), [present]);
    expect((await after(declare(), declared)).lines).toEqual(['w.corp.internal. TXT "theirs"']);
  });
});

describe('a changed SOA', () => {
  const declaration = declare({ zones: [{ ...corp, soa: { minimum: 30 } }] });
  const soaOf = (present: Zone) =>
    changesFor(declaration, [present]).patch[0]?.changes.find((c) => c.rrset.type === 'SOA');
  const counted = zone();
  counted.rrsets[0]!.records = ['ns1.corp.internal. hostmaster.corp.internal. 2026112199 3600 600 604800 5'];

  test('keeps the serial, from which PowerDNS counts on', () => {
    expect(soaOf(counted)).toEqual({
      action: 'replace',
      rrset: expect.objectContaining({
        records: ['ns1.corp.internal. hostmaster.corp.internal. 2026112199 3600 600 604800 30'],
      }),
    });
  });

  test('keeps the serial with dots in the local part of RNAME', () => {
    const named = declare({ zones: [{ ...corp, soa: { rname: 'first.last@corp.internal' } }] });
    const [change] = changesFor(named, [counted]).patch[0]!.changes;
    expect((change as { rrset: RRset }).rrset.records).toEqual([
      'ns1.corp.internal. first\\.last.corp.internal. 2026112199 3600 600 604800 5',
    ]);
  });
});

describe('a delegation', () => {
  const delegated = corpWith(record('dev', 'NS', 'ns.dev'), record('ns.dev', 'A', '192.0.2.53'));
  const below = [
    a('dev.corp.internal.', '192.0.2.1'),
    a('x.dev.corp.internal.', '192.0.2.1'),
    a('ns.dev.corp.internal.', '192.0.2.1'),
    discoveredRRset('o', '*.x.dev.corp.internal.', 'CNAME', 'lb.example.'),
  ];
  const beside = [a('xdev.corp.internal.', '192.0.2.1'), foreign('y.dev.corp.internal.', 'A', '192.0.2.9')];

  test('removes the discovered records at its name and below it, and no others', async () => {
    const { lines } = await after(delegated, [zone('corp.internal', [...below, ...beside])]);
    expect(lines).toEqual([
      'dev.corp.internal. NS ns.dev.corp.internal.',
      'ns.dev.corp.internal. A 192.0.2.53',
      'xdev.corp.internal. A 192.0.2.1',
      'y.dev.corp.internal. A 192.0.2.9',
    ]);
  });

  test('by DNAME leaves the discovered records at its own name', async () => {
    const { lines } = await after(corpWith(record('dev', 'DNAME', 'new.example.')), [zone('corp.internal', below)]);
    expect(lines).toEqual(['dev.corp.internal. A 192.0.2.1', 'dev.corp.internal. DNAME new.example.']);
  });

  test('hides nothing while an unmanaged record has its name', () => {
    const present = zone('corp.internal', [
      a('x.dev.corp.internal.', '192.0.2.1'),
      foreign('dev.corp.internal.', 'CNAME', 'lb.example.'),
    ]);
    const { patch } = changesFor(corpWith(record('dev', 'DNAME', 'new.example.')), [present]);
    const deleted = patch.flatMap(({ changes }) => changes).filter(({ action }) => action === 'delete');
    expect(deleted).toEqual([]);
  });

  test('does not get back the records of a deleted child zone', async () => {
    const present = [zone('corp.internal'), zone('dev.corp.internal', [inChild])];
    const { lines, zones: remaining } = await after(delegated, present);
    expect(remaining.map(({ name }) => name)).toEqual(['corp.internal.']);
    expect(lines).not.toContainEqual(expect.stringContaining('a.dev'));
  });
});

describe('a zone file', () => {
  const from = (...records: DeclaredRecord[]) =>
    declare({ zones: [zoneWith('corp.internal', records, { recordsFrom: [fileRef] })] });
  const good = fileOf('one A 192.0.2.1', 'two TXT "x"', 'three CNAME one');
  const bad = fileOf('one A 192.0.2.2', 'two TXT "y"', 'three A 192.0.2.256');
  const current = [
    'one.corp.internal. A 192.0.2.1',
    'three.corp.internal. CNAME one.corp.internal.',
    'two.corp.internal. TXT "x"',
  ];
  const marksOf = (present: Zone[], name: string) =>
    present
      .flatMap(({ rrsets }) => rrsets)
      .filter((r) => r.name === name)
      .map(({ mark }) => mark?.content);

  test.each<[string, ZoneFiles]>([
    ['has an invalid line', bad],
    ['was deleted', noFile('there is no such ConfigMap')],
    ['has not been read yet, as after a start', new Map()],
  ])('that %s keeps its current records, while those of the composite change', async (_, files) => {
    const { zones: before } = await after(from(record('own', 'A', '192.0.2.8')), [zone()], good);
    const { lines } = await after(from(record('own', 'A', '192.0.2.9')), before, files);
    expect(lines).toEqual(['one.corp.internal. A 192.0.2.1', 'own.corp.internal. A 192.0.2.9', ...current.slice(1)]);
  });

  test('loses the records that were removed from it', async () => {
    const { zones: before } = await after(from(), [zone()], good);
    expect((await after(from(), before, fileOf('one A 192.0.2.1'))).lines).toEqual(current.slice(0, 1));
    expect((await after(from(), before, fileOf(''))).lines).toEqual([]);
    expect((await after(declare(), before)).lines).toEqual([]);
  });

  test('hands a record over to the composite and back without a gap', async () => {
    const { zones: inFile } = await after(from(), [zone()], good);
    const own = record('one', 'A', '192.0.2.1');
    const less = fileOf('two TXT "x"', 'three CNAME one');
    const { patch } = changesFor(from(own), inFile, less);
    expect(patch[0]?.changes).toEqual([
      {
        action: 'replace',
        rrset: expect.objectContaining({ name: 'one.corp.internal.', mark: { account: declaredAccount, content: '' } }),
      },
    ]);
    const { zones: inSpec } = await after(from(own), inFile, less);
    expect(marksOf(inSpec, 'one.corp.internal.')).toEqual(['']);
    // With a duplicate the file is held, and nothing changes.
    expect((await after(from(own), inSpec, good)).lines).toEqual(current);
    const { zones: back } = await after(from(), inSpec, good);
    expect(marksOf(back, 'one.corp.internal.')).toEqual([fileMark.content]);
  });

  test('that is held yields to the records of the composite', async () => {
    const { zones: before } = await after(from(), [zone()], good);
    const { lines } = await after(from(record('three', 'A', '192.0.2.3')), before, bad);
    expect(lines).toEqual([current[0], 'three.corp.internal. A 192.0.2.3', current[2]]);
  });

  test('that is held keeps its addresses of a name server', async () => {
    const { zones: before } = await after(from(), [zone()], fileOf('ns1 AAAA 2001:db8::9', 'one A 192.0.2.1'));
    const { zones: held } = await after(from(), before, new Map());
    const server = held[0]!.rrsets.filter(({ name }) => name === 'ns1.corp.internal.');
    expect(server.map(({ type, records }) => `${type} ${records}`)).toEqual(['AAAA 2001:db8::9']);
    const { zones: without } = await after(declare(), held);
    expect(without[0]!.rrsets.find(({ name }) => name === 'ns1.corp.internal.')?.records).toEqual(['192.0.2.53']);
  });

  test('that is held keeps its PTR records and its RFC 2317 CNAMEs', async () => {
    const network = '2.0.192.in-addr.arpa';
    const reverse = zoneWith(network, [], { recordsFrom: [fileRef] });
    const printer = zoneWith('corp.internal', [{ ...record('printer', 'A', '192.0.2.10'), ptr: true }]);
    const inPart = zoneWith('corp.internal', [{ ...record('printer', 'A', '192.0.2.70'), ptr: true }]);
    const file = fileOf('10 PTR other.example.', '64/26 NS ns.tenant.example.');
    const { zones: before, lines } = await after(declare({ zones: [printer, reverse] }), [], file);
    expect(lines.filter((line) => line.includes('arpa. CNAME'))).toHaveLength(64);
    expect(lines).toContain(`10.${network}. PTR other.example.`);
    for (const zones of [
      [printer, reverse],
      [inPart, reverse],
    ]) {
      const held = await after(declare({ zones }), before, new Map());
      expect(held.lines.filter((line) => line.includes(network))).toEqual(
        lines.filter((line) => line.includes(network)),
      );
    }
  });

  test('is awaited before its zone is created, unless it cannot be read', () => {
    expect(todo(from(), []).create).toHaveLength(0);
    expect(changesFor(from(), [], new Map()).create).toEqual([]);
    expect(changesFor(from(), [], noFile('no')).create).toHaveLength(1);
    expect(changesFor(from(), [], bad).create).toHaveLength(1);
  });
});

describe('while a child zone waits for its zone file', () => {
  const child = { ...zoneWith('dev.corp.internal', []), recordsFrom: [fileRef] };
  const before = corpWith(record('old.dev', 'A', '192.0.2.5'), record('www', 'A', '192.0.2.6'));
  const now = declare({ zones: [corp, child] });
  const names = (present: Zone[]) =>
    present.map(({ name, rrsets }) => [name, ...rrsets.map(short).filter((r) => !/SOA|NS$|ns1/.test(r))]);

  test('its names stay in the parent zone, and move when it is created', async () => {
    const { zones: present } = await after(before, [zone('corp.internal', [inChild])]);
    const { zones: waiting } = await after(now, present, new Map());
    expect(names(waiting)).toEqual([['corp.internal.', 'a.dev.corp.internal. A', 'old.dev.corp.internal. A']]);
    expect(waiting[0]!.rrsets.filter(({ name, type }) => type === 'NS' && name !== 'corp.internal.')).toEqual([]);
    const { zones: created } = await after(now, waiting, fileOf('old A 192.0.2.5'));
    expect(names(created)).toEqual([
      ['corp.internal.'],
      ['dev.corp.internal.', 'old.dev.corp.internal. A', 'a.dev.corp.internal. A'],
    ]);
    expect(created[0]!.rrsets.map(short)).toContain('dev.corp.internal. NS');
  });

  test('a zone below it is served', async () => {
    const grandchild = zoneWith('x.dev.corp.internal', [record('www', 'A', '192.0.2.7')]);
    const { zones: created } = await after(declare({ zones: [corp, child, grandchild] }), [], new Map());
    const [, x] = created;
    expect(x?.name).toBe('x.dev.corp.internal.');
    expect(x?.rrsets.map(short)).toEqual(
      expect.arrayContaining(['x.dev.corp.internal. SOA', 'www.x.dev.corp.internal. A']),
    );
    const removed = declare({ zones: [corp, child, zoneWith('x.dev.corp.internal', [])] });
    const { zones: remaining } = await after(removed, created, new Map());
    expect(remaining[1]?.rrsets.map(short)).not.toContain('www.x.dev.corp.internal. A');
  });
});

describe('until PowerDNS evaluates LUA records', () => {
  const checked = (name: string): DeclaredRecord => ({ ...record(name, 'A', '192.0.2.1'), check: { port: 25 } });

  test('a name keeps its plain record, declared or discovered, and others change', async () => {
    const plain = corpWith(
      record('mail', 'A', '192.0.2.1'),
      record('mail', 'AAAA', '::1'),
      record('mail', 'TXT', 'x'),
      record('b', 'A', '192.0.2.2'),
    );
    const { zones: before } = await after(plain, [zone('corp.internal', [a('web.corp.internal.', '192.0.2.9')])]);
    const now = corpWith(checked('mail'), checked('web'), checked('new'), record('b', 'A', '192.0.2.3'));
    const waiting = await after(now, before, undefined, false);
    expect(waiting.lines).toEqual([
      'b.corp.internal. A 192.0.2.3',
      'mail.corp.internal. A 192.0.2.1',
      'mail.corp.internal. AAAA ::1',
      'web.corp.internal. A 192.0.2.9',
    ]);
    const { lines, zones: present } = await after(now, waiting.zones, undefined, true);
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'b.corp.internal. A',
      'mail.corp.internal. LUA',
      'new.corp.internal. LUA',
      'web.corp.internal. LUA',
    ]);
    expect((await after(plain, present)).lines.slice(1)).toEqual([
      'mail.corp.internal. A 192.0.2.1',
      'mail.corp.internal. AAAA ::1',
      'mail.corp.internal. TXT "x"',
    ]);
  });

  test('a zone is created without them', () => {
    const { create } = changesFor(corpWith(checked('mail'), record('b', 'A', '192.0.2.3')), [], undefined, false);
    expect(create[0]?.rrsets.map(short)).not.toContain('mail.corp.internal. LUA');
    expect(create[0]?.rrsets.map(short)).toContain('b.corp.internal. A');
  });
});

describe('a zone that is kept for its unmanaged records', () => {
  test('has only its SOA, its NS and the unmanaged records', async () => {
    const full = corpWith(record('@', 'MX', '10 mail'), record('w', 'A', '192.0.2.1'), record('ns1', 'TXT', 'x'));
    const present = await reconciled(full, [zone('corp.internal', [foreign('x.corp.internal.', 'A', '192.0.2.9')])]);
    const { zones: remaining } = await after(declare({ zones: [] }), present);
    expect(remaining[0]!.rrsets.map(short)).toEqual([
      'corp.internal. SOA',
      'corp.internal. NS',
      'ns1.corp.internal. A',
      'x.corp.internal. A',
    ]);
  });
});

describe('PTR records', () => {
  const network = '2.0.192.in-addr.arpa';
  const reverse = declare({
    zones: [corp, { name: network, nameServers: ['ns1.corp.internal'] }],
    discovery: { ownerID: 'corp', intervalSeconds: 2, reverse: true },
  });
  const ptrs = ({ lines }: { lines: string[] }) => lines.filter((line) => line.includes(' PTR '));

  test('are created and deleted with the published addresses', async () => {
    const present = await after(reverse, [zone('corp.internal', [a('w.corp.internal.', '192.0.2.1')])]);
    expect(ptrs(present)).toEqual([
      `1.${network}. PTR w.corp.internal.`,
      // That of the name server.
      `53.${network}. PTR ns1.corp.internal.`,
    ]);
    const less = present.zones.map((z) => ({ ...z, rrsets: z.rrsets.filter((r) => r.name !== 'w.corp.internal.') }));
    expect(ptrs(await after(reverse, less))).toEqual([`53.${network}. PTR ns1.corp.internal.`]);
    expect(ptrs(await after({ ...reverse, discovery: declare().discovery }, present.zones))).toEqual([]);
    expect(ptrs(await after({ ...reverse, discovery: undefined }, present.zones))).toEqual([]);
  });

  test('do not exist for names that are deleted in the same step', async () => {
    const delegated = record('dev', 'NS', 'ns.example.');
    const { zones: all } = reverse;
    const removed: [string, ReturnType<typeof declare>][] = [
      ['x.dev.corp.internal.', { ...reverse, zones: [zoneWith('corp.internal', [delegated]), all[1]!] }],
      ['w.corp.internal.', { ...reverse, zones: [zoneWith('corp.internal', [record('w', 'CNAME', 'b')]), all[1]!] }],
      [
        'w.corp.internal.',
        { ...reverse, zones: [zoneWith('corp.internal', [record('w', 'A', '192.0.2.7')]), all[1]!] },
      ],
      ['w.corp.internal.', { ...reverse, zones: [all[1]!] }],
    ];
    for (const [name, declaration] of removed) {
      const present = await after(reverse, [zone('corp.internal', [a(name, '192.0.2.1')])]);
      expect(ptrs(present)).toContain(`1.${network}. PTR ${name}`);
      expect(ptrs(await after(declaration, present.zones))).not.toContainEqual(expect.stringMatching(/^1\./));
    }
  });

  test('move with their name to another zone', async () => {
    const both = { ...reverse, zones: [...reverse.zones, ...zones('dev.corp.internal')] };
    const present = await after(reverse, [zone('corp.internal', [a('x.dev.corp.internal.', '192.0.2.1')])]);
    expect(ptrs(await after(both, present.zones))).toContain(`1.${network}. PTR x.dev.corp.internal.`);
  });

  test('leave an unmanaged PTR or CNAME in place, and unmanaged records of other types at their name', async () => {
    const unmanaged = [
      foreign(`1.${network}.`, 'PTR', 'theirs.example.'),
      foreign(`2.${network}.`, 'CNAME', '2.part.example.'),
      foreign(`3.${network}.`, 'TXT', '"x"'),
      foreign(`sub.${network}.`, 'NS', 'ns.example.'),
    ];
    const present = ['1', '2', '3'].map((i) => a(`w${i}.corp.internal.`, `192.0.2.${i}`));
    const { lines } = await after(reverse, [zone('corp.internal', present), zone(network, unmanaged)]);
    expect(lines.filter((line) => line.includes(`${network}. `) && !line.startsWith('sub'))).toEqual([
      `1.${network}. PTR theirs.example.`,
      `2.${network}. CNAME 2.part.example.`,
      `3.${network}. PTR w3.corp.internal.`,
      `3.${network}. TXT "x"`,
      `53.${network}. PTR ns1.corp.internal.`,
    ]);
  });

  test('are not created below an unmanaged delegation', async () => {
    const [, { name }] = zones('', '0.192.in-addr.arpa') as [unknown, { name: string }];
    const declaration = { ...reverse, zones: [corp, { name, nameServers: ['ns1.corp.internal'] }] };
    const unmanaged = foreign(`2.${name}.`, 'NS', 'ns.example.');
    const present = await after(declaration, [
      zone('corp.internal', [a('w.corp.internal.', '192.0.2.1')]),
      zone(name, [unmanaged]),
    ]);
    expect(ptrs(present)).toEqual([]);
  });

  test('replace discovered records at their name', async () => {
    const odd = discoveredRRset('o', `1.${network}.`, 'CNAME', 'x.example.');
    const present = await after(reverse, [
      zone('corp.internal', [a('w.corp.internal.', '192.0.2.1')]),
      zone(network, [odd]),
    ]);
    expect(present.lines.filter((line) => line.startsWith(`1.${network}.`))).toEqual([
      `1.${network}. PTR w.corp.internal.`,
    ]);
  });
});

/** Returns the zones after a reconciliation. Expects that a second one changes nothing. */
async function settled(declaration: ReturnType<typeof declare>, present: Zone[], options: PlanOptions) {
  const database = new MemoryZones(structuredClone(present));
  const contents = desiredZones(declaration);
  const { create, patch, remove } = planZones(contents, present, options);
  for (const { name, rrsets } of create) await database.create(name, rrsets);
  for (const { zone, changes } of patch) expect(await database.apply(zone, changes)).toEqual([]);
  for (const zone of remove) await database.remove(zone);
  const after = await database.zones();
  expect(planZones(contents, after, options)).toMatchObject({ create: [], patch: [], remove: [] });
  return after;
}

const linesOf = (present: Zone[]) =>
  present
    .flatMap(({ name, rrsets }) => rrsets.filter((r) => r.name !== name || r.type === 'A').map(short))
    .filter((line) => !line.startsWith('ns1.'))
    .sort();

describe('ownership TXT records', () => {
  const ownershipTXT = { prefix: 'x-%{record_type}.', wildcardReplacement: '_w' };
  const on: PlanOptions = { discovers: true, ownershipTXT };
  const w = a('w.corp.internal.', '192.0.2.1');

  test('are created with discovered records, and deleted with them or with ownershipTXT', async () => {
    const present = await settled(
      declare(),
      [zone('corp.internal', [w, foreign('f.corp.internal.', 'A', '192.0.2.9')])],
      on,
    );
    expect(linesOf(present)).toEqual(['f.corp.internal. A', 'w.corp.internal. A', 'x-a.w.corp.internal. TXT']);
    const without = (name: string) => present.map((z) => ({ ...z, rrsets: z.rrsets.filter((r) => r.name !== name) }));
    expect(linesOf(await settled(declare(), without(w.name), on))).toEqual(['f.corp.internal. A']);
    expect(linesOf(await settled(declare(), present, { discovers: true }))).toEqual([
      'f.corp.internal. A',
      'w.corp.internal. A',
    ]);
    expect(linesOf(await settled(declare(), present, { ...on, discovers: false }))).toEqual(['f.corp.internal. A']);
  });

  test('do not exist for a name that is deleted in the same step', async () => {
    const present = [zone('corp.internal', [w, a('x.d.corp.internal.', '192.0.2.2')])];
    const declared = corpWith(record('w', 'CNAME', 'b'), record('d', 'NS', 'ns.example.'));
    expect(linesOf(await settled(declared, present, on))).toEqual(['d.corp.internal. NS', 'w.corp.internal. CNAME']);
  });

  test('do not exist for a name that a PTR record replaces', async () => {
    const network = '2.0.192.in-addr.arpa';
    const declaration = declare({ zones: [corp, { name: network, nameServers: ['ns1.corp.internal'] }] });
    const odd = discoveredRRset('ingress/a/x', `1.${network}.`, 'CNAME', 'x.example.');
    const present = [zone('corp.internal', [w]), zone(network, [odd])];
    const after = await settled(declaration, present, { ...on, reverse: true });
    expect(linesOf(after.slice(1))).toEqual([`1.${network}. PTR`, `53.${network}. PTR`]);
  });

  test('move with their name to a new zone, and back', async () => {
    const present = await settled(declare(), [zone('corp.internal', [inChild])], on);
    const created = await settled(both, present, on);
    expect(linesOf(created.slice(1))).toEqual(['a.dev.corp.internal. A', 'x-a.a.dev.corp.internal. TXT']);
    expect(linesOf(created.slice(0, 1))).toEqual(['dev.corp.internal. NS']);
    expect(linesOf(await settled(declare(), created, on))).toEqual([
      'a.dev.corp.internal. A',
      'x-a.a.dev.corp.internal. TXT',
    ]);
  });

  test('yield their name to a declared record, and get it back', async () => {
    const taken = corpWith(record('x-a.w', 'TXT', 'mine'));
    const present = await settled(taken, [zone('corp.internal', [w])], on);
    const textOf = (present: Zone[]) => present[0]!.rrsets.find(({ name }) => name === 'x-a.w.corp.internal.')?.records;
    expect(textOf(present)).toEqual(['"mine"']);
    const free = await settled(declare(), present, on);
    expect(textOf(free)).toEqual(['"heritage=external-dns,external-dns/owner=corp,external-dns/resource=ingress/a/x"']);
    expect(textOf(await settled(taken, free, on))).toEqual(['"mine"']);
    expect(linesOf(await settled(corpWith(record('x-a.w', 'CNAME', 'b')), free, on))).toEqual([
      'w.corp.internal. A',
      'x-a.w.corp.internal. CNAME',
    ]);
  });

  test('do not keep a zone', async () => {
    const present = await settled(declare(), [zone('corp.internal', [w])], on);
    expect(await settled(declare({ zones: [] }), present, on)).toEqual([]);
  });
});

describe('records of a former owner', () => {
  const of = (ownerID: string, rrset: RRset): RRset => ({ ...rrset, mark: discoveredMark(ownerID, 'ingress/a/x') });
  const isStillDiscovered = ({ mark }: RRset) => mark?.account === 'external-dns/corp/a';
  const owned = of('corp/a', a('mine.corp.internal.', '192.0.2.1'));
  const former = of('corp/b', a('former.corp.internal.', '192.0.2.2'));

  test('are deleted once their owner is known to be gone, and not before', async () => {
    const present = [zone('corp.internal', [owned, former])];
    expect(linesOf(await settled(declare(), present, { discovers: true }))).toEqual([
      'former.corp.internal. A',
      'mine.corp.internal. A',
    ]);
    expect(linesOf(await settled(declare(), present, { discovers: true, isStillDiscovered }))).toEqual([
      'mine.corp.internal. A',
    ]);
  });

  test('do not move to another zone', async () => {
    const present = [
      zone('corp.internal', [of('corp/a', inChild), of('corp/b', { ...inChild, name: 'b.dev.corp.internal.' })]),
    ];
    const created = await settled(both, present, { discovers: true, isStillDiscovered });
    expect(linesOf(created)).toEqual(['a.dev.corp.internal. A', 'dev.corp.internal. NS']);
  });

  test('have no ownership TXT and no PTR records', async () => {
    const network = '2.0.192.in-addr.arpa';
    const declaration = declare({ zones: [corp, { name: network, nameServers: ['ns1.corp.internal'] }] });
    const ownershipTXT = { prefix: 'x-%{record_type}.', wildcardReplacement: '' };
    const on = { discovers: true, reverse: true, ownershipTXT };
    const before = await settled(declaration, [zone('corp.internal', [owned, former])], on);
    expect(linesOf(before)).toContain(`2.${network}. PTR`);
    expect(linesOf(await settled(declaration, before, { ...on, isStillDiscovered }))).toEqual([
      `1.${network}. PTR`,
      `53.${network}. PTR`,
      'mine.corp.internal. A',
      'x-a.mine.corp.internal. TXT',
    ]);
  });
});

describe('a current record', () => {
  const discovery = { ownerID: 'corp', intervalSeconds: 2 };
  const declaredWith = (...records: Parameters<typeof zoneWith>[1]) =>
    declare({ discovery, zones: [zoneWith('corp.internal', records)] });
  /** Applies the plan, and expects a second one to be empty. Returns the loops, and the current CNAME and ALIAS records. */
  const settled = (declaration: ReturnType<typeof declare>, present: RRset[]) => {
    const zones = [zone('corp.internal', present, declare({ discovery }))];
    const first = changesFor(declaration, zones);
    const changes = first.patch.flatMap(({ changes }) => changes);
    const isChanged = (rrset: RRset) => changes.some((c) => c.rrset.name === rrset.name && c.rrset.type === rrset.type);
    const fresh = changes.flatMap((change) => (change.action === 'replace' ? [change.rrset] : []));
    const after = zones.map((z) => ({ ...z, rrsets: [...z.rrsets.filter((r) => !isChanged(r)), ...fresh] }));
    expect(changesFor(declaration, after).patch).toEqual([]);
    const leading = after[0]!.rrsets.filter(({ type }) => type === 'CNAME' || type === 'ALIAS');
    return { loops: [...first.loops], leading: leading.map(({ name, type }) => `${name} ${type}`) };
  };

  test('that was discovered is deleted at once if a declared one would close a CNAME loop with it', () => {
    const present = [discoveredRRset('ingress/a/x', 'd.corp.internal.', 'CNAME', 'c.corp.internal.')];
    expect(settled(declaredWith(record('c', 'ALIAS', 'd')), present)).toEqual({
      loops: [],
      leading: ['c.corp.internal. ALIAS'],
    });
  });

  test('that is unmanaged keeps out a declared one that would close a CNAME loop, with a message', () => {
    const present = [foreign('d.corp.internal.', 'ALIAS', 'c.corp.internal.')];
    expect(settled(declaredWith(record('c', 'ALIAS', 'd'), record('on', 'CNAME', 'c')), present)).toEqual({
      loops: [
        [
          'corp.internal.',
          'CNAME loop c.corp.internal -> d.corp.internal -> c.corp.internal: delete records in it that were created manually, or point this one elsewhere',
        ],
      ],
      leading: ['d.corp.internal. ALIAS', 'on.corp.internal. CNAME'],
    });
  });

  test('that closes a CNAME loop with a declared one removes the declared one', () => {
    const declaration = declaredWith(record('c', 'ALIAS', 'd'));
    const present = [
      { ...foreign('c.corp.internal.', 'ALIAS', 'd.corp.internal.'), mark: { account: 'internal-dns', content: '' } },
      foreign('*.corp.internal.', 'CNAME', 'c.corp.internal.'),
    ];
    expect(settled(declaration, present).leading).toEqual(['*.corp.internal. CNAME']);
  });
});

test('an unreachable delegation is reported, and one from the agent itself is not', () => {
  const warningsOf = (...records: ReturnType<typeof record>[]) =>
    changesFor(
      declare({ zones: [zoneWith('corp.internal', records), zoneWith('sub.corp.internal', [])], addresses: [] }),
      [],
    ).warnings;
  const delegated = record('dev', 'NS', 'ns1.dev');
  expect(warningsOf(delegated)).toEqual([
    expect.stringContaining('dev.corp.internal is delegated to ns1.dev.corp.internal'),
  ]);
  expect(warningsOf(delegated, record('ns1.dev', 'A', '192.0.2.9'))).toEqual([]);
});
