/** Which records of a zone can coexist. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../../functions/dns/zone/rrset.ts';
import { checkedTTL, validateZone, type ZoneContext } from '../../../functions/dns/zone/validate-zone.ts';
import { cpuTimeOf } from '../../cpu.ts';

const corp: ZoneContext = {
  name: 'corp.internal.',
  defaultTTL: 60,
  children: ['a.dev.corp.internal.', 'dev.corp.internal.'],
  servers: ['ns1.corp.internal.', 'ns.other.internal.'],
};

/** Entries of lines such as `www 30 A 192.0.2.1`; the TTL may be missing, and `at` counts the lines from 1. */
function entriesOf(...lines: string[]): Entry[] {
  return lines.map((line, index) => {
    const [, owner, ttl, type, content] = /^(\S+) (?:(\d+) )?(\S+) (.+)$/.exec(line) as unknown as string[];
    const name = owner!.endsWith('.') ? owner! : owner === '@' ? corp.name : `${owner}.${corp.name}`;
    const seconds = ttl === undefined ? undefined : Number(ttl);
    return { name, type: type as Entry['type'], ttl: seconds, content: content!, at: `line ${index + 1}` };
  });
}

const issuesOf = (...lines: string[]) => validateZone(corp, entriesOf(...lines)).issues;
const short = (...lines: string[]) =>
  validateZone(corp, entriesOf(...lines)).rrsets.map((r) => `${r.name} ${r.ttl} ${r.type} ${r.records.join(' ')}`);

describe('entries that are valid together', () => {
  test.each<[string, string[]]>([
    ['several values of one type', ['www A 192.0.2.1', 'www A 192.0.2.2', 'www A 192.0.2.3']],
    ['several types of one name', ['www A 192.0.2.1', 'www AAAA 2001:db8::1', 'www TXT "x"', 'www MX 10 a.']],
    ['types with TTLs of their own', ['www 30 A 192.0.2.1', 'www 300 TXT "x"']],
    ['a CNAME alone', ['www CNAME a.example.']],
    ['an ALIAS at the top, beside what is no address', ['@ ALIAS a.example.', '@ MX 10 b.', '@ TXT "x"']],
    ['a delegation with DS and glue', ['d NS ns.d.corp.internal.', 'd DS 1 13 2 ab', 'ns.d A 192.0.2.1']],
    ['glue that is the name of the delegation', ['d NS d.corp.internal.', 'd A 192.0.2.1', 'd AAAA ::1']],
    ['glue below another delegation', ['c NS ns.d.corp.internal.', 'd NS ns.c.corp.internal.', 'ns.c A 192.0.2.1']],
    // https://www.rfc-editor.org/rfc/rfc6672#section-2.3
    ['a DNAME beside addresses and text', ['old DNAME new.example.', 'old A 192.0.2.1', 'old TXT "x"']],
    ['a DNAME at the name of a server, beside its address', ['ns1 DNAME n.', 'ns1 A 192.0.2.53']],
    ['a DNAME that only ends like the name above a server', ['s1 DNAME n.']],
    // https://www.rfc-editor.org/rfc/rfc1034#section-3.6.2
    ['a chain of CNAMEs, and two to one name', ['c CNAME b.corp.internal.', 'a CNAME b.corp.internal.', 'b CNAME x.']],
    ['CNAMEs to each other in two zones', ['a CNAME a.example.', 'b CNAME b.dev.corp.internal.']],
    [
      'as many CNAMEs in a chain as PowerDNS follows',
      [...Array(10).keys()].map((i) => `c${i} CNAME c${i + 1}.corp.internal.`),
    ],
    ['a wildcard that leads to another name below it', ['*.apps CNAME in.apps.corp.internal.', 'in.apps A 192.0.2.1']],
    ['a wildcard that leads to an empty name', ['*.apps CNAME in.apps.corp.internal.', 'x.in.apps A 192.0.2.1']],
    ['a wildcard that a name above its target ends', ['* CNAME x.y.corp.internal.', 'y TXT "x"']],
    ['a wildcard that leads into a zone of its own', ['* CNAME www.dev.corp.internal.']],
    [
      'a DNAME beside which an address leads to it',
      ['o DNAME n.corp.internal.', 'o A 192.0.2.1', 'n CNAME o.corp.internal.'],
    ],
    ['a null MX alone', ['@ MX 0 .', 'mail MX 0 a.']],
    // https://www.rfc-editor.org/rfc/rfc9460#section-2.4
    ['several AliasModes', ['www HTTPS 0 a.', 'www HTTPS 0 b.', 'www SVCB 1 .', 'www SVCB 2 a.']],
    ['AliasMode of HTTPS beside ServiceMode of SVCB', ['www HTTPS 0 a.', 'www SVCB 1 .']],
    ['AliasMode to nothing, and ServiceMode of itself', ['a HTTPS 0 .', 'b HTTPS 1 b.corp.internal.']],
    ['a delegation to a server that an ALIAS gives its addresses', ['d NS ns.corp.internal.', 'ns ALIAS a.']],
    ['a PTR to a name of the zone where the zone is no reverse one', ['1 PTR www.corp.internal.']],
    ['a wildcard CNAME beside a name below it', ['* CNAME a.example.', 'www A 192.0.2.1', '*.www A 192.0.2.2']],
    ['an address of a server of ours', ['ns1 A 192.0.2.53', 'ns1 AAAA 2001:db8::53', 'ns1 TXT "x"']],
    ['a name that only ends like a child zone', ['xdev A 192.0.2.1', 'dev-a CNAME x.']],
    ['nothing', []],
  ])('%s', (_, lines) => {
    expect(issuesOf(...lines)).toEqual([]);
    expect(validateZone(corp, entriesOf(...lines)).rrsets.flatMap(({ records }) => records)).toHaveLength(lines.length);
  });
});

