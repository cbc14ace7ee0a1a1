import { describe, expect, test } from 'vitest';
import { parseZoneFile } from '../../../functions/dns/zone-file/zone-file.ts';
import { fixture, fixtureNames, printed } from './fixtures.ts';

const zone = { name: 'corp.internal.' };
const parse = (...lines: string[]) => parseZoneFile(lines.join('\n'), zone);
const textOf = (...lines: string[]) => {
  const { entries, issues } = parse(...lines);
  return [...entries.map(printed), ...issues.map(({ at, message }) => `${at}! ${message}`)];
};

test.each(fixtureNames)('every record of %s is parsed, with its line', (name) => {
  const { text, zone, entries } = fixture(name);
  const file = parseZoneFile(text, { name: zone });
  expect(file.issues).toEqual([]);
  expect(file.entries.map(printed)).toEqual(entries);
});

test('the SOA, the name servers and the default TTL of the zone are separate', () => {
  expect(parseZoneFile(fixture('corp.zone').text, zone)).toMatchObject({
    soa: {
      mname: 'ns1.corp.internal.',
      rname: 'hostmaster.corp.internal.',
      refresh: 7200,
      retry: 900,
      expire: 1209600,
      minimum: 300,
      at: 'line 2',
    },
    nameServers: [
      { name: 'ns1.corp.internal.', at: 'line 10' },
      { name: 'ns2.corp.internal.', at: 'line 11' },
    ],
    defaultTTL: 3600,
    skipped: {},
  });
  const { soa, defaultTTL } = parseZoneFile(fixture('bind.zone').text, zone);
  expect(soa).toMatchObject({ rname: 'hostmaster\\.dns.corp.internal.', refresh: 7200, expire: 1209600, minimum: 60 });
  expect(defaultTTL).toBe(5400);
});

test('records that a server generates are counted and skipped, and a SOA at both ends is one', () => {
  const { skipped, soa, defaultTTL } = parseZoneFile(fixture('dig.axfr').text, zone);
  expect(skipped).toEqual({ RRSIG: 15, NSEC3: 2, DNSKEY: 1, NSEC3PARAM: 1, CDS: 1, TYPE65534: 1, TSIG: 1 });
  expect(soa?.at).toBe('line 5');
  expect(defaultTTL).toBeUndefined();
});

const soa = 'ns1 hostmaster 100 2h 3h 4w';
describe('the TTL of a record is', () => {
  test.each<[string, string[], number | undefined, number | undefined]>([
    ['what is written, in either order with the class', ['$TTL 60', 'x 5 IN A 192.0.2.1', 'x IN 5 A 192.0.2.1'], 5, 60],
    ['that of $TTL, even after another', ['$TTL 1m', 'a 5 A 192.0.2.1', 'x A 192.0.2.1'], 60, 60],
    ['that of the $TTL before it', ['$TTL 60', '$TTL 1w2d3h4m5s', 'x A 192.0.2.1'], 788_645, 60],
    ['the minimum of a SOA without one', [`@ SOA ${soa} 30`, 'a 5 A 192.0.2.1', 'x A 192.0.2.1'], 30, 30],
    ['that of the record before', [`@ 7 SOA ${soa} 30`, 'a 5 A 192.0.2.1', 'x A 192.0.2.1'], 5, undefined],
    ['none if none is said', ['x A 192.0.2.1'], undefined, undefined],
  ])('%s', (_, lines, ttl, defaultTTL) => {
    const file = parse(...lines);
    expect(file.issues).toEqual([]);
    expect(file.entries.at(-1)?.ttl).toBe(ttl);
    expect(file.defaultTTL).toBe(defaultTTL);
  });
});

