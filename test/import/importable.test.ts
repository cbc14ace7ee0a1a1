/** The records of a zone file that can be declared: all printed ones are accepted, and all others are reported. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entriesOfRecords } from '../../functions/dns/record.ts';
import { parseZoneFile } from '../../functions/dns/zone-file/zone-file.ts';
import { recordsOf } from '../../functions/import/records.ts';
import { settingsOf } from '../../functions/import/settings.ts';
import { declaredOf, refusalOf } from './internal-dns.ts';

const zone = 'corp.internal.';
const digest = 'ab'.repeat(32);

function imported(...lines: string[]) {
  const file = parseZoneFile(lines.join('\n'), { name: zone });
  expect(file.issues).toEqual([]);
  const settings = settingsOf(file, 'corp.internal');
  const { value: kept, notes } = recordsOf(file.entries, settings.value);
  return { file, declared: { ...settings.value, records: kept.records }, notes: [...settings.notes, ...notes] };
}

const skipped = (what: string, why: string) => `skipped: ${what}: ${why}`;
const inFile = '; zone files of recordsFrom may have it';

const below = 'never answered: d.corp.internal is delegated (line 2 (d.corp.internal NS))';

describe('records that would be refused are skipped and reported:', () => {
  const soa = (fields: string) => `@ SOA ${fields}`;
  test.each<[string, string[], object, string[]]>([
    [
      'times of a SOA that are none',
      [soa('ns1 hostmaster 1 0 0 0 0')],
      { soa: { mname: 'ns1.corp.internal', rname: 'hostmaster.corp.internal', minimum: 0 } },
      ['refresh', 'retry', 'expire'].map((f) => skipped(`line 1 (soa.${f} 0)`, 'too small: expected number to be >=1')),
    ],
    [
      'the root as a server and a mailbox',
      [soa('. . 1 2 3 4 5')],
      { soa: { refresh: 2, retry: 3, expire: 4, minimum: 5 } },
      [
        skipped('line 1 (soa.mname .)', 'soa.mname must be written in full, such as ns1.corp.internal'),
        skipped('line 1 (soa.rname .)', 'soa.rname must be written in full, such as hostmaster@corp.internal'),
      ],
    ],
    [
      'the last of 14 servers',
      Array.from({ length: 14 }, (_, i) => `@ NS ns${i}`),
      { nameServers: Array.from({ length: 13 }, (_, i) => `ns${i}.corp.internal`) },
      [skipped('line 14 (NS ns13.corp.internal)', 'too big: expected array to have <=13 items')],
    ],
    [
      'a server at the root',
      ['@ NS ns1.', '@ NS ns2'],
      { nameServers: ['ns2.corp.internal'] },
      [skipped('line 1 (NS ns1)', 'name server must be written in full, such as ns1.corp.internal')],
    ],
    [
      'more values than a record may have',
      ['$GENERATE 1-101 www A 192.0.2.$', 'www TXT "x"'],
      { records: [{ name: 'www', type: 'TXT', values: ['"x"'] }] },
      [skipped('line 1 (www.corp.internal A)', `too big: expected array to have <=100 items${inFile}`)],
    ],
    [
      'a longer value than a record may have',
      [`www TXT ${'"x" '.repeat(1200)}`, 'www TXT "y"'],
      { records: [{ name: 'www', type: 'TXT', values: ['"y"'] }] },
      [skipped('line 1 (www.corp.internal TXT)', `too big: expected string to have <=4096 characters${inFile}`)],
    ],
    [
      'a CNAME beside data',
      ['www A 192.0.2.1', 'www CNAME a.example.'],
      { records: [{ name: 'www', type: 'A', values: ['192.0.2.1'] }] },
      [
        skipped(
          'line 2 (www.corp.internal CNAME)',
          'a CNAME must be the only record of its name (RFC 1034 section 3.6.2), and line 1 (www.corp.internal A) has the A of this name',
        ),
      ],
    ],
    [
      'the DS of the zone itself',
      [`@ DS 1 13 2 ${digest}`],
      { records: [] },
      [skipped('line 1 (corp.internal DS)', 'the DS of a zone belongs in its parent zone (RFC 4034 section 5)')],
    ],
    [
      'an alias at the top, and not what is beside it',
      ['@ CNAME a.example.', '@ MX 10 a.example.', '@ TXT "x"'],
      {
        records: [
          { name: '@', type: 'MX', values: ['10 a.example.'] },
          { name: '@', type: 'TXT', values: ['"x"'] },
        ],
      },
      [
        skipped(
          'line 1 (corp.internal CNAME)',
          'a CNAME cannot be at the apex of a zone (RFC 1034 section 3.6.2): use ALIAS',
        ),
      ],
    ],
    [
      'what is at a delegation and below it',
      ['d CNAME a.example.', 'd NS ns.d', `d DS 1 13 2 ${digest}`, 'x.d A 192.0.2.1', 'ns.d A 192.0.2.2'],
      {
        records: [
          { name: 'd', type: 'NS', values: ['ns.d.corp.internal.'] },
          { name: 'd', type: 'DS', values: [`1 13 2 ${digest}`] },
          { name: 'ns.d', type: 'A', values: ['192.0.2.2'] },
        ],
      },
      [
        skipped('line 1 (d.corp.internal CNAME)', below),
        skipped('line 4 (x.d.corp.internal A)', `${below}, and below it only glue is answered`),
      ],
    ],
  ])('%s', (_, lines, expected, notes) => {
    const { declared, notes: given } = imported(...lines);
    expect(declared).toMatchObject(expected);
    expect(given).toEqual(notes);
    expect(refusalOf(declared)).toBeUndefined();
  });
});

test.each([
  ['www TXT "{{xr.name}}"', '"{{xr.name}}"'],
  ['www TXT "{{foo}} {{{zone.name"', '"{{foo}} {{{zone.name"'],
  ['www CAA 0 iodef "https://a.example/{{service.address}}"', '0 iodef "https://a.example/{{service.address}}"'],
])('braces are preserved: %s', (line, content) => {
  const records = declaredOf(imported(line).declared);
  expect(entriesOfRecords(records, zone)).toMatchObject({ issues: [], entries: [{ content }] });
});

test('whatever is imported is accepted, and every skipped record is reported', () => {
  const owner = fc.constantFrom('@', 'www', 'd', 'ns.d', 'x.d', '*', '*.d', 'ns1', 'www.corp.internal.corp.internal.');
  const data = fc.constantFrom(
    'A 192.0.2.1',
    'A 192.0.2.2',
    'AAAA ::1',
    'CNAME www',
    'CNAME d',
    'TXT "{{foo}}"',
    'TXT "{{{{xr.name}} \\\\{{"',
    `TXT ${'"x" '.repeat(1200)}`,
    'NS ns.d',
    'NS ns1',
    'NS ns.',
    'DNAME n',
    'ALIAS b',
    `DS 1 13 2 ${digest}`,
    'MX 0 .',
    'MX 10 mail',
    'HTTPS 0 www',
    'HTTPS 1 . alpn=h2',
  );
  const ttl = fc.constantFrom('', '5', '60');
  const names = fc.constantFrom('.', 'ns1', 'ns1.', 'a_b', 'x@y', '@', 'a\\.b', '\\@x');
  const times = fc.array(fc.constantFrom(0, 1, 86400, 86401, 2147483647), { minLength: 4, maxLength: 4 });
  const soa = fc.tuple(names, names, times).map(([mname, rname, t]) => `@ SOA ${mname} ${rname} 1 ${t.join(' ')}`);
  const line = fc.tuple(owner, ttl, data).map((fields) => fields.join(' '));
  fc.assert(
    fc.property(fc.option(soa), fc.array(line, { maxLength: 16 }), (top, lines) => {
      const { file, declared, notes } = imported('$TTL 60', ...(top ? [top] : []), ...lines);
      const { entries } = entriesOfRecords(declaredOf(declared), zone);
      const kept = new Set(entries.map(({ name, type, content }) => `${name} ${type} ${content}`));
      const written = new Map(file.entries.toReversed().map((e) => [`${e.name} ${e.type} ${e.content}`, e]));
      for (const [key, { name, type, at }] of written) {
        if (kept.has(key)) continue;
        expect(notes).toContainEqual(expect.stringContaining(`${at} (${name.slice(0, -1)} ${type}): `));
      }
      for (const [name, at] of new Map(file.nameServers.toReversed().map((e) => [e.name, e.at]))) {
        if (declared.nameServers?.includes(name.slice(0, -1))) continue;
        expect(notes).toContainEqual(expect.stringContaining(`${at} (NS ${name.slice(0, -1)}): `));
      }
    }),
    { numRuns: 1000 },
  );
});