describe('conflicting entries', () => {
  const table: [string, string[], string][] = [
    // https://www.rfc-editor.org/rfc/rfc1034#section-3.6.2
    ['a CNAME beside an address', ['www A 192.0.2.1', 'www CNAME a.'], 'and line 1 has the A of this name'],
    ['an address beside a CNAME', ['www CNAME a.', 'www A 192.0.2.1'], 'and line 1 has the CNAME of this name'],
    [
      'a CNAME beside text',
      ['www TXT "x"', 'www CNAME a.'],
      'a CNAME must be the only record of its name (RFC 1034 section 3.6.2)',
    ],
    ['a CNAME beside a DNAME', ['www DNAME a.', 'www CNAME b.'], 'a CNAME must be the only record of its name'],
    ['two CNAMEs', ['www CNAME a.', 'www CNAME b.'], 'a name has only one CNAME (line 1)'],
    ['two DNAMEs', ['www DNAME a.', 'www DNAME b.'], 'a name has only one DNAME (line 1)'],
    ['two ALIASes', ['@ ALIAS a.', '@ ALIAS b.'], 'a name has only one ALIAS (line 1)'],
    ['a CNAME at the top', ['@ CNAME a.'], 'a CNAME cannot be at the apex of a zone (RFC 1034 section 3.6.2)'],
    ['a CNAME to itself', ['www CNAME www.corp.internal.'], 'CNAME to itself'],
    ['an ALIAS to itself', ['www ALIAS www.corp.internal.'], 'ALIAS to itself'],
    ['a DNAME to itself', ['www DNAME www.corp.internal.'], 'DNAME to itself'],
    [
      'an ALIAS beside A',
      ['@ A 192.0.2.1', '@ ALIAS a.'],
      'ALIAS conflicts with the A of line 1: ALIAS provides the addresses',
    ],
    ['AAAA beside an ALIAS', ['@ ALIAS a.', '@ AAAA ::1'], 'AAAA conflicts with the ALIAS of line 1'],
    ['the same twice', ['www A 192.0.2.1', 'www TXT "x"', 'www A 192.0.2.1'], 'duplicate of line 1'],
    ['the same with another TTL', ['www 1 A 192.0.2.1', 'www 2 A 192.0.2.1'], 'duplicate of line 1'],
    // https://www.rfc-editor.org/rfc/rfc2181#section-5.2
    ['two TTLs', ['www 1 A 192.0.2.1', 'www 2 A 192.0.2.2'], 'the ttl differs from line 1 of the same RRset (RFC 2181'],
    ['a TTL and none', ['www A 192.0.2.1', 'www 60 A 192.0.2.2'], 'the ttl differs from line 1 of the same RRset'],
    ['another zone', ['www.example.com. A 192.0.2.1'], 'www.example.com is outside the zone corp.internal'],
    ['the zone above', ['internal. A 192.0.2.1'], 'internal is outside the zone corp.internal'],
    ['a name that only ends alike', ['xcorp.internal. A 192.0.2.1'], 'xcorp.internal is outside the zone'],
    [
      'servers of the zone itself',
      ['@ NS ns.example.'],
      'the NS records of the zone itself come from nameServers: set those instead',
    ],
    // https://www.rfc-editor.org/rfc/rfc4034#section-5
    [
      'the DS of the zone itself',
      ['@ DS 1 13 2 ab'],
      'the DS of a zone belongs in its parent zone (RFC 4034 section 5)',
    ],
    ['a DS without a delegation', ['d DS 1 13 2 ab'], 'a DS needs the NS of the delegation at the same name'],
    ['a DS beside a DNAME', ['d DNAME a.', 'd DS 1 13 2 ab'], 'a DS needs the NS of the delegation at the same name'],
    [
      'CNAMEs in a loop',
      ['a CNAME b.corp.internal.', 'b CNAME a.corp.internal.'],
      'CNAME loop b.corp.internal -> a.corp.internal -> b.corp.internal: it never resolves (RFC 1034',
    ],
    [
      'a loop of three that another alias leads to',
      ['x CNAME a.corp.internal.', 'c CNAME a.corp.internal.', 'a CNAME b.corp.internal.', 'b CNAME c.corp.internal.'],
      'CNAME loop b.corp.internal -> c.corp.internal -> a.corp.internal -> b.corp.internal: ',
    ],
    [
      'a chain of more CNAMEs than PowerDNS follows',
      Array.from({ length: 11 }, (_, i) => `c${i} CNAME c${i + 1}.corp.internal.`),
      'CNAME chain of more than 10 names, which servers do not follow: c0.corp.internal -> c1.corp.internal -> ',
    ],
    [
      'a wildcard that leads to a name that only it answers',
      ['* A 192.0.2.1', '*.apps CNAME ingress.apps.corp.internal.'],
      'CNAME loop ingress.apps.corp.internal -> ingress.apps.corp.internal (*.apps.corp.internal answers for ingress',
    ],
    [
      'DNAMEs to each other',
      ['dna DNAME dnb.corp.internal.', 'dnb DNAME dna.corp.internal.'],
      'CNAME loop *.dnb.corp.internal -> *.dna.corp.internal -> *.dnb.corp.internal: it never resolves',
    ],
    [
      'a DNAME that leads below itself',
      ['old DNAME new.old.corp.internal.'],
      'CNAME loop *.old.corp.internal -> *.new.old.corp.internal -> *.new.new.old.corp.internal -> ...: ',
    ],
    [
      'a CNAME that a DNAME leads back to',
      ['old DNAME new.corp.internal.', 'www.new CNAME www.old.corp.internal.'],
      'CNAME loop www.new.corp.internal -> www.old.corp.internal -> www.new.corp.internal: ',
    ],
    [
      'an ALIAS through a CNAME to itself',
      ['a CNAME b.corp.internal.', 'b ALIAS a.corp.internal.'],
      'CNAME loop b.corp.internal -> a.corp.internal -> b.corp.internal: ',
    ],
    ['a wildcard ALIAS', ['*.d ALIAS a.'], 'PowerDNS does not answer an ALIAS of a wildcard: use CNAME'],
    // https://www.rfc-editor.org/rfc/rfc7505#section-3
    [
      'a null MX beside another',
      ['@ MX 10 mail.', '@ MX 0 .'],
      'a null MX must be the only MX (RFC 7505 section 3): line 1',
    ],
    [
      'another MX beside a null MX',
      ['@ MX 0 .', '@ MX 10 mail.'],
      'a null MX must be the only MX (RFC 7505 section 3): line 1',
    ],
    // https://www.rfc-editor.org/rfc/rfc9460#section-2.4.1
    [
      'AliasMode beside ServiceMode',
      ['@ HTTPS 1 .', '@ HTTPS 0 a.'],
      'AliasMode (priority 0) and ServiceMode cannot be mixed (RFC 9460 section 2.4.1): line 1',
    ],
    [
      'ServiceMode beside AliasMode',
      ['_x SVCB 0 a.', '_x SVCB 1 b. port=1'],
      'AliasMode (priority 0) and ServiceMode cannot be mixed',
    ],
    // https://www.rfc-editor.org/rfc/rfc9460#section-2.4.2
    ['AliasMode to itself', ['www HTTPS 0 www.corp.internal.'], 'AliasMode to itself (RFC 9460 section 2.4.2)'],
    // https://www.rfc-editor.org/rfc/rfc2181#section-10.3
    [
      'a delegation to a CNAME',
      ['ns CNAME a.', 'd NS ns.corp.internal.'],
      'ns.corp.internal has a CNAME (line 1), but a name server must have addresses (RFC 2181 section 10.3)',
    ],
    [
      'a CNAME that is delegated to',
      ['d NS ns.corp.internal.', 'ns CNAME a.'],
      'd.corp.internal is delegated to this name (line 1), but a name server must have addresses (RFC 2181 section 10.3)',
    ],
    // https://www.rfc-editor.org/rfc/rfc4592#section-4.4
    ['a wildcard DNAME', ['*.d DNAME a.'], 'a wildcard cannot have a DNAME (RFC 4592 section 4.4)'],
    // https://www.rfc-editor.org/rfc/rfc4592#section-4.2
    ['a wildcard delegation', ['*.d NS ns.example.'], 'a wildcard cannot be delegated (RFC 4592 section 4.2)'],
    [
      'a server as a CNAME',
      ['ns1 CNAME a.'],
      "the name of a zone's server must have addresses (RFC 2181 section 10.3)",
    ],
    ['a server as an ALIAS', ['ns1 ALIAS a.'], 'plain addresses: referrals do not include computed answers'],
    [
      'text at a delegation',
      ['d NS ns.example.', 'd TXT "x"'],
      'never answered: d.corp.internal is delegated (line 1)',
    ],
    [
      'text at a delegation that comes later',
      ['d TXT "x"', 'd NS ns.example.'],
      'd.corp.internal is delegated (line 2)',
    ],
    ['an address at a delegation', ['d NS ns.example.', 'd A 192.0.2.1'], 'd.corp.internal is delegated (line 1)'],
    ['a name below it', ['x.y.d A 192.0.2.1', 'd NS ns.example.'], 'd.corp.internal is delegated (line 2)'],
    ['text at its glue', ['d NS ns.d.corp.internal.', 'ns.d TXT "x"'], 'below it only glue is answered'],
    ['a delegation below it', ['d NS ns.', 'x.d NS ns.'], 'never answered: d.corp.internal is delegated (line 1)'],
    ['a wildcard below it', ['d NS ns.', '*.d A 192.0.2.1'], 'never answered: d.corp.internal is delegated (line 1)'],
    // https://www.rfc-editor.org/rfc/rfc6672#section-2.4
    ['a name below a DNAME', ['o DNAME n.', 'x.y.o A 192.0.2.1'], 'the DNAME of o.corp.internal covers it (RFC 6672'],
    [
      'a DNAME above a server of ours',
      ['@ DNAME n.'],
      'it would cover ns1.corp.internal, the name of a server that has its addresses here (RFC 6672 section 2.4)',
    ],
    ['glue below a DNAME', ['o DNAME n.', 'd NS ns.o.corp.internal.', 'ns.o A 192.0.2.1'], 'the DNAME of o.corp'],
    ['a DNAME beside NS', ['d NS ns.', 'd DNAME n.'], 'never answered: d.corp.internal is delegated (line 1)'],
    ['NS beside a DNAME', ['d DNAME n.', 'd NS ns.'], 'never answered: d.corp.internal is delegated (line 2)'],
    ['a name of a child zone', ['www.dev A 192.0.2.1'], 'www.dev.corp.internal belongs to the zone dev.corp.internal'],
    ['the top of a child zone', ['dev TXT "x"'], 'dev.corp.internal belongs to the zone dev.corp.internal, which is'],
    [
      'a name of a grandchild',
      ['x.a.dev A 192.0.2.1'],
      'x.a.dev.corp.internal belongs to the zone a.dev.corp.internal',
    ],
    ['NS of a child zone', ['dev NS ns.'], 'dev.corp.internal is a zone of this instance and delegated automatically'],
    [
      'DS of a grandchild',
      ['a.dev DS 1 13 2 ab'],
      'a.dev.corp.internal is a zone of this instance and delegated automatically',
    ],
  ];

  test.each(table)('%s', (_, lines, message) => {
    const issues = issuesOf(...lines);
    expect(issues.map((issue) => issue.message)).toEqual([expect.stringContaining(message)]);
  });

  test('are reported for the line in excess, and drop its whole name and no other', () => {
    const lines = ['www A 192.0.2.1', 'mail A 192.0.2.2', 'www TXT "x"', 'www CNAME a.'];
    expect(issuesOf(...lines).map(({ at }) => at)).toEqual(['line 4']);
    expect(short(...lines)).toEqual(['mail.corp.internal. 60 A 192.0.2.2']);
  });

  test('are reported in either order of the lines', () => {
    fc.assert(
      fc.property(fc.constantFrom(...table.filter(([, lines]) => lines.length === 2)), ([, lines]) => {
        expect(issuesOf(...lines.toReversed()).length).toBeGreaterThan(0);
      }),
    );
  });
});

