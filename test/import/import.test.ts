import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { absolute } from '../../functions/dns/name.ts';
import { parseOwner } from '../../functions/dns/rdata/domain-name.ts';
import { parseContent } from '../../functions/dns/rdata/rdata.ts';
import type { RecordType } from '../../functions/dns/rdata/record-type.ts';
import { parseZoneFile } from '../../functions/dns/zone-file/zone-file.ts';
import { fixture, fixtureNames } from '../dns/zone-file/fixtures.ts';
import { refusalOf } from './internal-dns.ts';

const program = join(import.meta.dirname, '../../functions/import.ts');
const dir = mkdtempSync(join(tmpdir(), 'import-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs `import` with `input` as its standard input. */
async function run(args: string[], input: string | Buffer = '') {
  const child = spawn(process.execPath, [program, ...args]);
  child.stdin.end(input);
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { stdout, stderr: stderr.split('\n').slice(0, -1), code };
}

const imported = (...lines: string[]) => run(['-', 'corp.internal'], `${lines.join('\n')}\n`);

interface DeclaredZone {
  name: string;
  nameServers?: string[];
  soa?: Record<string, unknown>;
  defaultTTL?: number;
  records: { name: string; type: RecordType; ttl?: number; values: string[] }[];
}

/** Kubernetes parses YAML 1.1. */
const read = (yaml: string) => (parse(yaml, { version: '1.1' }) as DeclaredZone[])[0] as DeclaredZone;

/** One line for each value of a declared zone, in canonical form. */
function meant({ name, defaultTTL, records }: DeclaredZone): string[] {
  const zone = absolute(name);
  return records.flatMap(({ name, type, ttl = defaultTTL, values }) =>
    values.map((value) => [parseOwner(name, zone), ttl, type, parseContent(type, value, zone)].join(' ')),
  );
}

describe.each(fixtureNames)('the YAML of %s', (name) => {
  const { path, text, zone } = fixture(name);
  const file = parseZoneFile(text, { name: zone });

  test('has the same records in the same order, with one item per RRset', async () => {
    const { stdout, code } = await run([path, zone]);
    expect(code).toBe(0);
    const declared = read(stdout);
    const rrsets = [...Map.groupBy(file.entries, ({ name, type }) => `${name} ${type}`).values()];
    expect(declared.records).toHaveLength(rrsets.length);
    // An RRset has the smallest TTL, and in these files all are equal.
    expect(meant(declared)).toEqual(
      rrsets.flat().map(({ name, ttl, type, content }) => [name, ttl, type, content].join(' ')),
    );
    expect(declared.nameServers?.map(absolute)).toEqual(file.nameServers.map(({ name }) => name));
    expect(declared.defaultTTL).toBe(file.defaultTTL);
  });

  test('is accepted as it is', async () => {
    const { stdout } = await run([path, zone]);
    expect(refusalOf(read(stdout))).toBeUndefined();
  });
});

test('the YAML reads as if written by hand', async () => {
  const { stdout, stderr } = await imported(
    '$TTL 1h',
    '@ SOA ns1 hostmaster 1 2h 3h 4w 30',
    '@ NS ns1',
    '@ NS ns.example.net.',
    '@ 60 MX 10 mail',
    'www A 192.0.2.1',
    '*.dev CNAME www',
    'www A 192.0.2.2',
    'www A 192.0.2.1',
    'no TXT "a long text that stays on one line, however long the line gets, since a break is not a space in it"',
    '12 TXT a',
    'www.corp.internal.corp.internal. A 192.0.2.3',
  );
  expect(stderr).toEqual([]);
  expect(stdout).toBe(`\
- name: corp.internal
  nameServers:
    - ns1.corp.internal
    - ns.example.net
  soa:
    mname: ns1.corp.internal
    rname: hostmaster.corp.internal
    refresh: 7200
    retry: 10800
    expire: 2419200
    minimum: 30
  defaultTTL: 3600
  records:
    - name: "@"
      type: MX
      ttl: 60
      values:
        - 10 mail.corp.internal.
    - name: www
      type: A
      values:
        - 192.0.2.1
        - 192.0.2.2
    - name: "*.dev"
      type: CNAME
      values:
        - www.corp.internal.
    - name: "no"
      type: TXT
      values:
        - '"a long text that stays on one line, however long the line gets, since a break is not a space in it"'
    - name: "12"
      type: TXT
      values:
        - '"a"'
    - name: www.corp.internal.corp.internal.
      type: A
      values:
        - 192.0.2.3
`);
});

test("the zone that Debian's BIND comes with can be declared, as far as it is one", async () => {
  const { stdout, stderr, code } = await imported(
    ';',
    '; BIND data file for local loopback interface',
    ';',
    '$TTL\t604800',
    '@\tIN\tSOA\tlocalhost. root.localhost. (',
    '\t\t\t      2\t\t; Serial',
    '\t\t\t 604800\t\t; Refresh',
    '\t\t\t  86400\t\t; Retry',
    '\t\t\t2419200\t\t; Expire',
    '\t\t\t 604800 )\t; Negative Cache TTL',
    ';',
    '@\tIN\tNS\tns',
    'ns\tIN\tA\t192.0.2.53',
    'ns\tIN\tTXT\tx',
    'ns\tIN\tCNAME\t@',
  );
  expect(stderr).toEqual([
    'skipped: line 5 (soa.mname localhost): soa.mname must be written in full, such as ns1.corp.internal',
    'line 5: soa.minimum 604800 is too large: using 86400',
    'ns.corp.internal is a server of the zone: without its addresses here it gets those of the DNS Service',
    "skipped: line 15 (ns.corp.internal CNAME): the name of a zone's server must have addresses (RFC 2181 section 10.3)",
  ]);
  expect(read(stdout)).toEqual({
    name: 'corp.internal',
    nameServers: ['ns.corp.internal'],
    soa: { rname: 'root.localhost', refresh: 604800, retry: 86400, expire: 2419200, minimum: 86400 },
    defaultTTL: 604800,
    records: [
      { name: 'ns', type: 'A', values: ['192.0.2.53'] },
      { name: 'ns', type: 'TXT', values: ['"x"'] },
    ],
  });
  expect(refusalOf(read(stdout))).toBeUndefined();
  expect(code).toBe(0);
});

describe('standard error says', () => {
  test('which records were skipped, and which should be removed', async () => {
    const { path, zone } = fixture('dig.axfr');
    const { stderr } = await run([path, zone]);
    expect(stderr).toEqual([
      'skipped, since PowerDNS generates its own: 15 RRSIG, 1 DNSKEY, 1 NSEC3PARAM, 2 NSEC3, 1 CDS, 1 TYPE65534, 1 TSIG',
      'ns1.corp.internal is a server of the zone: without its addresses here it gets those of the DNS Service',
    ]);
  });

  test('which of several TTLs an RRset has', async () => {
    const { stdout, stderr, code } = await imported(
      '$TTL 60',
      'www 90 A 192.0.2.1',
      'www A 192.0.2.2',
      'www 5 A 192.0.2.3',
    );
    expect(stderr).toEqual(['www.corp.internal A has the TTLs 5, 60, 90: using 5 (RFC 2181 section 5.2)']);
    expect(read(stdout).records).toMatchObject([{ ttl: 5, values: { length: 3 } }]);
    expect(code).toBe(0);
  });

  test('where more than 1,000 records belong', async () => {
    const hint = '1001 records: put the file into a ConfigMap and refer to it in recordsFrom instead';
    expect(await imported('$GENERATE 1-1000 h$ A 192.0.2.1')).toMatchObject({ stderr: [], code: 0 });
    const { stdout, stderr, code } = await imported('$GENERATE 1-1001 h$ A 192.0.2.1');
    expect({ stderr, code }).toEqual({ stderr: [hint], code: 0 });
    expect(read(stdout).records).toHaveLength(1001);
  });
});

const transferredSOA = 'corp.internal. 60 IN SOA ns1.corp.internal. hostmaster.corp.internal. 1 2 3 4 5';

test('a transfer is complete if it ends with the SOA it began with, whatever dig reports', async () => {
  const { stdout, stderr, code } = await imported(
    '; <<>> DiG 9.18.49 <<>> @192.0.2.5 axfr corp.internal +nostats',
    transferredSOA,
    'www.corp.internal. 60 IN A 192.0.2.1',
    transferredSOA,
    'key. 0 ANY TSIG hmac-sha256. 1 300 0 1 NOERROR 0',
  );
  expect({ stderr, code }).toEqual({ stderr: ['skipped, since PowerDNS generates its own: 1 TSIG'], code: 0 });
  expect(read(stdout).records).toEqual([{ name: 'www', type: 'A', ttl: 60, values: ['192.0.2.1'] }]);
});

describe('records that cannot be declared are skipped, each with a line on standard error, and the rest is printed:', () => {
  const skipped = (what: string) => expect.stringContaining(`skipped: ${what}: `);
  const server = expect.stringContaining('ns1.corp.internal is a server of the zone');
  test.each<[string, string[], object[], unknown[]]>([
    [
      'types',
      [
        '@ SPF "v=spf1 -all"',
        'a URI 0 1 "x:y"',
        '  LOC 51 0 0 N 0 0 0 E 0m',
        'a A 192.0.2.1',
        '  WINS LOCAL 192.0.2.2',
        '  TYPE999 \\# 0',
      ],
      [{ name: 'a', type: 'A', values: ['192.0.2.1'] }],
      [
        skipped('line 1 (corp.internal SPF)'),
        skipped('line 2 (a.corp.internal URI)'),
        skipped('line 3 (a.corp.internal LOC)'),
        skipped('line 5 (a.corp.internal WINS)'),
        skipped('line 6 (a.corp.internal TYPE999)'),
      ],
    ],
    [
      'names',
      [
        'a\\\\ A 192.0.2.1',
        'first\\.last A 192.0.2.1',
        '  MX 10 a',
        'www.example.com. A 192.0.2.1',
        '. A 192.0.2.1',
        'a A 192.0.2.1',
      ],
      [{ name: 'a', type: 'A', values: ['192.0.2.1'] }],
      [
        skipped('line 1 (a\\\\.corp.internal A)'),
        skipped('line 2 (first\\.last.corp.internal A)'),
        skipped('line 3 (first\\.last.corp.internal MX)'),
        skipped('line 4 (www.example.com A)'),
        'skipped: line 5 (. A): . is outside the zone corp.internal',
      ],
    ],
    [
      'values and classes',
      ['a A 192.0.2.256', 'b CH TXT x', 'c MX mail', 'd HTTPS 1 . key667="a;b"', 'e A 192.0.2.1'],
      [{ name: 'e', type: 'A', values: ['192.0.2.1'] }],
      ['a A', 'b TXT', 'c MX', 'd HTTPS'].map((each, index) =>
        skipped(`line ${index + 1} (${each.replace(' ', '.corp.internal ')})`),
      ),
    ],
    [
      'directives, and what is below them',
      ['$INCLUDE other.zone', '$ORIGIN a..b', 'x A 192.0.2.1', '$ORIGIN corp.internal.', '$TTL soon', 'a A 192.0.2.1'],
      [{ name: 'a', type: 'A', values: ['192.0.2.1'] }],
      [skipped('line 1'), skipped('line 2'), skipped('line 3'), skipped('line 5')],
    ],
    [
      'some of what $GENERATE makes',
      ['$GENERATE 254-257 a A 192.0.2.$'],
      [{ name: 'a', type: 'A', values: ['192.0.2.254', '192.0.2.255'] }],
      [skipped('line 1 (a.corp.internal A)'), skipped('line 1 (a.corp.internal A)')],
    ],
    [
      'the SOA and the servers of a zone below',
      ['$ORIGIN a.corp.internal.', '@ SOA ns1 hostmaster 1 2 3 4 5', '@ NS ns1', 'ns1 A 192.0.2.1', 'www A 192.0.2.2'],
      [
        { name: 'ns1.a', type: 'A', values: ['192.0.2.1'] },
        { name: 'www.a', type: 'A', values: ['192.0.2.2'] },
      ],
      [skipped('line 2 (a.corp.internal SOA)'), skipped('line 3 (a.corp.internal NS)')],
    ],
    [
      'a delegation to a server without an address, which is kept',
      ['dev NS ns1.dev', 'lab NS ns1.lab', 'ns1.lab A 192.0.2.1', 'far NS ns.example.com.', '@ NS ns1', 'sub NS ns1'],
      [
        { name: 'dev', type: 'NS', values: ['ns1.dev.corp.internal.'] },
        { name: 'lab', type: 'NS', values: ['ns1.lab.corp.internal.'] },
        { name: 'ns1.lab', type: 'A', values: ['192.0.2.1'] },
        { name: 'far', type: 'NS', values: ['ns.example.com.'] },
        { name: 'sub', type: 'NS', values: ['ns1.corp.internal.'] },
      ],
      [
        'dev.corp.internal is delegated to ns1.dev.corp.internal, which has no address here: it is unreachable without an A or AAAA record (glue)',
      ],
    ],
    [
      'a dot at the end, which is added',
      ['@ NS ns1', 'ns1 A 192.0.2.1', 'goli.n.corp.internal CNAME a.example.', 'www CNAME web.corp.internal'],
      [
        { name: 'ns1', type: 'A', values: ['192.0.2.1'] },
        { name: 'goli.n', type: 'CNAME', values: ['a.example.'] },
        { name: 'www', type: 'CNAME', values: ['web.corp.internal.'] },
      ],
      [
        'line 3: goli.n.corp.internal is read as fully qualified: to RFC 1035, without a trailing dot, it is relative to corp.internal',
        'line 4: web.corp.internal is read as fully qualified: to RFC 1035, without a trailing dot, it is relative to corp.internal',
        server,
      ],
    ],
  ])('%s', async (_, lines, records, notes) => {
    const { stdout, stderr, code } = await imported(...lines);
    expect({ stderr, code }).toEqual({ stderr: notes, code: 0 });
    expect(read(stdout).records).toEqual(records);
    expect(refusalOf(read(stdout))).toBeUndefined();
  });
});

test.each([
  ['in a comment', '; M\xfcller', undefined],
  ['in a text', 'b TXT "M\xfcller \xc3\xbc"', '"M\\252ller \\195\\188"'],
])('an octet that is not UTF-8 %s is preserved', async (_, line, text) => {
  const { stdout, code } = await run(['-', 'corp.internal'], Buffer.from(`${line}\na A 192.0.2.1\n`, 'latin1'));
  expect(code).toBe(0);
  const { records } = read(stdout);
  expect(records.find(({ type }) => type === 'TXT')?.values).toEqual(text && [text]);
  expect(records.find(({ type }) => type === 'A')?.values).toEqual(['192.0.2.1']);
});

test('no YAML parser reads a name as another type', async () => {
  const traps = [
    '0o7',
    '007',
    '0x1f',
    '0b1',
    '1_000',
    '1e3',
    '12',
    '1-2',
    '2001-01-01',
    'y',
    'n',
    'on',
    'off',
    'null',
    'true',
    'no',
  ];
  const plain = ['www', '1-2-3', '0x', 'e3', '10-0-0-1', 'xn--tda', 'yes1', '1a', '3com'];
  const { stdout } = await imported(...[...traps, ...plain].map((name) => `${name} TXT x`));
  const written = [...stdout.matchAll(/- name: (.*)/g)].map(([, name]) => name).slice(1);
  expect(written.slice(0, traps.length).filter((name) => !name?.startsWith('"'))).toEqual(['1-2']);
  for (const version of ['1.1', '1.2'] as const) {
    const [zone] = parse(stdout, { version }) as [DeclaredZone];
    expect(zone.records.map(({ name }) => name)).toEqual([...traps, ...plain]);
  }
});

describe('nothing is printed, and the exit code is 1, for', () => {
  const bad = join(dir, 'bad.zone');
  writeFileSync(bad, 'www A 192.0.2.256\n\nx LUA A ""\n');
  const failed = '; <<>> DiG 9.18.49 <<>> @192.0.2.5 axfr corp.internal\n';

  test.each<[string, string[], string | Buffer, string[]]>([
    [
      'a file with nothing that could be declared',
      [bad, 'corp.internal'],
      '',
      [
        'line 1 (www.corp.internal A): not an IPv4 address: 192.0.2.256',
        'line 3 (x.corp.internal LUA): LUA is code, not data: zone files must not have it',
        `cannot import ${bad}: no record of corp.internal in the file`,
      ],
    ],
    [
      'a parenthesis that holds the rest of the file',
      ['-', 'corp.internal'],
      'a A 192.0.2.1\nb A ( 192.0.2.2\nc A 192.0.2.3\n',
      [
        'line 2: a parenthesis is opened and never closed',
        'line 2: a parenthesis is opened and never closed, so the rest of the file is part of that line',
      ],
    ],
    [
      'no records',
      ['-', 'corp.internal'],
      ';; no servers could be reached\n',
      ['no record of corp.internal in the file'],
    ],
    ['a failed transfer', ['-', 'corp.internal'], `${failed}; Transfer failed.\n`, ['dig did not get the whole zone']],
    [
      'half a transfer',
      ['-', 'corp.internal'],
      `${failed}www.corp.internal. 60 IN A 192.0.2.1\n`,
      ['dig did not get the whole zone: its output does not end with the SOA, so repeat the transfer'],
    ],
    [
      'half a transfer that begins with a SOA',
      ['-', 'corp.internal'],
      `;; AXFR for corp.internal.\n${transferredSOA}\nwww.corp.internal. 60 IN A 192.0.2.1\n`,
      ['dig did not get the whole zone'],
    ],
    [
      'text in UTF-16',
      ['-', 'corp.internal'],
      Buffer.from('\ufeffwww A 192.0.2.1', 'utf16le'),
      ['not UTF-8: save it as UTF-8'],
    ],
    ['no file', [join(dir, 'none'), 'corp.internal'], '', ['no such file']],
    ['no zone', [bad], '', ['missing FILE or ZONE, such as corp.zone corp.internal (- is standard input)']],
    [
      'what is no zone',
      ['-', 'corp..internal'],
      'www A 192.0.2.1\n',
      ['an empty label in a domain name: corp..internal.'],
    ],
    [
      'a zone that has no host to be a server',
      ['-', '_msdcs.corp.internal'],
      'www TXT a\n',
      ['a zone with a slash or an underscore in its name needs nameServers of its own'],
    ],
  ])('%s', async (_, args, input, messages) => {
    const { stdout, stderr, code } = await run(args, input);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toEqual(messages.map((message) => expect.stringContaining(message)));
    expect(stderr.every((line) => line.startsWith('cannot import '))).toBe(true);
  });
});

test('a file and standard input have the same result', async () => {
  const { path, zone } = fixture('corp.zone');
  expect(await run(['-', 'corp.internal'], readFileSync(path))).toEqual(await run([path, zone]));
});
