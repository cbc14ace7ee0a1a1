import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitBudget } from '../../../functions/agent/mirror/budget.ts';
import { bytesOf, mirrorOf } from '../../../functions/agent/mirror/config-map.ts';
import { type Entry, entryOf, keyOfEntry, textOf } from '../../../functions/agent/mirror/entry.ts';

const entry = (zone: string, name: string, type = 'A', records = ['192.0.2.1']): Entry => ({
  zone,
  rrset: { name, type, ttl: 60, records },
});

describe('the key of an entry', () => {
  test.each([
    ['corp.internal.', 'www.corp.internal.', 'corp.internal..A..www'],
    ['corp.internal.', 'corp.internal.', 'corp.internal..A..'],
    ['corp.internal.', '*.w.corp.internal.', 'corp.internal..A..X2A.w'],
    ['0/26.2.0.192.in-addr.arpa.', '1.0/26.2.0.192.in-addr.arpa.', '0X2F26.2.0.192.in-addr.arpa..A..1'],
    ['corp.internal.', 'a\\.b.corp.internal.', 'corp.internal..A..aX5C.b'],
    ['corp.internal.', '\\200.corp.internal.', 'corp.internal..A..X5C200'],
  ])('in %s of %s is %s', (zone, name, key) => {
    expect(keyOfEntry(entry(zone, name))).toBe(key);
  });

  test('is a valid ConfigMap key, and unique', () => {
    const label = fc.stringMatching(/^[-a-z0-9_*/@\\]{1,63}$/);
    const name = fc.array(label, { maxLength: 4 }).map((labels) => [...labels, 'corp.internal.'].join('.'));
    const place = fc.record({ name, type: fc.constantFrom('A', 'AAAA', 'TYPE65400') });
    fc.assert(
      fc.property(place, place, (a, b) => {
        const keys = [a, b].map((each) => keyOfEntry(entry('corp.internal.', each.name, each.type)));
        // https://github.com/kubernetes/apimachinery/blob/v0.34.4/pkg/util/validation/validation.go (IsConfigMapKey)
        for (const key of keys) expect(key).toMatch(/^(?!\.\.)[-._a-zA-Z0-9]{1,253}$/);
        expect(keys[0] === keys[1]).toBe(a.name === b.name && a.type === b.type);
      }),
    );
  });
});

describe('an entry', () => {
  const marked = { ...entry('corp.internal.', 'www.corp.internal.'), account: 'ann' };
  marked.rrset.mark = { account: 'external-dns/corp', content: 'ingress/shop/web' };

  test('survives the round trip', () => {
    expect(entryOf(keyOfEntry(marked), textOf(marked))).toEqual(marked);
  });

  test.each([
    ['no JSON', 'nonsense'],
    ['nothing', ''],
    ['that of another name', textOf(entry('corp.internal.', 'x.corp.internal.'))],
    ['without records', JSON.stringify({ ...JSON.parse(textOf(marked)), records: [] })],
    ['an invalid type', JSON.stringify({ ...JSON.parse(textOf(marked)), type: 'A B' })],
  ])('is rejected: %s', (_, text) => {
    expect(entryOf(keyOfEntry(marked), text)).toBeUndefined();
  });
});

test('a mirror is recognized by its own mark, and neither a copy nor an emptied one has it', () => {
  const written = (uid: string, mirror?: string) =>
    mirrorOf({ metadata: { name: 'kept', uid, resourceVersion: '1' }, data: { ...(mirror && { mirror }) } });
  expect(written('a', 'a 1')).toMatchObject({ isInitialized: true, id: 'a 1' });
  expect([written('a'), written('b', 'a 1')].map(({ isInitialized }) => isInitialized)).toEqual([false, false]);
  expect(written('a').id).not.toBe(written('a').id);
});

test('entries of the mirror stay before new ones are added, and deletions free space', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((label) => entry('corp.internal.', `${label}.corp.internal.`)) as [
    Entry,
    Entry,
    Entry,
  ];
  const size = bytesOf(keyOfEntry(a), textOf(a));
  const bytes = new Map([[keyOfEntry(a), size]]);
  const desired = [b, c].map((each) => [keyOfEntry(each), each] as const);
  const mirror = { bytes, entries: new Map([[keyOfEntry(a), a]]) };
  expect(fitBudget(mirror, new Map(desired), 2 * size)).toEqual({ changes: new Map([desired[0]!]), dropped: [c] });
  const all = new Map([...desired, [keyOfEntry(a), undefined] as const]);
  expect(fitBudget(mirror, all, 2 * size)).toEqual({ changes: all, dropped: [] });
});

test('discovered records take at most half of the mirror, and displace no manual ones', () => {
  const mark = { account: 'external-dns/corp', content: 'ingress/shop/web' };
  const discovered = Array.from({ length: 10 }, (_, i) => {
    const { rrset, ...rest } = entry('corp.internal.', `${i}.corp.internal.`);
    return { ...rest, rrset: { ...rrset, mark } };
  });
  const handMade = Array.from({ length: 10 }, (_, i) => entry('corp.internal.', `h${i}.corp.internal.`));
  const sizeOf = (each: Entry) => bytesOf(keyOfEntry(each), textOf(each));
  const mapOf = (entries: Entry[]) => new Map(entries.map((each) => [keyOfEntry(each), each]));
  const mirrorOf = (entries: Entry[]) => ({
    entries: mapOf(entries),
    bytes: new Map(entries.map((each) => [keyOfEntry(each), sizeOf(each)])),
  });
  const most = 8 * sizeOf(discovered[0]!);
  const { changes, dropped } = fitBudget(mirrorOf([]), mapOf(discovered), most);
  expect([...changes.values()]).toEqual(discovered.slice(0, 4));
  expect(dropped).toEqual(discovered.slice(4));
  const desired = mapOf([...discovered.slice(4), ...handMade.slice(0, 4)]);
  const more = fitBudget(mirrorOf(discovered.slice(0, 4)), desired, most);
  expect([...more.changes.values()]).toEqual(handMade.slice(0, 4));
  const all = fitBudget(mirrorOf([]), mapOf([...discovered, ...handMade]), most);
  expect([...all.changes.values()].slice(0, 10)).toEqual(handMade);
});
