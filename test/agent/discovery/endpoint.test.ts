import { expect, test } from 'vitest';
import { endpointChanges, endpointOf, endpoints, rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { parse } from '../../../functions/agent/parse.ts';
import { want } from '../make.ts';

test('a wish has one form, whatever it was said in', () => {
  const wish = {
    ...want('ingress/a/web', 'WWW.corp.internal.', 'AAAA', '2001:DB8::2', '2001:db8:0::1', '2001:db8::2'),
  };
  expect(rrsetOf(wish, 'corp')).toEqual({
    name: 'www.corp.internal.',
    type: 'AAAA',
    ttl: 60,
    records: ['2001:db8::1', '2001:db8::2'],
    mark: { account: 'external-dns/corp', content: 'ingress/a/web' },
  });
  expect(rrsetOf(want('x', 'a.corp.internal', 'CNAME', 'LB.Example.com'), 'corp').records).toEqual(['lb.example.com.']);
});

test('a time to live is kept, and none is 60 s', () => {
  const wish = want('x', 'a.corp.internal', 'A', '192.0.2.1');
  expect([undefined, 0, 15].map((recordTTL) => rrsetOf({ ...wish, recordTTL }, 'corp').ttl)).toEqual([60, 60, 15]);
});

test('what ExternalDNS gets back is what it would say itself', () => {
  const wish = { ...want('x', '*.w.corp.internal', 'CNAME', 'lb.example.com'), recordTTL: 15 };
  expect(endpointOf(rrsetOf(wish, 'corp'))).toEqual(wish);
});

test('what Go leaves out or writes as null is empty', () => {
  expect(parse('null', endpoints)).toEqual([]);
  expect(parse('[{"recordType":"A","setIdentifier":"x","providerSpecific":[{"name":"alias"}]}]', endpoints)).toEqual([
    { dnsName: '', targets: [], recordType: 'A' },
  ]);
  expect(parse('{"create":null}', endpointChanges)).toEqual({ create: [] });
});

test.each([
  ['', /^Unexpected end of JSON input$/],
  ['{}', /^text: Invalid input: expected array, received object$/],
  ['[{"dnsName":1}]', /^0\.dnsName: Invalid input: expected string, received number$/],
  ['[null]', /^0: /],
])('a text that is none is refused in one line: %s', (text, message) => {
  expect(() => parse(text, endpoints)).toThrow(message);
});
