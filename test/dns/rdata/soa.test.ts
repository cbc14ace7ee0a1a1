import { describe, expect, test } from 'vitest';
import { type SOA, soa as schema, soaContent, soaIssues } from '../../../functions/dns/rdata/soa.ts';

const content = (chosen?: SOA) => soaContent('corp.internal.', 'ns1.corp.internal.', chosen);

test('by default a negative answer is cached for five seconds at most', () => {
  expect(content()).toBe('ns1.corp.internal. hostmaster.corp.internal. 0 3600 600 604800 5');
  expect(content({})).toBe(content());
});

test('each field can be set independently', () => {
  expect(
    content({ mname: 'ns.example.com', rname: 'noc.example.com', refresh: 1, retry: 2, expire: 3, minimum: 0 }),
  ).toBe('ns.example.com. noc.example.com. 0 1 2 3 0');
  expect(content({ minimum: 30 })).toBe('ns1.corp.internal. hostmaster.corp.internal. 0 3600 600 604800 30');
});

describe('a mailbox', () => {
  // https://www.rfc-editor.org/rfc/rfc1035#section-8
  test.each([
    ['hostmaster@corp.internal', 'hostmaster.corp.internal.'],
    ['first.last@corp.internal', 'first\\.last.corp.internal.'],
    ['a.b.c@corp.internal', 'a\\.b\\.c.corp.internal.'],
    ['First.Last@Corp.Internal', 'first\\.last.corp.internal.'],
    ['dns+ops@corp.internal', 'dns+ops.corp.internal.'],
    ['hostmaster@bücher.example', 'hostmaster.xn--bcher-kva.example.'],
    ['hostmaster.corp.internal', 'hostmaster.corp.internal.'],
    ['hostmaster.corp.internal.', 'hostmaster.corp.internal.'],
    ['first\\.last.corp.internal', 'first\\.last.corp.internal.'],
  ])('%s is the name %s', (rname, expected) => {
    expect(content({ rname }).split(' ')[1]).toBe(expected);
    expect(soaIssues({ rname })).toEqual([]);
  });

  test.each([
    ['@corp.internal', 'not a mailbox: @corp.internal'],
    ['hostmaster@', 'not a mailbox: hostmaster@'],
    ['a b@corp.internal', 'white space in a domain name'],
    ['"a"@corp.internal', 'a quote in a domain name'],
    ['.a@corp.internal@', 'not a mailbox'],
    ['a@corp..internal', 'an empty label in a domain name'],
    [`${'x'.repeat(64)}@corp.internal`, 'a label of more than 63 octets'],
  ])('%s is refused', (rname, message) => {
    expect(soaIssues({ rname })).toEqual([{ at: 'soa.rname', message: expect.stringContaining(message) }]);
  });
});

test.each([
  ['NS.Example.Com', 'ns.example.com.'],
  ['ns.example.com.', 'ns.example.com.'],
  // Not relative to the zone: every name in a composite is absolute.
  ['ns1', 'ns1.'],
])('the primary %s is %s', (mname, expected) => {
  expect(content({ mname }).split(' ')[0]).toBe(expected);
});

test('an invalid primary server is an issue', () => {
  expect(soaIssues({ mname: 'a b' })).toEqual([{ at: 'soa.mname', message: 'white space in a domain name: a b' }]);
  expect(soaIssues({ mname: '', rname: '@' }).map(({ at }) => at)).toEqual(['soa.mname', 'soa.rname']);
  expect(soaIssues({})).toEqual([]);
});

test.each([
  ['refresh', 0],
  ['retry', 0],
  ['expire', 2 ** 31],
  ['minimum', -1],
  // A negative answer is cached for as long: https://www.rfc-editor.org/rfc/rfc2308#section-5
  ['minimum', 86401],
  ['refresh', 1.5],
])('%s is never %s', (field, value) => {
  expect(schema.safeParse({ [field]: value }).success).toBe(false);
});
