import { describe, expect, test } from 'vitest';
import { desiredRecordsOf } from '../../../functions/agent/discovery/desired-records.ts';
import { type Endpoint, rrsetOf } from '../../../functions/agent/discovery/endpoint.ts';
import { currentRRsets, evaluate } from '../../../functions/agent/discovery/evaluate.ts';
import type { PowerDNSRejection } from '../../../functions/agent/discovery/evaluation.ts';
import { answerOf, type RRset, type Zone } from '../../../functions/agent/powerdns/rrset.ts';
import { noSources } from '../../../functions/agent/sources/source-object.ts';
import { zoneOf } from '../../../functions/dns/name.ts';
import { corp, declare, discoveredRRset, endpoint, foreign, zone, zones } from '../make.ts';

/** Evaluates endpoints. Returns `name type content` and `name (object): message`. */
function verdict(
  endpoints: Endpoint[],
  present: RRset[] | Zone[] = [],
  declaration = declare(),
  rejections = new Map<string, PowerDNSRejection>(),
) {
  const isRRset = (each: RRset | Zone): each is RRset => 'type' in each;
  const rrsets = present.filter(isRRset);
  const zones = present.length > rrsets.length ? (present as Zone[]) : [zone('corp.internal', rrsets, declaration)];
  const desiredRecords = endpoints.map((endpoint) => rrsetOf(endpoint, 'corp'));
  const { accepted, refused } = evaluate(desiredRecords, zones, declaration, { rejections });
  return {
    accepted: accepted.map((r) => `${r.name} ${r.type} ${r.records.join(' ')}`).sort(),
    refused: refused.map(({ rrset, message }) => `${rrset.name} (${rrset.mark?.content}): ${message}`),
  };
}

const x = (type: string, ...targets: string[]) => endpoint('ingress/a/x', 'www.corp.internal', type, ...targets);
const y = (type: string, ...targets: string[]) => endpoint('ingress/b/y', 'www.corp.internal', type, ...targets);
const current = (resource: string, type: string, ...records: string[]) =>
  discoveredRRset(resource, 'www.corp.internal.', type, ...records);

describe('a name', () => {
  test.each([
    'www.corp.internal',
    'WWW.Corp.Internal',
    'a.b.c.corp.internal',
    '*.corp.internal',
    '*.w.corp.internal',
    'corp.internal',
    '0.corp.internal',
    'xn--bcher-kva.corp.internal',
    'a.wpad.corp.internal',
    `${'x'.repeat(63)}.corp.internal`,
    `${'x.'.repeat(119)}y.corp.internal`,
  ])('%s is published', (name) => {
    expect(verdict([endpoint('o', name, 'A', '192.0.2.1')])).toEqual({
      accepted: [`${name.toLowerCase()}. A 192.0.2.1`],
      refused: [],
    });
  });

  test.each([
    ['ns1.corp.internal', "the name of a zone's own server"],
    ['NS1.corp.internal', "the name of a zone's own server"],
    ['_dmarc.corp.internal', 'a label that begins with an underscore is for TXT and SRV records only'],
    ['a._acme-challenge.corp.internal', 'a label that begins with an underscore is for TXT and SRV records only'],
    [
      'wpad.corp.internal',
      'wpad would configure the proxies of browsers: use another name, or declare it in spec.zones',
    ],
    [
      'wpad.dev.corp.internal',
      'wpad would configure the proxies of browsers: use another name, or declare it in spec.zones',
    ],
    ['www.example.com', 'outside the zones corp.internal'],
    ['notcorp.internal', 'outside the zones corp.internal'],
    ['', 'the name is empty: remove it, or the extra comma in the annotation'],
    ['.', 'the name is empty: remove it, or the extra comma in the annotation'],
    ['sp$ecial.corp.internal', 'invalid label "sp$ecial": labels consist of letters, digits and inner hyphens'],
    ['a b.corp.internal', 'invalid label "a b": '],
    ['bücher.corp.internal', 'invalid label "bücher": '],
    ['-a.corp.internal', 'invalid label "-a": '],
    ['a-.corp.internal', 'invalid label "a-": '],
    ['a\\.b.corp.internal', 'invalid label "a\\\\": '],
    ['a.*.corp.internal', 'invalid label "*": '],
    ['*a.corp.internal', 'invalid label "*a": '],
    ['double..dot.corp.internal', 'has an empty label: write single dots, between labels'],
    ['.corp.internal', 'has an empty label: write single dots, between labels'],
    ['www.corp.internal..', 'outside the zones'],
    [`${'x'.repeat(64)}.corp.internal`, 'has a label of more than 63 characters (RFC 1035 section 2.3.4): shorten it'],
    [`${'x.'.repeat(120)}y.corp.internal`, 'longer than 253 characters (RFC 1035 section 2.3.4): use a shorter name'],
  ])('%s is rejected, and other names are published', (name, message) => {
    const { accepted, refused } = verdict([endpoint('o', name, 'A', '192.0.2.1'), x('A', '192.0.2.2')]);
    expect(accepted).toEqual(['www.corp.internal. A 192.0.2.2']);
    expect(refused).toEqual([expect.stringContaining(` (o): ${message}`)]);
  });
});

