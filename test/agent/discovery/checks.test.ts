import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DesiredRecord } from '../../../functions/agent/discovery/desired-record.ts';
import { fault as reasonOf, type ZonePlacement } from '../../../functions/agent/discovery/record-checks.ts';
import { discoverable } from '../../../functions/contract/declaration.ts';
import { foreign, found } from '../make.ts';

const zone = 'corp.internal.';
const reverse = '2.0.192.in-addr.arpa.';
const inZone = (name: string, more: Partial<ZonePlacement> = {}): ZonePlacement => ({
  zone: name,
  answering: name,
  declared: new Map([[name, name]]),
  servers: new Set([`ns1.${name}`]),
  cut: undefined,
  recordTypes: discoverable,
  ...more,
});
const placement = inZone(zone);
const fault = (...of: Parameters<typeof reasonOf>) => reasonOf(...of)?.message;
const desired = (name: string, type: string, ...records: string[]): DesiredRecord =>
  found('crd/a/x', name, type, ...records);

test.each([
  ['www.corp.internal.', 'A', '192.0.2.1'],
  ['*.w.corp.internal.', 'AAAA', '2001:db8::1'],
  ['www.corp.internal.', 'CNAME', 'lb.example.com.'],
  ['corp.internal.', 'MX', '10 mail.corp.internal.', '0 mail2.corp.internal.'],
  ['quiet.corp.internal.', 'MX', '0 .'],
  ['dev.corp.internal.', 'NS', 'ns1.example.com.', 'ns2.example.com.'],
  ['_sip._tcp.corp.internal.', 'SRV', '10 5 5060 sip.corp.internal.'],
  ['_ldap._tcp.dc._msdcs.corp.internal.', 'SRV', '0 0 389 dc.corp.internal.'],
  ['_xmpp-server._tcp.corp.internal.', 'SRV', '0 0 0 .'],
  ['corp.internal.', 'TXT', '"v=spf1 -all"'],
  ['_dmarc.corp.internal.', 'TXT', '"v=DMARC1; p=none"'],
  ['s1._domainkey.corp.internal.', 'TXT', '"v=DKIM1; p=MIGf"'],
  ['*.corp.internal.', 'TXT', '"x"'],
])('%s may have %s %s', (name, type, ...records) => {
  expect(fault(desired(name, type, ...records), placement)).toBeUndefined();
});

test('PTR records are for reverse zones', () => {
  const ptr = desired('1.2.0.192.in-addr.arpa.', 'PTR', 'www.corp.internal.');
  expect(fault(ptr, inZone(reverse))).toBeUndefined();
  expect(fault({ ...ptr, name: 'www.corp.internal.' }, placement)).toBe(
    'a PTR record belongs in a reverse zone (RFC 1035 section 3.5): name it below in-addr.arpa or ip6.arpa',
  );
});

const hidden = 'names that begin with an underscore are not for discovery of';
const otherwise = 'use another name, or declare it in spec.zones';
test.each([
  ['_dmarc.corp.internal.', 'A', '192.0.2.1', `${hidden} A records: ${otherwise}`],
  ['a._acme-challenge.corp.internal.', 'AAAA', '2001:db8::1', `${hidden} AAAA records`],
  ['_acme-challenge.corp.internal.', 'CNAME', 'x.example.com.', `${hidden} CNAME records`],
  ['_dmarc.corp.internal.', 'MX', '10 mail.corp.internal.', `${hidden} MX records`],
  ['_tcp.corp.internal.', 'NS', 'ns1.example.com.', `${hidden} NS records`],
  [
    '_sip.corp.internal.',
    'SRV',
    '0 0 5060 sip.corp.internal.',
    'not _service._proto and a name, such as _sip._tcp.www',
  ],
  ['sip.corp.internal.', 'SRV', '0 0 5060 sip.corp.internal.', 'not _service._proto and a name'],
  ['*._tcp.corp.internal.', 'SRV', '0 0 5060 sip.corp.internal.', 'not _service._proto and a name'],
  ['__x.corp.internal.', 'TXT', '"x"', '"__x" is not a label of letters, digits and hyphens'],
  ['x_y.corp.internal.', 'TXT', '"x"', '"x_y" is not a label of letters, digits and hyphens'],
  [
    'corp.internal.',
    'NS',
    'ns1.example.com.',
    "a zone's own servers are declared, not discovered: see spec.zones[].nameServers",
  ],
  [
    '*.corp.internal.',
    'NS',
    'ns1.example.com.',
    'a wildcard cannot be delegated (RFC 4592 section 4.2): delegate a name',
  ],
  [
    'corp.internal.',
    'CNAME',
    'lb.example.com.',
    '(RFC 1034 section 3.6.2): use a host below it, or an address as target',
  ],
  ['www.corp.internal.', 'CNAME', 'www.corp.internal.', 'a CNAME to itself: give the object another target'],
  ['ns1.corp.internal.', 'TXT', '"x"', "the name of a zone's own server"],
])('%s cannot have %s %s', (name, type, content, message) => {
  expect(fault(desired(name, type, content), placement)).toMatch(message);
});

