import { describe, expect, test } from 'vitest';
import {
  areConflicting,
  areMutuallyExclusive,
  canonicalAddress,
  haveSameAnswer,
  ownershipOf,
} from '../../../functions/agent/powerdns/rrset.ts';
import { absolute, zoneOf } from '../../../functions/dns/name.ts';
import { discoveredRRset, foreign } from '../make.ts';

test.each([
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['no address', 'no address'],
])('the canonical form of %s is %s', (text, form) => {
  expect(canonicalAddress(text)).toBe(form);
});

test('a name is absolute and in lower case', () => {
  expect(['WWW.Corp.Internal', 'www.corp.internal.', ''].map(absolute)).toEqual([
    'www.corp.internal.',
    'www.corp.internal.',
    '.',
  ]);
});

test.each([
  ['www.corp.internal.', 'corp.internal.'],
  ['corp.internal.', 'corp.internal.'],
  ['a.b.dev.corp.internal.', 'dev.corp.internal.'],
  ['dev.corp.internal.', 'dev.corp.internal.'],
  ['notcorp.internal.', undefined],
  ['internal.', undefined],
  ['.', undefined],
  ['a..corp.internal.', 'corp.internal.'],
])('%s is answered by %s', (name, zone) => {
  expect(zoneOf(name, new Map(['corp.internal.', 'dev.corp.internal.'].map((z) => [z, z])))).toBe(zone);
});

test('a missing zone still owns its names: no other zone answers for them', () => {
  expect(
    zoneOf(
      'a.dev.corp.internal.',
      new Map([
        ['corp.internal.', 1],
        ['dev.corp.internal.', undefined],
      ]),
    ),
  ).toBe(undefined);
});

describe('rivals', () => {
  const at = (type: string, resource = 'ingress/a/web', name = 'x.corp.internal.') =>
    discoveredRRset(resource, name, type, 'any');
  test.each([
    ['A', 'A', true],
    ['A', 'AAAA', true],
    ['A', 'CNAME', true],
    ['CNAME', 'TXT', true],
    ['SOA', 'CNAME', true],
    ['A', 'TXT', false],
    ['NS', 'SOA', false],
  ])('%s and %s: %s', (a, b, rivals) => {
    expect(areConflicting(at(a), at(b))).toBe(rivals);
    expect(areConflicting(at(b), at(a))).toBe(rivals);
    expect(areConflicting(at(a), at(b, undefined, 'y.corp.internal.'))).toBe(false);
  });

  test('one object may have both address families, and nothing else twice', () => {
    expect(areMutuallyExclusive(at('A'), at('AAAA'))).toBe(false);
    expect(areMutuallyExclusive(at('A'), at('AAAA', 'ingress/b/web'))).toBe(true);
    expect(areMutuallyExclusive(at('A'), at('A'))).toBe(true);
    expect(areMutuallyExclusive(at('A'), at('CNAME'))).toBe(true);
  });
});

test('the serial, the order and the notation of addresses do not change an answer', () => {
  const soa = (serial: number, minimum = 30) => foreign('z.', 'SOA', `ns1.z. hostmaster.z. ${serial} 1 2 3 ${minimum}`);
  expect(haveSameAnswer(soa(0), soa(2026010101))).toBe(true);
  expect(haveSameAnswer(soa(0), soa(0, 3600))).toBe(false);
  expect(
    haveSameAnswer(foreign('z.', 'A', '192.0.2.1', '192.0.2.2'), foreign('z.', 'A', '192.0.2.2', '192.0.2.1')),
  ).toBe(true);
  expect(haveSameAnswer(foreign('z.', 'AAAA', '2001:DB8::0:1'), foreign('z.', 'AAAA', '2001:db8::1'))).toBe(true);
  expect(haveSameAnswer(foreign('z.', 'A', '192.0.2.1'), foreign('z.', 'A', '192.0.2.1', '192.0.2.1'))).toBe(false);
  expect(haveSameAnswer(foreign('z.', 'A', '192.0.2.1'), { ...foreign('z.', 'A', '192.0.2.1'), ttl: 61 })).toBe(false);
});

test('the comment of an RRset determines its owner', () => {
  const marked = (account: string) => ownershipOf({ ...foreign('z.', 'A'), mark: { account, content: '' } });
  expect([
    marked('internal-dns'),
    marked('external-dns/corp'),
    marked('someone'),
    ownershipOf(foreign('z.', 'A')),
  ]).toEqual(['declared', 'discovered', 'foreign', 'foreign']);
});