test('no object gets the name of a declared name server, in whichever zone it is', () => {
  const declaration = declare({ zones: [{ ...corp, nameServers: ['dns.b.internal'] }, ...zones('b.internal')] });
  const present = [zone('corp.internal', [], declaration), zone('b.internal', [], declaration)];
  expect(verdict([endpoint('o', 'dns.b.internal', 'A', '192.0.2.1')], present, declaration).refused).toEqual([
    "dns.b.internal. (o): the name of a zone's own server",
  ]);
  expect(verdict([endpoint('o', 'ns1.corp.internal', 'A', '192.0.2.1')], present, declaration).refused).toEqual([]);
});

describe('a record', () => {
  test.each<[string, Endpoint, string]>([
    ['NS', x('NS', 'ns.example.com'), 'records of type NS are not discovered'],
    ['TXT', x('TXT', 'text'), 'records of type TXT are not discovered'],
    ['LUA', x('LUA', 'A "code"'), 'records of type LUA are not discovered'],
    ['no type', x(''), 'its recordType is missing'],
    ['a type in lower case', x('a', '192.0.2.1'), 'the recordType is written A, not a'],
    ['no target', x('A'), 'no target'],
    ['an empty target', x('CNAME', ''), 'no target'],
    ['A with IPv6', x('A', '192.0.2.1', '2001:db8::1'), 'not an IPv4 address: 2001:db8::1'],
    ['A with a name', x('A', 'lb.example.com'), 'not an IPv4 address: lb.example.com'],
    ['AAAA with IPv4', x('AAAA', '192.0.2.1'), 'not an IPv6 address: 192.0.2.1'],
    // ExternalDNS takes it for an address: https://pkg.go.dev/net/netip#ParseAddr
    ['AAAA with a scope', x('AAAA', 'fe80::1%eth0'), 'an address in DNS has no zone id: fe80::1%eth0'],
    ['CNAME with two targets', x('CNAME', 'a.example.com', 'b.example.com'), 'a CNAME has one target, not 2'],
    ['CNAME with a broken escape', x('CNAME', 'a\\b.example.com'), 'not an escape: \\b'],
    ['CNAME to itself', x('CNAME', 'WWW.corp.internal'), 'a CNAME to itself'],
    ['a negative TTL', { ...x('A', '192.0.2.1'), recordTTL: -1 }, 'the TTL -1 is invalid: use 0 to 2147483647 seconds'],
    [
      'a huge TTL',
      { ...x('A', '192.0.2.1'), recordTTL: 2 ** 31 },
      'the TTL 2147483648 is invalid: use 0 to 2147483647 seconds',
    ],
    [
      'CNAME at the top',
      endpoint('ingress/a/x', 'corp.internal', 'CNAME', 'lb.example.com'),
      'a CNAME is not allowed at the zone apex (RFC 1034 section 3.6.2)',
    ],
  ])('%s is rejected', (_, desired, message) => {
    expect(verdict([desired])).toEqual({ accepted: [], refused: [expect.stringMatching(/^\S+ \(ingress\/a\/x\): /)] });
    expect(verdict([desired]).refused[0]).toContain(`: ${message}`);
  });

  test('IPv6 addresses are accepted in canonical form', () => {
    expect(verdict([x('AAAA', '2001:DB8:0::1', '2001:db8::1')]).accepted).toEqual([
      'www.corp.internal. AAAA 2001:db8::1',
    ]);
  });
});

