import { describe, expect, test } from 'vitest';
import type { RRset, Zone } from '../../functions/agent/zone.ts';
import { changesFor, declare, foreign, found, zone, zones } from './make.ts';

const short = ({ name, type }: Pick<RRset, 'name' | 'type'>) => `${name} ${type}`;

/** What is to be done, in short. */
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
const inChild = found('o', 'a.dev.corp.internal.', 'A', '192.0.2.1');

test('a zone that is missing is made', () => {
  expect(todo(declare(), [])).toEqual({
    ...nothing,
    create: [['corp.internal.', 'corp.internal. SOA', 'corp.internal. NS', 'ns1.corp.internal. A']],
  });
});

test('a zone as it should be, with names in it, is left alone', () => {
  const more = [found('o', 'a.corp.internal.', 'A', '192.0.2.1'), foreign('b.corp.internal.', 'TXT', '"x"')];
  expect(todo(declare(), [zone('corp.internal', more)])).toEqual(nothing);
});

describe('drift is repaired', () => {
  const drifted = (change: (rrsets: RRset[]) => RRset[]) => {
    const there = zone();
    return todo(declare(), [{ ...there, rrsets: change(there.rrsets) }]).patch;
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
  test('but not the serial', () => {
    const counted = (rrsets: RRset[]) =>
      rrsets.map((r) => ({ ...r, records: r.records.map((c) => c.replace(' 0 ', ' 2026112101 ')) }));
    expect(drifted(counted)).toEqual([]);
  });
});

test('what is no longer declared in a zone goes', () => {
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

test('a declaration takes the place of a discovered name, and not of somebody else’s', () => {
  const declaration = declare({ zones: [{ name: 'corp.internal', nameServers: ['dns.corp.internal'] }] });
  const at = (rrset: RRset) => todo(declaration, [{ ...zone(), rrsets: [rrset] }]).patch[0]!.slice(1);
  const missing = ['replace corp.internal. SOA', 'replace corp.internal. NS', 'replace dns.corp.internal. A'];
  expect(at(found('o', 'dns.corp.internal.', 'CNAME', 'x.'))).toEqual(['delete dns.corp.internal. CNAME', ...missing]);
  expect(at(found('o', 'dns.corp.internal.', 'AAAA', '::1'))).toEqual(['delete dns.corp.internal. AAAA', ...missing]);
  expect(at(found('o', 'dns.corp.internal.', 'A', '192.0.2.1'))).toEqual(missing);
  expect(at(foreign('dns.corp.internal.', 'CNAME', 'x.'))).toEqual(missing);
});

test('without discovery every discovered name goes, and nobody else’s', () => {
  const there = zone('corp.internal', [
    found('o', 'a.corp.internal.', 'A', '192.0.2.1'),
    foreign('b.corp.internal.', 'A', '192.0.2.2'),
  ]);
  expect(todo(declare({ discovery: undefined }), [there])).toEqual({
    ...nothing,
    patch: [['corp.internal.', 'delete a.corp.internal. A']],
  });
});

describe('a zone that is not declared', () => {
  const none = declare({ zones: [] });

  test('goes, with what was discovered in it', () => {
    const there = [zone('corp.internal', [found('o', 'a.corp.internal.', 'A', '192.0.2.1')])];
    expect(todo(none, there)).toEqual({ ...nothing, remove: ['corp.internal.'] });
  });

  test('is kept with other people’s records, without what was discovered', () => {
    const there = [
      zone('corp.internal', [
        foreign('x.corp.internal.', 'A', '192.0.2.9'),
        found('o', 'a.corp.internal.', 'A', '192.0.2.1'),
      ]),
    ];
    expect(todo(none, there)).toEqual({
      ...nothing,
      patch: [['corp.internal.', 'delete a.corp.internal. A']],
      retained: [
        "corp.internal. no longer declared, but kept for records that are not this instance's, such as x.corp.internal A",
      ],
    });
  });

  test('is left alone if it was not made here', () => {
    expect(todo(none, [{ ...zone(), account: '' }])).toEqual({
      ...nothing,
      retained: ['corp.internal. not declared, and not made by this instance: left alone'],
    });
  });
});

describe('names go along with the zone that answers for them', () => {
  const delegation = ['replace dev.corp.internal. NS', 'replace ns1.dev.corp.internal. A'];

  test('into a zone that is made inside another', () => {
    const { create, patch } = todo(both, [
      zone('corp.internal', [inChild, found('o', 'b.corp.internal.', 'A', '192.0.2.2')]),
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

  test('and back', () => {
    const there = [zone('corp.internal', [], both), zone('dev.corp.internal', [inChild])];
    const undelegated = delegation.map((change) => change.replace('replace', 'delete'));
    expect(todo(declare(), there)).toEqual({
      ...nothing,
      patch: [['corp.internal.', ...undelegated, `replace ${short(inChild)}`]],
      remove: ['dev.corp.internal.'],
    });
  });

  test('unless their place is taken', () => {
    const cname = found('o', 'dev.corp.internal.', 'CNAME', 'x.');
    const server = found('o', 'ns1.dev.corp.internal.', 'AAAA', '2001:db8::1');
    expect(todo(both, [zone('corp.internal', [cname, server])]).create[0]).toHaveLength(4);
    const there = [
      zone('corp.internal', [foreign('a.dev.corp.internal.', 'CNAME', 'x.')]),
      zone('dev.corp.internal', [inChild]),
    ];
    expect(todo(declare(), there).patch).toEqual([]);
  });

  test('what other people put there stays where it is', () => {
    const there = zone('corp.internal', [foreign('a.dev.corp.internal.', 'A', '192.0.2.9')]);
    expect(todo(both, [there]).patch).toEqual([['corp.internal.', ...delegation]]);
  });
});