test('a DNAME at the apex is valid if every name server is elsewhere, and covers all names below it', () => {
  const zone = { ...corp, servers: ['ns.other.internal.'] };
  expect(validateZone(zone, entriesOf('@ DNAME new.example.', '@ TXT "x"')).issues).toEqual([]);
  expect(validateZone(zone, entriesOf('@ DNAME n.', 'x A 192.0.2.1')).issues).toEqual([
    { at: 'line 2', message: 'never answered: the DNAME of corp.internal covers it (RFC 6672 section 2.4)' },
  ]);
});

// https://www.rfc-editor.org/rfc/rfc1034#section-4.2.1
describe('glue is that of its server, and has plain addresses', () => {
  const message = (name: string) =>
    `${name} is glue of a delegation (line 1): leave check, answer and weights out, or referrals lack its address (RFC 1034 section 4.2.1)`;
  const refused = (answer: Entry['answer'], ...lines: string[]) =>
    validateZone(
      corp,
      entriesOf(...lines).map((entry) => (entry.type === 'NS' ? entry : { ...entry, ...(answer && { answer }) })),
    ).issues;

  test.each<[string, string[]]>([
    ['ns.d.corp.internal', ['d NS ns.d.corp.internal.', 'ns.d A 192.0.2.1']],
    ['ns.d.corp.internal', ['d NS ns.d.corp.internal.', 'ns.d AAAA 2001:db8::1']],
    ['d.corp.internal', ['d NS d.corp.internal.', 'd A 192.0.2.1']],
  ])('%s of %j', (name, lines) => {
    for (const answer of [{ check: { port: 53 } }, { answer: 'Random' as const }]) {
      expect(refused(answer, ...lines)).toEqual([{ at: 'line 2', message: message(name) }]);
    }
    expect(refused(undefined, ...lines)).toEqual([]);
  });

  test('but a server outside the delegated zone may be checked', () => {
    expect(refused({ check: { port: 53 } }, 'd NS ns.corp.internal.', 'ns A 192.0.2.1')).toEqual([]);
  });
});