describe('objects that want the same name', () => {
  const both = (a: Endpoint, b: Endpoint, present: RRset[] = []) => {
    const verdicts = [verdict([a, b], present), verdict([b, a], present)];
    expect(verdicts[0]).toEqual(verdicts[1]);
    return verdicts[0]!;
  };

  test('addresses come before a CNAME, and then the object whose name sorts first', () => {
    expect(both(x('CNAME', 'lb.example.com'), y('A', '192.0.2.2'))).toEqual({
      accepted: ['www.corp.internal. A 192.0.2.2'],
      refused: ['www.corp.internal. (ingress/a/x): already used by ingress/b/y'],
    });
    expect(both(x('A', '192.0.2.1'), y('AAAA', '2001:db8::2')).accepted).toEqual(['www.corp.internal. A 192.0.2.1']);
    expect(both(x('CNAME', 'a.example.com'), y('CNAME', 'b.example.com')).accepted).toEqual([
      'www.corp.internal. CNAME a.example.com.',
    ]);
  });

  test('an object can have IPv4 and IPv6 at one name', () => {
    expect(both(x('A', '192.0.2.1'), x('AAAA', '2001:db8::1'))).toEqual({
      accepted: ['www.corp.internal. A 192.0.2.1', 'www.corp.internal. AAAA 2001:db8::1'],
      refused: [],
    });
  });

  test('the same record twice is published once, with the lower TTL', () => {
    expect(both(x('A', '192.0.2.1'), x('A', '192.0.2.1'))).toEqual({
      accepted: ['www.corp.internal. A 192.0.2.1'],
      refused: [],
    });
    const desiredRecords = [x('A', '192.0.2.1'), { ...x('A', '192.0.2.1'), recordTTL: 5 }].map((e) =>
      rrsetOf(e, 'corp'),
    );
    for (const order of [desiredRecords, desiredRecords.toReversed()]) {
      expect(evaluate(order, [zone()], declare())).toEqual({ accepted: [desiredRecords[1]], refused: [], looping: [] });
    }
  });

  test('the object of the current record has precedence, for its changes too', () => {
    const present = [current('ingress/b/y', 'CNAME', 'lb.example.com.')];
    expect(both(x('A', '192.0.2.1'), y('CNAME', 'lb.example.com'), present).accepted).toEqual([
      'www.corp.internal. CNAME lb.example.com.',
    ]);
    expect(both(x('A', '192.0.2.1'), y('A', '192.0.2.2'), present).accepted).toEqual([
      'www.corp.internal. A 192.0.2.2',
    ]);
  });

  test('when the object with precedence is gone, the other one gets the name', () => {
    const present = [current('ingress/b/y', 'CNAME', 'lb.example.com.')];
    expect(verdict([x('A', '192.0.2.1')], present)).toEqual({
      accepted: ['www.corp.internal. A 192.0.2.1'],
      refused: [],
    });
  });

  test('a current record keeps its name when ExternalDNS labels it with another of its objects', () => {
    const present = [current('ingress/z/was', 'A', '192.0.2.2')];
    expect(both(x('A', '192.0.2.1'), y('A', '192.0.2.2'), present)).toEqual({
      accepted: ['www.corp.internal. A 192.0.2.2'],
      refused: ['www.corp.internal. (ingress/a/x): already used by ingress/z/was'],
    });
  });
});

