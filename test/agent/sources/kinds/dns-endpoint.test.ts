import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DNSEndpoint, fromDNSEndpoint } from '../../../../functions/agent/sources/kinds/dns-endpoint.ts';
import { annotated, both, lineOf, metadata } from './object.ts';

type Endpoint = NonNullable<NonNullable<DNSEndpoint['spec']>['endpoints']>[number];
const sourceObjects = (...endpoints: Endpoint[]) =>
  fromDNSEndpoint({ metadata: metadata(), spec: { endpoints } }, both);
const endpoint = (recordType: string, ...targets: string[]) => ({ dnsName: 'A.corp.internal', recordType, targets });

test.each<[string, Endpoint, string]>([
  ['addresses', endpoint('A', '192.0.2.1', '192.0.2.2'), '192.0.2.1 192.0.2.2'],
  ['IPv6 addresses in one form', endpoint('AAAA', '2001:DB8:0:0::1'), '2001:db8::1'],
  ['a name, with a dot or without', endpoint('CNAME', 'Web.example', 'web.example.'), 'web.example.'],
  ['mail exchanges', endpoint('MX', '10 mail.example.'), '10 mail.example.'],
  ['services', endpoint('SRV', '0 50 80 web.example.'), '0 50 80 web.example.'],
  ['text, quoted', endpoint('TXT', 'v=spf1 -all'), '"v=spf1 -all"'],
  ['what is no content of its type, as it is', endpoint('MX', 'mail'), 'mail'],
  ['types that are not known', endpoint('SPF', '192.0.2.1'), '192.0.2.1'],
  ['none, for the default targets', endpoint('A'), 'none'],
  ['none in a list that is null', { dnsName: 'a.corp.internal', recordType: 'A', targets: null }, 'none'],
])('its targets are %s', (_, one, targets) => {
  expect(lineOf(sourceObjects(one))).toBe(`a.corp.internal. > ${targets}`);
});

test('all endpoints make one source object', () => {
  const other = { dnsName: 'b.corp.internal', recordType: 'A', targets: ['192.0.2.1', '192.0.2.3'] };
  const slow = { ...endpoint('TXT', 'text'), recordTTL: 300 };
  expect(sourceObjects(endpoint('A', '192.0.2.1'), null, {}, other, slow)).toEqual([
    {
      resource: 'crd/shop/web',
      namespace: 'shop',
      uid: metadata().uid,
      created: '2026-11-21T08:00:00Z',
      hosts: ['a.corp.internal.', 'b.corp.internal.'],
      targets: ['192.0.2.1', '192.0.2.3', '"text"'],
      parts: new Map([
        ['a.corp.internal. A', { targets: ['192.0.2.1'] }],
        ['b.corp.internal. A', { targets: ['192.0.2.1', '192.0.2.3'] }],
        ['a.corp.internal. TXT', { targets: ['"text"'], ttl: 300 }],
      ]),
    },
  ]);
});

test('hosts over the limit have no parts', () => {
  const [sourceObject] = sourceObjects(
    ...Array.from({ length: 1002 }, (_, i) => ({ ...endpoint('A', '192.0.2.1'), dnsName: `h${i}` })),
  );
  expect([sourceObject?.hosts.length, sourceObject?.parts?.size, sourceObject?.overflow?.host]).toEqual([
    1000,
    1000,
    'h1000.',
  ]);
});

test('selectors apply, the controller annotation does not', () => {
  const spec = { endpoints: [endpoint('A', '192.0.2.1'), endpoint('TXT', 'text')] };
  const line = (object: DNSEndpoint['metadata'], filters: object) =>
    lineOf(fromDNSEndpoint({ metadata: object, spec }, { ...both, ...filters }));
  const annotationSelector = { matchLabels: { public: 'no' } };
  const taken = 'a.corp.internal. > 192.0.2.1 "text"';
  const leftOut = (field: string, things: string) =>
    `a.corp.internal. left out: discovery.${field} (public=no) does not match: add matching ${things}, or change that field`;
  expect(line(metadata(), { annotationSelector })).toBe(leftOut('annotationSelector', 'annotations'));
  expect(line(metadata({ public: 'no' }), { annotationSelector })).toBe(taken);
  expect(line({ ...metadata(), labels: { public: 'yes' } }, { selector: annotationSelector })).toBe(
    leftOut('selector', 'labels'),
  );
  expect(line(annotated({ controller: 'x' }), {})).toBe(taken);
});

test('any DNSEndpoint is read without an error', () => {
  const text = fc.string({ maxLength: 20 });
  const any = fc.record(
    { dnsName: text, recordType: fc.constantFrom('A', 'TXT', 'MX', 'SRV', 'SVCB', 'x'), targets: fc.array(text) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(fc.option(any)), (endpoints) => {
      const named = endpoints.some((e) => e?.dnsName && e.dnsName !== '.');
      expect(sourceObjects(...endpoints).length).toBe(named ? 1 : 0);
    }),
  );
  expect(fromDNSEndpoint({ metadata: metadata() }, both)).toEqual([]);
});
