import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checks, rejectionOf } from '../../../functions/agent/discovery/checks.ts';
import type { DesiredRecord } from '../../../functions/agent/discovery/desired-records.ts';
import type { EvaluationContext, Violation } from '../../../functions/agent/discovery/evaluation.ts';
import type { NameContext } from '../../../functions/agent/discovery/name-context.ts';
import { answerOf, declaredAccount, discoveredMark, type RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { noSources } from '../../../functions/agent/sources/source-object.ts';
import { discoveredRRset, foreign } from '../make.ts';
import { contextWith, emptyNameIn } from './contexts.ts';

const zone = 'corp.internal.';
const reverse = '2.0.192.in-addr.arpa.';
const nameContext = emptyNameIn(zone);
const outside = emptyNameIn(zone, { zone: undefined });
const everyType = contextWith();
const messageOf = (record: DesiredRecord, at = nameContext, context = everyType) =>
  rejectionOf(record, at, context)?.message;
const verdictOn = (record: DesiredRecord, at = nameContext) => {
  const { verdict, message } = rejectionOf(record, at, everyType) ?? {};
  return { verdict, message };
};
const desired = (name: string, type: string, ...records: string[]): DesiredRecord =>
  discoveredRRset('crd/a/x', name, type, ...records);
const declared = (name: string, type: string, ...records: string[]): RRset => ({
  ...foreign(name, type, ...records),
  mark: { account: declaredAccount, content: '' },
});

interface Case {
  record: DesiredRecord;
  at?: NameContext;
  context?: EvaluationContext;
  verdict?: Violation['verdict'];
  message: string;
  isEntitled?: boolean;
  isFinal?: boolean;
}

const www = (type: string, ...records: string[]) => desired('www.corp.internal.', type, ...records);
const having = (...existing: RRset[]) =>
  emptyNameIn(zone, { existing, names: new Map([['www.corp.internal.', existing]]) });
const host = discoveredRRset('ingress/b/y', 'www.corp.internal.', 'A', '192.0.2.2');
const tenants = [{ namespaceSelector: { matchLabels: { team: 'b' } }, names: ['*.corp.internal'] }];
const labelled = { ...noSources, namespaceLabels: () => ({ team: 'a' }) };

/** What each check is about, in their order. */
const cases: Record<string, Case> = {
  emptyName: { record: desired('.', 'A', '192.0.2.1'), message: 'the name is empty' },
  undiscoverableType: {
    record: www('TXT', '"x"'),
    context: contextWith({ recordTypes: ['A'] }),
    verdict: 'Filtered',
    message: 'add TXT to discovery.recordTypes',
  },
  notAHostName: { record: desired('www.corp.internal:80.', 'A', '192.0.2.1'), at: outside, message: 'has a port (:)' },
  outsideZones: {
    record: desired('www.example.com.', 'A', '192.0.2.1'),
    at: outside,
    verdict: 'OutsideZones',
    message: 'outside the zones corp.internal',
  },
  misspelledType: { record: www('a', '192.0.2.1'), message: 'the recordType is written A, not a' },
  illegalHostName: { record: desired('a_b.corp.internal.', 'A', '192.0.2.1'), message: 'invalid label "a_b": ' },
  zonesOwnServer: {
    record: desired('ns1.corp.internal.', 'A', '192.0.2.1'),
    verdict: 'DeclaredElsewhere',
    message: "the name of a zone's own server",
  },
  answeredByAnotherZone: {
    record: www('A', '192.0.2.1'),
    at: emptyNameIn(zone, { answeringZone: undefined }),
    message: 'the zone corp.internal could not be created',
  },
  belowZoneCut: {
    record: desired('a.dev.corp.internal.', 'A', '192.0.2.1'),
    at: emptyNameIn(zone, { cut: declared('dev.corp.internal.', 'NS', 'ns1.example.com.') }),
    verdict: 'DeclaredElsewhere',
    message: 'dev.corp.internal is delegated',
  },
  unresolvedTarget: {
    record: {
      ...desired(zone, 'CNAME', 'lb.example.com.'),
      fault: 'the target lb.example.com is not resolved yet',
      unresolved: { verdict: 'Pending' },
    },
    verdict: 'Pending',
    message: 'is not resolved yet',
  },
  misplacedType: {
    record: desired(zone, 'CNAME', 'lb.example.com.'),
    message: 'a CNAME is not allowed at the zone apex',
  },
  hidesDeclaredName: {
    record: www('NS', 'ns1.example.com.'),
    at: having(declared('www.corp.internal.', 'A', '192.0.2.2')),
    message: 'a delegation would hide www.corp.internal, which the InternalDNS declares',
    isFinal: true,
  },
  invalidTTL: { record: { ...www('A', '192.0.2.1'), ttl: -1 }, message: '-1' },
  filteredTarget: {
    record: { ...www('A'), fault: '192.0.2.1 is outside discovery.targets.networks', isFiltered: true },
    verdict: 'Filtered',
    message: 'discovery.targets.networks: change that field',
    isFinal: true,
  },
  unclearTarget: { record: { ...www('A'), fault: 'whose target' }, message: 'give each of them a host of its own' },
  missingTarget: { record: www('A'), verdict: 'NoAddress', message: 'no target' },
  invalidTarget: { record: www('A', '192.0.2.300'), message: 'correct the target: not an IPv4 address' },
  invalidCNAME: { record: www('CNAME', 'www.corp.internal.'), message: 'a CNAME to itself' },
  restrictedName: {
    record: www('A', '192.0.2.1'),
    context: contextWith({ reservedNames: ['www.corp.internal'] }),
    message: 'reserved (discovery.reservedNames)',
    isEntitled: false,
  },
  overQuota: {
    record: www('A', '192.0.2.1'),
    context: contextWith({}, { exhausted: new Set(['a']) }),
    message: 'discovery.maxNamesPerNamespace',
    isEntitled: false,
  },
  acrossNamespaces: {
    record: desired('*.www.corp.internal.', 'A', '192.0.2.1'),
    at: emptyNameIn(zone, { names: new Map([['www.corp.internal.', [host]]]) }),
    message: 'add Wildcards to discovery.allowAcrossNamespaces',
    isEntitled: false,
  },
  occupied: {
    record: www('A', '192.0.2.1'),
    at: having(foreign('www.corp.internal.', 'A', '192.0.2.2')),
    verdict: 'ForeignRecord',
    message: 'an unmanaged A record exists at this name: delete it, or declare it in spec.zones',
  },
  usedByAnotherOwner: {
    record: www('A', '192.0.2.1'),
    at: having({ ...host, mark: discoveredMark('other', 'ingress/b/y') }),
    verdict: 'Duplicate',
    message: 'ingress/b/y',
  },
  hidesOthersName: {
    record: www('NS', 'ns1.example.com.'),
    at: having(foreign('www.corp.internal.', 'TXT', '"x"')),
    message: 'a delegation would hide www.corp.internal, an unmanaged record: delegate another name',
  },
  unknownTenant: {
    record: www('A', '192.0.2.1'),
    context: contextWith({ tenants }),
    verdict: 'Pending',
    message: 'the labels of namespace a are not known yet',
  },
  cnameLoop: {
    record: www('CNAME', 'a.corp.internal.'),
    context: contextWith({}, { looping: { byTarget: new Map([['a.corp.internal.', 'a circle']]) } }),
    message: 'a circle',
  },
  rejectedByPowerDNS: {
    record: www('A', '192.0.2.1'),
    context: contextWith(
      {},
      {
        rejections: new Map([
          [answerOf(www('A', '192.0.2.1')), { rrset: www('A', '192.0.2.1'), message: 'no', beside: [] }],
        ]),
      },
    ),
    message: 'change the object, as PowerDNS refuses this: no',
  },
};

test('every check has a case', () => {
  expect(Object.keys(cases)).toEqual(checks.map(({ name }) => name));
});

test.each(Object.entries(cases))('%s', (name, { record, at = nameContext, context = everyType, message, ...rest }) => {
  const rejection = rejectionOf(record, at, context);
  expect(rejection).toMatchObject({ verdict: 'Refused', isFinal: false, isEntitled: !rest.isFinal, ...rest });
  expect(rejection?.message).toContain(message);
  const input = { desired: record, nameContext: at, context, restriction: context.restrictions.for(record) };
  expect(checks.find((check) => check(input))?.name).toBe(name);
});

test('a record with a mistake does not defend a name that its object may not have', () => {
  const given = contextWith({ reservedNames: ['www.corp.internal'] });
  expect(rejectionOf(www('A'), nameContext, given)).toMatchObject({ verdict: 'NoAddress', isEntitled: false });
  expect(rejectionOf(www('A'), nameContext, contextWith({ tenants }, { lister: labelled }))).toMatchObject({
    isEntitled: false,
  });
  expect(rejectionOf(www('A'), nameContext, contextWith({ tenants }))).toMatchObject({ isEntitled: true });
});

test('a current CNAME that closes a loop is deleted even if the desired one has another mistake', () => {
  const record = { ...www('CNAME', 'a.corp.internal.'), ttl: -1 };
  const context = contextWith({}, { looping: { byTarget: new Map([['a.corp.internal.', 'a circle']]) } });
  const at = emptyNameIn(zone, { current: [www('CNAME', 'a.corp.internal.')] });
  expect(rejectionOf(record, at, context)).toMatchObject({ isFinal: true, isEntitled: false });
  expect(rejectionOf(record, nameContext, context)).toMatchObject({ isFinal: false, isEntitled: true });
});

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
  expect(messageOf(desired(name, type, ...records))).toBeUndefined();
});