describe('a PTR record of an address belongs to a host', () => {
  const faultsIn = (zone: string, owner: string, target: string) => {
    const at = 'line 1';
    const entry: Entry = { name: owner, type: 'PTR', ttl: undefined, content: target, at };
    return validateZone({ ...corp, name: zone }, [entry]).issues.map(({ message }) => message);
  };
  const v4 = '2.0.192.in-addr.arpa.';
  const range = '64/26.2.0.192.in-addr.arpa.';
  const v6 = '8.b.d.0.1.0.0.2.ip6.arpa.';
  const messages = (written: string, zone: string) => [
    `relative to the zone it is ${written}.${zone.slice(0, -1)}, which is not a host name: end it with a dot if ${written}. is meant`,
  ];

  test.each([
    [v4, `5.${v4}`, 'mail.corp.internal'],
    [v4, `5.${v4}`, 'localhost'],
    [v4, `*.${v4}`, 'mail.corp.internal'],
    [v4, v4, 'net.corp.internal'],
    [range, `65.${range}`, 'mail.corp.internal'],
    ['192.in-addr.arpa.', `5.${v4}`, 'mail.corp.internal'],
    [v6, `1.${'0.'.repeat(23)}${v6}`, 'mail.corp.internal'],
  ])('in %s, and %s is not of %s below that', (zone, owner, written) => {
    expect(faultsIn(zone, owner, `${written}.${zone}`)).toEqual(messages(written, zone));
    expect(faultsIn(zone, owner, `${written}.`)).toEqual([]);
  });

  test.each([
    // https://www.rfc-editor.org/rfc/rfc6763#section-11
    [v4, `b._dns-sd._udp.${v4}`, `local.${v4}`],
    [v4, `lb._dns-sd._udp.0.${v4}`, v4],
    [v4, `gateway.${v4}`, `router.${v4}`],
    ['corp.internal.', '_services._dns-sd._udp.corp.internal.', '_http._tcp.corp.internal.'],
  ])('in %s, and %s may lead to %s', (zone, owner, target) => {
    expect(faultsIn(zone, owner, target)).toEqual([]);
  });
});