describe('a current record stays when the desired one cannot be published', () => {
  const present = [current('ingress/a/x', 'A', '192.0.2.1')];

  test('while its object wants an invalid record', () => {
    expect(verdict([x('CNAME', 'a\\b')], present)).toEqual({
      accepted: ['www.corp.internal. A 192.0.2.1'],
      refused: [expect.stringContaining('www.corp.internal. (ingress/a/x): correct the target: not an escape: \\b')],
    });
  });

  test('for one address family while the other one changes', () => {
    const two = [...present, current('ingress/a/x', 'AAAA', '2001:db8::1')];
    expect(verdict([x('A', '192.0.2.9'), x('AAAA', 'fe80::1%eth0')], two).accepted).toEqual([
      'www.corp.internal. A 192.0.2.9',
      'www.corp.internal. AAAA 2001:db8::1',
    ]);
  });

  test('but not for the mistake of another object once its own is gone', () => {
    expect(verdict([y('CNAME', 'a\\b')], present).accepted).toEqual([]);
    expect(verdict([], present).accepted).toEqual([]);
  });

  test('and not where a declared record supersedes it', () => {
    const taken = discoveredRRset('ingress/a/x', 'ns1.corp.internal.', 'AAAA', '2001:db8::1');
    expect(verdict([endpoint('ingress/a/x', 'ns1.corp.internal', 'AAAA', '2001:db8::2')], [taken]).accepted).toEqual(
      [],
    );
  });
});

describe('a record that PowerDNS refused', () => {
  const message = 'Record www.corp.internal./CNAME: no';
  const desired = x('CNAME', 'no.example.com');
  const rrset = current('ingress/a/x', 'CNAME', 'no.example.com.');
  const rejections = (beside: RRset[] = []) => new Map([[answerOf(rrset), { rrset, beside, message }]]);

  test('is not sent again while the desired record and the zone stay the same', () => {
    expect(verdict([desired], [], declare(), rejections())).toEqual({
      accepted: [],
      refused: [`www.corp.internal. (ingress/a/x): change the object, as PowerDNS refuses this: ${message}`],
    });
  });

  test('is sent again when the desired record or the zone changes', () => {
    expect(verdict([x('CNAME', 'yes.example.com')], [], declare(), rejections()).refused).toEqual([]);
    const present = [current('ingress/a/x', 'A', '192.0.2.1')];
    expect(verdict([desired], present, declare(), rejections()).refused).toEqual([]);
    expect(verdict([desired], present, declare(), rejections(present)).accepted).toEqual([
      'www.corp.internal. A 192.0.2.1',
    ]);
    const existing = [foreign('www.corp.internal.', 'TXT', '"any"')];
    expect(verdict([desired], [], declare(), rejections(existing)).refused).toEqual([]);
    expect(verdict([desired], [], declare(), rejections(present)).refused).toHaveLength(1);
  });
});

describe('unmanaged records', () => {
  test.each([
    ['A', 'A'],
    ['CNAME', 'A'],
    ['TXT', 'CNAME'],
    ['AAAA', 'A'],
  ])('an unmanaged %s rejects a discovered %s', (existing, discovered) => {
    const present = [foreign('www.corp.internal.', existing, 'any')];
    const desired = x(discovered, discovered === 'A' ? '192.0.2.1' : 'lb.example.com');
    expect(verdict([desired], present)).toEqual({
      accepted: [],
      refused: [
        `www.corp.internal. (ingress/a/x): an unmanaged ${existing} record exists at this name: delete it, or declare it in spec.zones`,
      ],
    });
  });

  test('an unmanaged TXT does not conflict with addresses', () => {
    expect(verdict([x('A', '192.0.2.1')], [foreign('www.corp.internal.', 'TXT', '"any"')]).refused).toEqual([]);
  });

  test('are hidden from ExternalDNS', () => {
    const present = [
      foreign('www.corp.internal.', 'A', '192.0.2.1'),
      discoveredRRset('o', 'a.corp.internal.', 'A', '192.0.2.2'),
      discoveredRRset('o', 'ns1.corp.internal.', 'AAAA', '2001:db8::1'),
    ];
    const undeclared = zone('other.internal', [discoveredRRset('o', 'a.other.internal.', 'A', '192.0.2.3')]);
    expect(currentRRsets([zone('corp.internal', present), undeclared], declare())).toEqual([present[1]]);
  });
});