test('a PTR record is allowed in a reverse zone only', () => {
  const ptr = desired('1.2.0.192.in-addr.arpa.', 'PTR', 'www.corp.internal.');
  expect(messageOf(ptr, emptyNameIn(reverse))).toBeUndefined();
  expect(messageOf({ ...ptr, name: 'www.corp.internal.' })).toBe(
    'a PTR record belongs in a reverse zone (RFC 1035 section 3.5): name it below in-addr.arpa or ip6.arpa',
  );
});

const hidden =
  'a label that begins with an underscore is for TXT and SRV records only: use another name, or declare it in spec.zones';
const notALabel = 'labels consist of letters, digits and inner hyphens';
test.each([
  ['_dmarc.corp.internal.', 'A', '192.0.2.1', hidden],
  ['a._acme-challenge.corp.internal.', 'AAAA', '2001:db8::1', hidden],
  ['_acme-challenge.corp.internal.', 'CNAME', 'x.example.com.', hidden],
  ['_dmarc.corp.internal.', 'MX', '10 mail.corp.internal.', hidden],
  ['_tcp.corp.internal.', 'NS', 'ns1.example.com.', hidden],
  [
    '_sip.corp.internal.',
    'SRV',
    '0 0 5060 sip.corp.internal.',
    'not _service._proto and a name, such as _sip._tcp.www',
  ],
  ['sip.corp.internal.', 'SRV', '0 0 5060 sip.corp.internal.', 'not _service._proto and a name'],
  ['*._tcp.corp.internal.', 'SRV', '0 0 5060 sip.corp.internal.', 'not _service._proto and a name'],
  ['__x.corp.internal.', 'TXT', '"x"', `invalid label "__x": ${notALabel}`],
  ['x_y.corp.internal.', 'TXT', '"x"', `invalid label "x_y": ${notALabel}`],
  [
    'corp.internal.',
    'NS',
    'ns1.example.com.',
    'the name servers of a zone are declared, not discovered: see spec.zones[].nameServers',
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
  expect(messageOf(desired(name, type, content))).toMatch(message);
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
  const at = type === 'PTR' ? emptyNameIn(reverse) : nameContext;
  expect(messageOf(desired(name, type, content), at)).toBe(`correct the target: ${message}`);
});

test('a record without a target, and a CNAME with two, are refused', () => {
  expect(messageOf(desired('www.corp.internal.', 'A'))).toBe('no target');
  expect(messageOf(desired('www.corp.internal.', 'CNAME', ''))).toBe('no target');
  expect(messageOf(desired('www.corp.internal.', 'CNAME', 'a.', 'b.'))).toBe(
    'a CNAME has one target, not 2: give the object only one',
  );
});

test.each([-1, 2 ** 31, 1.5])('a TTL of %d is refused', (ttl) => {
  expect(messageOf({ ...desired('www.corp.internal.', 'A', '192.0.2.1'), ttl })).toBe(
    `the TTL ${ttl} is invalid: use 0 to 2147483647 seconds`,
  );
});

test.each([
  [['A', 'AAAA', 'CNAME'], 'A', undefined],
  [['A', 'AAAA', 'CNAME'], 'MX', 'records of type MX are not discovered: add MX to discovery.recordTypes'],
  [['A'], 'CNAME', 'records of type CNAME are not discovered: add CNAME to discovery.recordTypes'],
  [['LUA', 'HTTPS'], 'LUA', 'records of type LUA are not discovered: declare them in spec.zones'],
  [['LUA', 'HTTPS'], 'HTTPS', 'records of type HTTPS are not discovered: declare them in spec.zones'],
])('with recordTypes %j, the message on a record of type %s is %s', (recordTypes, type, message) => {
  const context = contextWith({ recordTypes });
  expect(messageOf(desired('www.corp.internal.', type, '192.0.2.1'), nameContext, context)).toBe(message);
});

test('at a delegation only itself is allowed, and nothing below it', () => {
  const delegated = emptyNameIn(zone, { cut: foreign('dev.corp.internal.', 'NS', 'ns1.example.com.') });
  const message =
    'dev.corp.internal is delegated: its own servers answer for it: remove that record, or use another host';
  expect(messageOf(desired('dev.corp.internal.', 'NS', 'ns1.example.com.'), delegated)).toBeUndefined();
  expect(messageOf(desired('dev.corp.internal.', 'A', '192.0.2.1'), delegated)).toBe(message);
  expect(messageOf(desired('a.dev.corp.internal.', 'NS', 'ns1.example.com.'), delegated)).toBe(message);
  const moved = emptyNameIn(zone, { cut: foreign('dev.corp.internal.', 'DNAME', 'example.com.') });
  expect(messageOf(desired('a.dev.corp.internal.', 'NS', 'ns1.example.com.'), moved)).toMatch(
    'the DNAME of dev.corp.internal',
  );
});

test('a delegation that would hide a declared record is refused', () => {
  const db = declared('db.dev.corp.internal.', 'A', '192.0.2.2');
  const above = emptyNameIn(zone, { names: new Map([[db.name, [db]]]) });
  expect(messageOf(desired('dev.corp.internal.', 'NS', 'ns1.example.com.'), above)).toBe(
    'a delegation would hide db.dev.corp.internal, which the InternalDNS declares: delegate another name',
  );
  expect(messageOf(desired('dev.corp.internal.', 'A', '192.0.2.1'), above)).toBeUndefined();
});

test.each([
  [{ fault: '192.0.2.1 is outside discovery.targets.networks', isFiltered: true }, 'Filtered', 'change that field, '],
  [
    { fault: 'cannot tell which of a and b has the target 192.0.2.1' },
    'Refused',
    'give each of them a host of its own',
  ],
])('a fault of the endpoint is reported with its cure: %j', (parsed, verdict, remedy) => {
  const message = verdictOn({ ...desired('www.corp.internal.', 'A'), ...parsed });
  expect(message).toEqual({ verdict, message: expect.stringContaining(`${parsed.fault}: ${remedy}`) });
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
])('the message on the label %s proposes: %s', (label, remedy) => {
  const message = messageOf(desired(`${label}.corp.internal.`, 'A', '192.0.2.1'));
  expect(message).toMatch(/^invalid label ".*": labels consist of .* \(RFC 1123 section 2\.1\): /);
  expect(message).toMatch(new RegExp(`: ${remedy.replace('*', '\\*')}$`));
});

test('every message on a name has a cure, and the name it proposes is accepted', () => {
  const letter = fc.constantFrom(...'aü日é-_*\u0001"\\ ß'.split(''));
  const label = fc.oneof(fc.string({ unit: letter, maxLength: 70 }), fc.string({ unit: 'grapheme', maxLength: 70 }));
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => `${labels.join('.')}.${zone}`);
  fc.assert(
    fc.property(name, (given) => {
      const message = messageOf(desired(given, 'A', '192.0.2.1'));
      if (message === undefined) return;
      expect(message).toMatch(/: (shorten|use|write|\* can) /);
      expect(message.length).toBeLessThan(256);
      const instead = /: write it as (\S+)$/.exec(message)?.[1];
      if (instead) expect(messageOf(desired(`${instead}.${zone}`, 'A', '192.0.2.1'))).toBeUndefined();
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
])('%s is refused, and the message says what to write instead', (name, message) => {
  const isWithin = name.endsWith(`.${zone}`);
  expect(verdictOn(desired(name, 'A', '192.0.2.1'), isWithin ? nameContext : outside)).toEqual({
    verdict: 'Refused',
    message,
  });
});

test.each(['"www.example.com".', 'www.example.com:8080.', 'https://www.example.com/corp.internal.'])(
  '%s is outside the zones, whatever else is wrong with it',
  (name) => {
    expect(verdictOn(desired(name, 'A', '192.0.2.1'), outside)?.verdict).toBe('OutsideZones');
  },
);

test.each([
  ['a', 'the recordType is written A, not a'],
  ['cname ', 'the recordType is written CNAME, not cname '],
  ['', 'its recordType is missing: write A for addresses, or what else it is'],
])('a record of type %j is refused, and not filtered', (type, message) => {
  expect(verdictOn(desired('www.corp.internal.', type, '192.0.2.1'))).toEqual({
    verdict: 'Refused',
    message,
  });
  expect(verdictOn(desired('www.example.com.', type, '192.0.2.1'), outside)?.verdict).toBe('OutsideZones');
});