describe('a TTL', () => {
  test('is that of the zone by default', () => {
    expect(short('www A 192.0.2.1', 'www 5 TXT "x"', 'zero 0 A 192.0.2.2')).toEqual([
      'www.corp.internal. 60 A 192.0.2.1',
      'www.corp.internal. 5 TXT "x"',
      'zero.corp.internal. 0 A 192.0.2.2',
    ]);
  });

  test.each([
    [60, undefined, checkedTTL],
    [5, undefined, 5],
    [60, 30, 30],
  ])('of a checked answer is short: %s by default and %s declared is %s', (defaultTTL, ttl, expected) => {
    const [entry] = entriesOf('www A 192.0.2.1');
    const checked: Entry = { ...entry!, ttl, answer: { check: { port: 25 } } };
    expect(validateZone({ ...corp, defaultTTL }, [checked]).rrsets).toMatchObject([{ ttl: expected }]);
  });
});

test('an RRset has the PTR and answer settings of its entries', () => {
  const entries = entriesOf('www A 192.0.2.1', 'www A 192.0.2.2', 'plain A 192.0.2.3');
  const more = { ptr: true, answer: { answer: 'Random' as const } };
  expect(validateZone(corp, [{ ...entries[0]!, ...more }, { ...entries[1]!, ...more }, entries[2]!]).rrsets).toEqual([
    { name: 'www.corp.internal.', type: 'A', ttl: 60, records: ['192.0.2.1', '192.0.2.2'], ...more },
    { name: 'plain.corp.internal.', type: 'A', ttl: 60, records: ['192.0.2.3'] },
  ]);
});