describe('an issue names its line and the cure', () => {
  test.each([
    ['$INCLUDE other.zone', '$INCLUDE is not supported: put its records here'],
    ['$ORIGINS a.', 'not a directive: $ORIGINS (supported are $ORIGIN, $TTL and $GENERATE)'],
    ['$ORIGIN', '$ORIGIN takes one value, not 0'],
    ['$TTL 60 60', '$TTL takes one value, not 2'],
    ['$TTL 1y', 'not a TTL in seconds (0 to 2147483647) or like 1h30m: 1y'],
    ['x 2147483648 A 192.0.2.1', 'not a type, class or TTL in seconds (0 to 2147483647) or like 1h30m: 2147483648'],
    ['x 192.0.2.1', 'not a type, class or TTL in seconds (0 to 2147483647) or like 1h30m: 192.0.2.1'],
    ['x 60 IN', 'no type: a record is an owner, optionally a TTL and a class, a type and a value'],
    ['x CH TXT "y"', 'not class IN: CH'],
    ['x LUA A "return 1"', 'LUA is code, not data: zone files must not have it'],
    ['x HINFO a b', 'not a type that can be declared: HINFO (A, AAAA, '],
    ['x A 192.0.2.256', 'not an IPv4 address: 192.0.2.256'],
    ['x A', 'no value given'],
    ['x..y A 192.0.2.1', 'an empty label in a domain name: x..y.corp.internal.'],
    ['www.example.com. A 192.0.2.1', 'www.example.com is outside the zone corp.internal'],
    ['. A 192.0.2.1', '. is outside the zone corp.internal'],
    ['. SOA a b 1 2 3 4 5', '. is outside the zone corp.internal'],
    ['x SOA a b 1 2 3 4 5', 'the SOA of x.corp.internal: a file has the records of one zone'],
    ['@ SOA a b 1 2 3 4', 'not "mname rname serial refresh retry expire minimum": a b 1 2 3 4'],
    ['@ SOA a b 1 2 soon 4 5', 'not a retry in seconds (0 to 2147483647) or like 1h30m: soon'],
    ['x TXT "y', 'a quote is not closed on its line'],
    ['x TXT y\\', 'a backslash at the end of the line'],
    ['x A ) 192.0.2.1', 'a parenthesis is closed that was never opened'],
    ['x A ( 192.0.2.1 ; )', 'a parenthesis is opened and never closed'],
    ['\tA 192.0.2.1', 'no owner, and no record before to take it from'],
  ])('%j', (line, message) => {
    const { entries, issues } = parse('; a comment', '', line);
    expect(entries).toEqual([]);
    expect(issues).toMatchObject([{ at: 'line 3', message: expect.stringContaining(message) }]);
  });

  test('a record over several lines has the line where it begins', () => {
    expect(textOf('', 'x A (', '  192.0.2.256', ')', 'y A 192.0.2.1')).toEqual([
      'line 5: y.corp.internal. undefined A 192.0.2.1',
      expect.stringMatching(/^line 2! not an IPv4 address/),
    ]);
  });
});

test.each([
  ['b..d A 192.0.2.2', 'an empty label'],
  ['bad TXT "not closed', 'a quote is not closed'],
])('records without an owner never go to the owner before %s', (bad, message) => {
  expect(textOf('good A 192.0.2.1', bad, '  A 192.0.2.3')).toEqual([
    'line 1: good.corp.internal. undefined A 192.0.2.1',
    expect.stringContaining(`line 2! ${message}`),
    expect.stringContaining('line 3! no owner'),
  ]);
});

test('no name is read relative to an invalid origin', () => {
  expect(
    textOf(
      '$ORIGIN a..b',
      'www A 192.0.2.1',
      '$GENERATE 1-2 h$ A 192.0.2.$',
      '$ORIGIN lab.corp.internal.',
      'www A 192.0.2.2',
    ),
  ).toEqual([
    'line 5: www.lab.corp.internal. undefined A 192.0.2.2',
    expect.stringContaining('line 1! an empty label'),
    expect.stringContaining('line 2! after an invalid $ORIGIN'),
    expect.stringContaining('line 3! after an invalid $ORIGIN'),
  ]);
});

test('a different SOA is an issue, a repeated one is not', () => {
  expect(textOf(`@ SOA ${soa} 30`, `@ SOA ${soa.replace('100', '101')} 30`)).toEqual([]);
  expect(textOf(`@ SOA ${soa} 30`, `@ SOA ${soa} 31`)).toEqual(['line 2! differs from the SOA of line 1']);
});

test('the issue of an invalid record has its name and type, wherever they come from', () => {
  const { issues } = parse(
    '$ORIGIN dev',
    'www A 192.0.2.256',
    '  LOC 51',
    '@ URI 1 1 ""',
    'first\\.last A 192.0.2.1',
    '  MX 10 a',
    '. SOA a b',
  );
  expect(issues.map(({ at, name, type }) => `${at}: ${name} ${type}`)).toEqual([
    'line 2: www.dev.corp.internal. A',
    'line 3: www.dev.corp.internal. LOC',
    'line 4: dev.corp.internal. URI',
    'line 5: first\\.last.dev.corp.internal. A',
    'line 6: first\\.last.dev.corp.internal. MX',
    'line 7: . SOA',
  ]);
  expect(issues.at(-1)?.message).toBe('. is outside the zone corp.internal');
});