describe('zones inside zones', () => {
  const declaration = declare({ zones: zones('corp.internal', 'dev.corp.internal') });
  const desired = endpoint('o', 'a.dev.corp.internal', 'A', '192.0.2.1');
  const parent = zone('corp.internal', [discoveredRRset('o', 'a.dev.corp.internal.', 'A', '192.0.2.1')]);

  test('a name belongs to the longest matching zone, and records in the other one do not count', () => {
    const present = [parent, zone('dev.corp.internal')];
    expect(verdict([desired], present, declaration).refused).toEqual([]);
    expect(currentRRsets(present, declaration)).toEqual([]);
  });

  test('a name of a zone that could not be created is rejected, not published in another zone', () => {
    expect(verdict([desired], [parent], declaration).refused).toEqual([
      'a.dev.corp.internal. (o): the zone dev.corp.internal could not be created: see the condition ZonesReady',
    ]);
  });

  test('an undeclared zone with unmanaged records answers for its names', () => {
    expect(verdict([desired], [parent, zone('dev.corp.internal')]).refused).toEqual([
      'a.dev.corp.internal. (o): the zone dev.corp.internal answers for it, and is not declared: declare it in spec.zones',
    ]);
  });
});

test('the order of rejections does not depend on that of the desired records', () => {
  const endpoints = ['b', 'a', 'c'].map((name) => endpoint('o', `_${name}.corp.internal`, 'A', '192.0.2.1'));
  expect(verdict(endpoints)).toEqual(verdict(endpoints.toReversed()));
  expect(verdict(endpoints).refused.map((r) => r.slice(0, 2))).toEqual(['_a', '_b', '_c']);
});

describe('names below a delegation or DNAME', () => {
  const dev = (type: string, name = 'dev.corp.internal.') => ({
    name,
    type,
    ttl: 60,
    records: ['ns.example.'],
    mark: { account: 'internal-dns', content: '' },
  });
  const desired = (name: string) => endpoint('o', `${name}.corp.internal`, 'A', '192.0.2.1');
  const delegated = ': dev.corp.internal is delegated: its own servers answer for it';
  const covered = ': the DNAME of dev.corp.internal covers it (RFC 6672 section 2.4)';

  test.each<[string, string, RRset, string | undefined]>([
    ['at a delegation', 'dev', dev('NS'), delegated],
    ['below it', 'x.y.dev', dev('NS'), delegated],
    ['a wildcard below it', '*.dev', dev('NS'), delegated],
    [
      'below the delegation of a person',
      'x.dev',
      foreign('dev.corp.internal.', 'NS', 'ns.example.'),
      `${delegated}: remove that record, or use another host`,
    ],
    ['at what only ends alike', 'xdev', dev('NS'), undefined],
    ['above it', 'corp', dev('NS', 'dev.corp.corp.internal.'), undefined],
    ['below a DNAME', 'x.dev', dev('DNAME'), covered],
    ['at a DNAME', 'dev', dev('DNAME'), undefined],
    ['in a zone, whose own NS delegate nothing', 'www', dev('NS', 'corp.internal.'), undefined],
  ])('%s', (_, name, cut, message) => {
    expect(verdict([desired(name)], [cut])).toEqual(
      message
        ? { accepted: [], refused: [`${name}.corp.internal. (o)${message}`] }
        : { accepted: [`${name}.corp.internal. A 192.0.2.1`], refused: [] },
    );
  });

  test('a current record is hidden from ExternalDNS while a cut covers it', () => {
    const present = ['x.dev', 'dev', 'www'].map((name) =>
      discoveredRRset('o', `${name}.corp.internal.`, 'A', '192.0.2.1'),
    );
    const currentWith = (...cuts: RRset[]) =>
      currentRRsets([zone('corp.internal', [...present, ...cuts])], declare()).map(
        ({ name }) => name.split('.corp')[0],
      );
    expect(currentWith(dev('NS'))).toEqual(['www']);
    expect(currentWith(dev('DNAME'))).toEqual(['dev', 'www']);
    expect(currentWith()).toEqual(['x.dev', 'dev', 'www']);
  });

  test('a covered record is not kept for a mistake of its object', () => {
    const present = [dev('NS'), discoveredRRset('o', 'x.dev.corp.internal.', 'A', '192.0.2.1')];
    expect(verdict([endpoint('o', 'x.dev.corp.internal', 'CNAME', 'a\\b')], present).accepted).toEqual([]);
  });
});

