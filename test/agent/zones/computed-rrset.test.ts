import { describe, expect, test } from 'vitest';
import { type Change, deletion, type RRset, replacement, type Zone } from '../../../functions/agent/powerdns/rrset.ts';
import { rejectedAmong, stored, storedChanges, withAddresses } from '../../../functions/agent/zones/computed-rrset.ts';
import { luaContent } from '../../../functions/agent/zones/lua.ts';
import { discoveredRRset, zone } from '../make.ts';

const claim = 'nameclaim/a/mail';
const name = 'mail.corp.internal.';
const check = { check: { port: 25 } };
const plain = (type: 'A' | 'AAAA', ...records: string[]) => discoveredRRset(claim, name, type, ...records);
const computed = (type: 'A' | 'AAAA', ...records: string[]): RRset => ({
  ...plain(type, ...records),
  computed: luaContent(type, records, check),
});
const lua = (...rrsets: RRset[]) => discoveredRRset(claim, name, 'LUA', ...rrsets.map(({ computed = '' }) => computed));
const [a, aaaa] = [computed('A', '192.0.2.1', '192.0.2.2'), computed('AAAA', '2001:db8::1')];
const www = discoveredRRset('ingress/a/web', 'www.corp.internal.', 'A', '192.0.2.80');
const others = zone().rrsets;
const zoneOf = (...rrsets: RRset[]): Zone => zone('corp.internal', rrsets);

describe('a zone', () => {
  test('has the addresses of computed answers instead of their LUA record, and is the same for the same zone', () => {
    const raw = zoneOf(www, lua(a, aaaa));
    expect(withAddresses(raw).rrsets).toEqual([...others, www, a, aaaa]);
    expect(withAddresses(raw)).toBe(withAddresses(raw));
    expect(withAddresses(withAddresses(raw)).rrsets).toEqual([...others, www, a, aaaa]);
  });

  test('without computed answers is itself, with LUA records that are declared or edited', () => {
    const declared = { ...lua(a), mark: { account: 'internal-dns', content: '' } };
    const edited = discoveredRRset(claim, 'other.corp.internal.', 'LUA', 'A ";return {}"');
    const raw = zoneOf(declared, www);
    expect(withAddresses(raw)).toBe(raw);
    expect(withAddresses(zoneOf(edited)).rrsets).toEqual([...others, edited]);
  });
});

test('computed RRsets of a name are stored as one LUA record with the lower TTL', () => {
  expect(stored([{ ...aaaa, ttl: 30 }, www, a])).toEqual([www, { ...lua(a, aaaa), ttl: 30 }]);
});

const changes: [string, RRset[], Change[], Change[]][] = [
  ['of names without any stay as they are', [www], [deletion(www)], [deletion(www)]],
  ['create the record', [], [replacement(a), replacement(aaaa)], [replacement(lua(a, aaaa))]],
  ['of one family keep the other', [a, aaaa], [deletion(aaaa)], [replacement(lua(a))]],
  ['add a family', [a], [replacement(aaaa)], [replacement(lua(a, aaaa))]],
  ['delete the record', [a, aaaa], [deletion(a), deletion(aaaa)], [deletion(lua())]],
  [
    'replace it by plain addresses',
    [a],
    [replacement(plain('A', '192.0.2.1'))],
    [deletion(lua()), replacement(plain('A', '192.0.2.1'))],
  ],
  ['replace plain addresses by it', [plain('A', '192.0.2.1')], [replacement(a)], [deletion(a), replacement(lua(a))]],
  ['to what is there already are none', [a], [replacement(a)], []],
];

test.each(changes)('changes %s', (_, present, meant, expected) => {
  expect(storedChanges(zoneOf(...present), meant)).toEqual(expected);
});

test('what PowerDNS rejects is what was meant', () => {
  const meant = [replacement(a), replacement(aaaa), replacement(www)];
  const rejected = [{ change: replacement(lua(a, aaaa)), message: 'no' }];
  expect(rejectedAmong(meant, rejected)).toEqual([
    { change: replacement(a), message: 'no' },
    { change: replacement(aaaa), message: 'no' },
  ]);
  expect(rejectedAmong(meant, [{ change: replacement(www), message: 'no' }])).toHaveLength(1);
});