test.each([
  ['CLASS1 TYPE1 192.0.2.1', 'A 192.0.2.1'],
  ['TYPE1 \\# 4 c0000201', 'A 192.0.2.1'],
  ['A \\# ( 4 c000\n 02 01 )', 'A 192.0.2.1'],
  ['type16 \\# 3 026162', 'TXT "ab"'],
  ['TXT \\# 3 02 6162', 'TXT "ab"'],
])('types and RDATA in the notation of RFC 3597: %s', (line, record) => {
  expect(textOf(`x 60 ${line}`)).toEqual([`line 1: x.corp.internal. 60 ${record}`]);
});

test.each(['@ TYPE2 ns1', '@ CLASS1 NS \\# 19 036e733104636f727008696e7465726e616c00'])(
  'a name server in that notation: %s',
  (line) => {
    expect(parse(line).nameServers).toEqual([{ name: 'ns1.corp.internal.', at: 'line 1' }]);
  },
);

test('a SOA in that notation, and records that a server generates', () => {
  const numbers = [1, 2, 3, 4, 5].map((n) => `0000000${n}`).join('');
  const { soa, skipped, issues } = parse(`@ TYPE6 \\# 26 0161000162 00 ${numbers}`, 'x TYPE46 \\# 1 00');
  expect(issues).toEqual([]);
  expect(soa).toMatchObject({ mname: 'a.', rname: 'b.', refresh: 2, retry: 3, expire: 4, minimum: 5 });
  expect(skipped).toEqual({ RRSIG: 1 });
});

test('each name that is read differently than RFC 1035 says has a warning, for $GENERATE only the first', () => {
  const complete = (name: string, zone = 'corp.internal') =>
    `${name} is read as fully qualified: to RFC 1035, without a trailing dot, it is relative to ${zone}`;
  const { warnings, issues } = parse(
    '@ SOA ns1.corp.internal hostmaster.corp.internal 1 2 3 4 5',
    'a.corp.internal CNAME b.corp.internal',
    'b MX 10 b.corp.internal',
    'c HTTPS 1 c.corp.internal alpn=h2',
    'bücher A 192.0.2.1',
    'd TXT d.corp.internal "é"',
    'd.corp.internal. CNAME e.corp.internal.',
    '$GENERATE 1-3 h$.corp.internal A 192.0.2.$',
    '$ORIGIN dev.corp.internal',
    'f SRV 0 0 1 f.dev.corp.internal',
    '$ORIGIN .',
    'g.corp.internal CNAME h.corp.internal',
  );
  expect(issues).toEqual([]);
  expect(warnings.map(({ at, message }) => `${at}: ${message}`)).toEqual([
    `line 1: ${complete('ns1.corp.internal')}`,
    `line 1: ${complete('hostmaster.corp.internal')}`,
    `line 2: ${complete('a.corp.internal')}`,
    `line 2: ${complete('b.corp.internal')}`,
    `line 3: ${complete('b.corp.internal')}`,
    `line 4: ${complete('c.corp.internal')}`,
    'line 5: bücher is read as xn--bcher-kva.corp.internal.: RFC 1035 has only ASCII',
    `line 8: ${complete('h1.corp.internal')}`,
    `line 9: ${complete('dev.corp.internal')}`,
    `line 10: ${complete('f.dev.corp.internal', 'dev.corp.internal')}`,
  ]);
});

test('a $GENERATE reports no more issues than lines do', () => {
  const { issues } = parse('$GENERATE 1-65536 h$ A 192.0.2.300');
  expect(issues).toHaveLength(100);
});

test('unquoted words of a TXT are separate strings', () => {
  expect(parse('x TXT v=spf1 "mx -all"').entries[0]?.content).toBe('"v=spf1" "mx -all"');
  expect(parse('x TXT name="va lue" a"b"c ""').entries[0]?.content).toBe('"name=" "va lue" "a" "b" "c" ""');
});

test('lines may end as on Windows', () => {
  expect(textOf('x TXT (', '"a"', ')', '', 'y A 192.0.2.1')).toEqual(
    textOf('x TXT (\r', '"a"\r', ')\r', '\r', 'y A 192.0.2.1\r'),
  );
});

test('parsing stops at the hundredth issue, and messages are short', () => {
  const { issues } = parse(...Array(1000).fill(`x A ${'9'.repeat(10_000)}`));
  expect(issues).toHaveLength(100);
  expect(issues.every(({ message }) => message.length <= 300)).toBe(true);
});