test('for any declaration, the resulting zone can be served', () => {
  const line = fc
    .tuple(
      fc.constantFrom('@', 'www', 'd', 'ns.d', 'x.d', '*.d', 'dev', 'x.dev', 'ns1', 'www.example.com.'),
      fc.constantFrom('', '30 '),
      fc.constantFrom(
        'A 192.0.2.1',
        'A 192.0.2.2',
        'CNAME a.',
        'TXT "x"',
        'NS ns.d.corp.internal.',
        'DNAME n.',
        'ALIAS b.',
        'DS 1 13 2 ab',
        'CNAME d.corp.internal.',
        'CNAME www.corp.internal.',
        'MX 0 .',
        'MX 10 a.',
      ),
    )
    .map(([owner, ttl, data]) => `${owner} ${ttl}${data}`);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const { rrsets, issues } = validateZone(corp, entriesOf(...lines));
      const types = Map.groupBy(rrsets, ({ name }) => name);
      for (const here of types.values()) {
        expect(new Set(here.map(({ type }) => type)).size).toBe(here.length);
        if (here.some(({ type }) => type === 'CNAME')) expect(here).toHaveLength(1);
      }
      const aliases = new Map(rrsets.filter((r) => r.type === 'CNAME').map((r) => [r.name, r.records[0]]));
      for (let [from, to] of aliases) {
        for (let hop = 0; to !== undefined && hop <= aliases.size; hop++) [from, to] = [to, aliases.get(to)];
        expect([from, to]).toEqual([from, undefined]);
      }
      for (const { name, records } of rrsets) {
        expect(name).toMatch(/(^|\.)corp\.internal\.$/);
        expect(name).not.toMatch(/(^|\.)dev\.corp/);
        expect(new Set(records).size).toBe(records.length);
      }
      const named = new Set(lines.map((_, index) => `line ${index + 1}`));
      for (const { at } of issues) expect(named).toContain(at);
      // Without issues no entry is dropped.
      if (issues.length === 0) expect(rrsets.flatMap(({ records }) => records)).toHaveLength(lines.length);
    }),
    { numRuns: 1000 },
  );
});