test.each([
  ['A', '2001:db8::1', 'not an IPv4 address: 2001:db8::1'],
  ['A', '192.0.2.01', 'not an IPv4 address: 192.0.2.01'],
  ['AAAA', '192.0.2.1', 'not an IPv6 address: 192.0.2.1'],
  ['AAAA', 'fe80::1%eth0', 'an address in DNS has no zone id: fe80::1%eth0'],
  ['CNAME', '192.0.2.1', 'not a domain name but an address: 192.0.2.1'],
  ['CNAME', 'https://lb.example.com/', 'not a domain name but a URL: https://lb.example.com/'],
  ['CNAME', 'a..b', 'an empty label in a domain name: a..b.'],
  ['CNAME', 'a\\b', 'not an escape: \\b (\\\\ is a backslash, \\DDD an octet by its decimal value)'],
  ['CNAME', '@', 'not an absolute name: @'],
  ['CNAME', '192.0.2.1:8080', 'not a domain name but an address and a port: 192.0.2.1:8080'],
  ['CNAME', '192.0.2.300', 'not a domain name but a text that ends in a number, like an IP address: 192.0.2.300'],
  ['CNAME', '192.168.1', 'not a domain name but a text that ends in a number, like an IP address: 192.168.1'],
  ['CNAME', '$LB_HOST', 'not a domain name but a placeholder: $LB_HOST'],
  ['CNAME', 'pending', 'not a domain name but a placeholder: pending'],
  ['MX', 'mail.example.com', 'not "preference mail-server", such as "10 mail": mail.example.com'],
  ['MX', '99999 mail.example.com.', 'not a number from 0 to 65535 as preference: 99999'],
  ['MX', '0 @', 'not an absolute name: 0 @'],
  [
    'NS',
    'a_b.example.com.',
    'not a host name: a_b.example.com. (letters, digits and - only, and no - at the ends of a label)',
  ],
  ['PTR', '.', 'the root cannot be the target: .'],
  ['SRV', '0 5060 sip.', 'not "priority weight port target", such as "0 5 5060 sip": 0 5060 sip.'],
  ['TXT', '"open', 'not in quotes, or a quote is not closed: "open'],
])('%s cannot be %s', (type, content, message) => {
  const name = { SRV: '_sip._tcp.corp.internal.', PTR: `1.${reverse}` }[type] ?? 'www.corp.internal.';
  const nameContext = type === 'PTR' ? inZone(reverse) : placement;
  expect(fault(desired(name, type, content), nameContext)).toBe(`correct the target: ${message}`);
});

test('a record says something', () => {
  expect(fault(desired('www.corp.internal.', 'A'), placement)).toBe('no target');
  expect(fault(desired('www.corp.internal.', 'CNAME', ''), placement)).toBe('no target');
  expect(fault(desired('www.corp.internal.', 'CNAME', 'a.', 'b.'), placement)).toBe(
    'a CNAME has one target, not 2: give the object only one',
  );
});

test.each([-1, 2 ** 31, 1.5])('%d is not a time to live', (ttl) => {
  expect(fault({ ...desired('www.corp.internal.', 'A', '192.0.2.1'), ttl }, placement)).toBe(
    `not a time to live of 0 to 2147483647 seconds: ${ttl}`,
  );
});

test.each([
  [['A', 'AAAA', 'CNAME'], 'A', undefined],
  [['A', 'AAAA', 'CNAME'], 'MX', 'records of type MX are not discovered: add MX to discovery.recordTypes'],
  [['A'], 'CNAME', 'records of type CNAME are not discovered: add CNAME to discovery.recordTypes'],
  [['LUA', 'HTTPS'], 'LUA', 'records of type LUA are not discovered: declare them in spec.zones'],
  [['LUA', 'HTTPS'], 'HTTPS', 'records of type HTTPS are not discovered: declare them in spec.zones'],
])('of %j, %s: %s', (recordTypes, type, message) => {
  const given = inZone(zone, { recordTypes });
  expect(fault(desired('www.corp.internal.', type, '192.0.2.1'), given)).toBe(message);
});

test('a delegation stays where it is, and nothing else is at or below it', () => {
  const delegated = inZone(zone, { cut: foreign('dev.corp.internal.', 'NS', 'ns1.example.com.') });
  const message =
    'dev.corp.internal is delegated: its own servers answer for it: remove that record, or use another host';
  expect(fault(desired('dev.corp.internal.', 'NS', 'ns1.example.com.'), delegated)).toBeUndefined();
  expect(fault(desired('dev.corp.internal.', 'A', '192.0.2.1'), delegated)).toBe(message);
  expect(fault(desired('a.dev.corp.internal.', 'NS', 'ns1.example.com.'), delegated)).toBe(message);
  const moved = inZone(zone, { cut: foreign('dev.corp.internal.', 'DNAME', 'example.com.') });
  expect(fault(desired('a.dev.corp.internal.', 'NS', 'ns1.example.com.'), moved)).toMatch(
    'the DNAME of dev.corp.internal',
  );
});