describe('a declared name', () => {
  const declared = (type: string) => ({ ...current('', type, 'any'), mark: { account: 'internal-dns', content: '' } });
  test.each([
    ['A', 'A'],
    ['AAAA', 'A'],
    ['LUA', 'A'],
    ['ALIAS', 'AAAA'],
    ['CNAME', 'A'],
    ['MX', 'CNAME'],
  ])('with %s rejects a discovered %s', (existing, discovered) => {
    const content = { A: '192.0.2.1', AAAA: '::1' }[discovered] ?? 'lb.example.com';
    expect(verdict([x(discovered, content)], [declared(existing)])).toEqual({
      accepted: [],
      refused: [`www.corp.internal. (ingress/a/x): the InternalDNS declares ${existing} at this name`],
    });
    expect(verdict([x(discovered, content)]).refused).toEqual([]);
  });

  test('with other types accepts discovered addresses', () => {
    expect(verdict([x('A', '192.0.2.1')], [declared('MX'), declared('TXT')]).refused).toEqual([]);
  });
});

test('a desired record without a TTL has that of its zone', () => {
  const declaration = declare({ zones: [{ ...corp, defaultTTL: 300 }, ...zones('dev.corp.internal')] });
  const present = [zone('corp.internal', [], declaration), zone('dev.corp.internal')];
  const endpoints = [
    x('A', '192.0.2.1'),
    { ...y('AAAA', '::1'), dnsName: 'b.corp.internal', recordTTL: 5 },
    endpoint('o', 'a.dev.corp.internal', 'A', '192.0.2.1'),
  ];
  const ttls = new Map(declaration.zones.map(({ name, defaultTTL }) => [`${name}.`, defaultTTL]));
  const { discovery = expect.fail() } = declaration;
  const scope = { ownerID: 'corp' };
  const desiredRecords = desiredRecordsOf(endpoints, {
    scope,
    discovery,
    lister: noSources,
    ttlOf: (name) => zoneOf(name, ttls),
  });
  const { accepted } = evaluate(desiredRecords, present, declaration);
  expect(accepted.map(({ name, ttl }) => `${name} ${ttl}`).sort()).toEqual([
    'a.dev.corp.internal. 60',
    'b.corp.internal. 5',
    'www.corp.internal. 300',
  ]);
});

test('without discovery an ExternalDNS that still runs finds nothing and gets nothing', () => {
  const declaration = declare({ discovery: undefined });
  expect(verdict([x('A', '192.0.2.1')], [], declaration)).toEqual({ accepted: [], refused: [] });
  expect(currentRRsets([zone('corp.internal', [current('o', 'A', '192.0.2.1')])], declaration)).toEqual([]);
});