/** This many entries to validate. */
function checking(count: number, entryOf: (i: number) => [name: string, type: Entry['type'], content: string]) {
  const entries = Array.from({ length: count }, (_, i): Entry => {
    const [name, type, content] = entryOf(i);
    return { name: `${name}.corp.internal.`, type, ttl: undefined, content, at: `line ${i}` };
  });
  return () => expect(validateZone(corp, entries).issues).toEqual([]);
}

test('a name is validated in time proportional to its records', async () => {
  const time = (count: number) =>
    cpuTimeOf(checking(count, (i) => ['www', 'A', `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`]));
  const [few, many] = [await time(4_000), await time(64_000)];
  // Linear work is sixteen times as much; comparing each record with every other one is 256 times.
  expect(many / few).toBeLessThan(80);
});

test.each([
  ['forwards', 0, 1],
  ['backwards', 1, 0],
])('chains of CNAMEs, written %s, are validated in time proportional to the records', async (_, from, to) => {
  const count = 20_000;
  const elsewhere = await cpuTimeOf(checking(count, (i) => [`a${i}`, 'CNAME', 'www.example.']));
  const isLast = (i: number) => i % 10 === (from ? 0 : 9);
  const leading = (i: number) => (isLast(i) ? 'www.example.' : `a${i + to - from}.corp.internal.`);
  const chain = await cpuTimeOf(checking(count, (i) => [`a${i}`, 'CNAME', leading(i)]));
  // Ten times the steps; comparing each name with every other one is thousands of times as much.
  expect(chain / elsewhere).toBeLessThan(50);
});

test('a loop of thousands of names is reported as quickly as a chain that ends', async () => {
  const entriesTo = (target: (i: number) => string) =>
    Array.from({ length: 20_000 }, (_, i): Entry => {
      const content = `${target(i)}.corp.internal.`;
      return { name: `a${i}.corp.internal.`, type: 'CNAME', ttl: undefined, content, at: `line ${i}` };
    });
  const ended = await cpuTimeOf(() =>
    validateZone(
      corp,
      entriesTo((i) => `b${i}`),
    ),
  );
  const loop = entriesTo((i) => `a${(i + 1) % 20_000}`);
  expect((await cpuTimeOf(() => validateZone(corp, loop))) / ended).toBeLessThan(50);
  expect(validateZone(corp, loop).issues.length).toBeGreaterThan(0);
});