test('a delegation hides nothing that is declared', () => {
  const above = inZone(zone, { beneath: 'db.dev.corp.internal.' });
  expect(fault(desired('dev.corp.internal.', 'NS', 'ns1.example.com.'), above)).toBe(
    'a delegation would hide db.dev.corp.internal, which the InternalDNS declares: delegate another name',
  );
  expect(fault(desired('dev.corp.internal.', 'A', '192.0.2.1'), above)).toBeUndefined();
});

test.each([
  [{ fault: '192.0.2.1 is outside discovery.targets.networks', isFiltered: true }, 'Filtered', 'change that field, '],
  [{ fault: 'cannot tell whose target 192.0.2.1 is, of a and b' }, 'Refused', 'give each of them a host of its own'],
])('what was found before is said with what to do about it: %j', (found, verdict, remedy) => {
  const said = reasonOf({ ...desired('www.corp.internal.', 'A'), ...found }, placement);
  expect(said).toEqual({ verdict, message: expect.stringContaining(`${found.fault}: ${remedy}`) });
});

test.each([
  ['bücher', 'write it as xn--bcher-kva'],
  ['日本語', 'write it as xn--wgv71a119e'],
  ['straße', 'write it as xn--strae-oqa'],
  ['ｗｗｗ', 'write it as www'],
  // No name has these, and what Node makes of them is another label.
  ['ü/x', 'use another name'],
  ['ü#x', 'use another name'],
  ['ü_x', 'use another name'],
  ['-ü', 'use another name'],
  ['ü'.repeat(63), 'use another name'],
  ['my_app', 'use another name'],
  ['x*', '* can only be the whole first label'],
])('instead of the label %s: %s', (label, remedy) => {
  const said = fault(desired(`${label}.corp.internal.`, 'A', '192.0.2.1'), placement);
  expect(said).toMatch(/^".*" is not a label of letters, digits and hyphens \(RFC 1123 section 2\.1\): /);
  expect(said).toMatch(new RegExp(`: ${remedy.replace('*', '\\*')}$`));
});

test('whatever is wrong with a name, there is something to do, and what is to be written instead is right', () => {
  const letter = fc.constantFrom(...'aü日é-_*\u0001"\\ ß'.split(''));
  const label = fc.oneof(fc.string({ unit: letter, maxLength: 70 }), fc.string({ unit: 'grapheme', maxLength: 70 }));
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => `${labels.join('.')}.${zone}`);
  fc.assert(
    fc.property(name, (given) => {
      const said = fault(desired(given, 'A', '192.0.2.1'), placement);
      if (said === undefined) return;
      expect(said).toMatch(/: (shorten|use|write|\* can) /);
      expect(said.length).toBeLessThan(256);
      const instead = /: write it as (\S+)$/.exec(said)?.[1];
      if (instead) expect(fault(desired(`${instead}.${zone}`, 'A', '192.0.2.1'), placement)).toBeUndefined();
    }),
  );
});

test.each([
  ['"www.corp.internal".', 'has quotes ("), which is no part of a host: write it as www.corp.internal'],
  ["'www.corp.internal'.", "has quotes ('), which is no part of a host: write it as www.corp.internal"],
  ['www.corp.internal:8080.', 'has a port (:), which is no part of a host: write it as www.corp.internal'],
  ['https://www.corp.internal.', 'has a scheme (:), which is no part of a host: write it as www.corp.internal'],
  ['https://www.corp.internal:8443/x.', 'has a scheme (:), which is no part of a host: write it as www.corp.internal'],
  ['www.corp.internal/path.', 'has a path (/), which is no part of a host: write it as www.corp.internal'],
  ['\\"www.corp.internal\\".', 'has quotes (\\), which is no part of a host: write it as www.corp.internal'],
])('%s is refused for what is around it', (name, message) => {
  const isWithin = name.endsWith(`.${zone}`);
  expect(reasonOf(desired(name, 'A', '192.0.2.1'), isWithin ? placement : { ...placement, zone: undefined })).toEqual({
    verdict: 'Refused',
    message,
  });
});

test.each(['"www.example.com".', 'www.example.com:8080.', 'https://www.example.com/corp.internal.'])(
  '%s is outside the zones, whatever is around it',
  (name) => {
    expect(reasonOf(desired(name, 'A', '192.0.2.1'), { ...placement, zone: undefined })?.verdict).toBe('OutsideZones');
  },
);

test.each([
  ['a', 'the recordType is written A, not a'],
  ['cname ', 'the recordType is written CNAME, not cname '],
  ['', 'its recordType is missing: write A for addresses, or what else it is'],
])('a record of type %j is refused, and not filtered', (type, message) => {
  expect(reasonOf(desired('www.corp.internal.', type, '192.0.2.1'), placement)).toEqual({
    verdict: 'Refused',
    message,
  });
  expect(reasonOf(desired('www.example.com.', type, '192.0.2.1'), { ...placement, zone: undefined })?.verdict).toBe(
    'OutsideZones',
  );
});
