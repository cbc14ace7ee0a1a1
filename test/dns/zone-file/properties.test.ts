// biome-ignore-all lint/suspicious/noTemplateCurlyInString: BIND writes its own templates so.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWithin } from '../../../functions/dns/name.ts';
import { splitFields } from '../../../functions/dns/rdata/field.ts';
import { parseContent } from '../../../functions/dns/rdata/rdata.ts';
import { recordTypes } from '../../../functions/dns/rdata/record-type.ts';
import type { Entry } from '../../../functions/dns/zone/rrset.ts';
import { parseZoneFile } from '../../../functions/dns/zone-file/zone-file.ts';
import { cpuTimeOf } from '../../cpu.ts';
import { values } from '../rdata/arbitraries.ts';
import { fixture, fixtureNames } from './fixtures.ts';

const zone = 'corp.internal.';

/** An entry and the ways in which a file may write it. */
type Written = Omit<Entry, 'at'> & { relative: boolean; omitOwner: boolean; classFirst: boolean; separator: string };

const owner = fc
  .array(fc.stringMatching(/^[a-z0-9_]([a-z0-9-]{0,8}[a-z0-9])?$/), { maxLength: 3 })
  .chain((labels) => fc.constantFrom('', '*.').map((star) => `${star}${[...labels, zone].join('.')}`));
const entry: fc.Arbitrary<Written> = fc.constantFrom(...recordTypes).chain((type) =>
  fc.record({
    name: owner,
    type: fc.constant(type),
    ttl: fc.nat(2147483647),
    content: values[type].map((text) => parseContent(type, text, zone)),
    relative: fc.boolean(),
    omitOwner: fc.boolean(),
    classFirst: fc.boolean(),
    separator: fc.constantFrom(' ', '\t', ' ; "a comment\n  ', '\r\n', '\n\n( ) '),
  }),
);
/** The NS of the zone itself is not an entry. */
const entries = fc.array(entry, { maxLength: 30 }).map((all) => all.filter((e) => e.type !== 'NS' || e.name !== zone));

function print(entries: Written[]): string {
  return entries.map((entry, index) => printLine(entry, entries[index - 1]?.name)).join('\n');
}

function printLine({ name, ttl, type, content, ...how }: Written, before: string | undefined): string {
  const relative = name === zone ? '@' : name.slice(0, -zone.length - 1);
  const owner = how.omitOwner && before === name ? '\t' : how.relative ? relative : name;
  const head = how.classFirst ? `IN ${ttl}` : `${ttl} IN`;
  const rdata = splitFields(content).map((field) => (field.startsWith('"') ? field : bare(field)));
  return `${owner} ( ${[head, type, ...rdata].join(how.separator)} ${how.separator})`;
}

/** Bare, these would end a field or begin a comment. */
const bare = (field: string) =>
  field.replace(/\\.|[;()]/g, (character) => (character.length > 1 ? character : `\\${character}`));

test('a printed zone file is parsed as the same records', () => {
  fc.assert(
    fc.property(entries, (written) => {
      const file = parseZoneFile(print(written), { name: zone });
      expect(file.issues).toEqual([]);
      expect(file.entries.map(({ at: _, ...entry }) => entry)).toEqual(
        written.map(({ name, type, ttl, content }) => ({ name, type, ttl, content })),
      );
    }),
    { numRuns: 300 },
  );
});

const token = fc.constantFrom(
  ...['$ORIGIN', '$TTL', '$GENERATE', '$INCLUDE', '1-9', '0-99999/3', '${0,9,n}', '${', '$', '@', '\n', '\r\n', '\n\t'],
  ...[
    '(',
    ')',
    ';',
    '"',
    '\\',
    '\\0',
    '=',
    'IN',
    'CH',
    '60',
    '1h',
    '[AGE:1]',
    'www',
    '*',
    '.',
    'a..b',
    'corp.internal.',
  ],
  ...[...recordTypes, 'SOA', 'RRSIG', 'LUA', 'TYPE1', '192.0.2.1', '2001:db8::1', '10', '\0', 'é', '\ud800', '\ufeff'],
);
const soup = fc
  .array(fc.tuple(token, fc.constantFrom(' ', '', '\t')), { maxLength: 200 })
  .map((all) => all.flat().join(''));
const mutated = fc.constantFrom(...fixtureNames).chain((name) => {
  const { text } = fixture(name);
  const place = fc.nat(text.length);
  return fc
    .array(fc.tuple(place, fc.nat(20), fc.oneof(token, fc.string({ maxLength: 5 }))), { minLength: 1, maxLength: 8 })
    .map((edits) => edits.reduce((now, [at, cut, put]) => now.slice(0, at) + put + now.slice(at + cut), text));
});

test.each([
  ['text', fc.string({ unit: 'binary', maxLength: 500 })],
  ['words of zone files', soup],
  ['zone files with mistakes', mutated],
])('for any %s, nothing is thrown, and every entry is in the zone and has a line', (_, texts) => {
  fc.assert(
    fc.property(texts, (text) => {
      const { entries, issues } = parseZoneFile(text, { name: zone });
      const lines = text.split('\n').length;
      expect(issues.length).toBeLessThanOrEqual(100);
      for (const { at } of [...entries, ...issues]) expect(Number(at.replace('line ', ''))).toBeOneOf(range(lines));
      for (const { name, type, content } of entries) {
        expect(isWithin(name, zone)).toBe(true);
        expect(parseContent(type, content, zone)).toBe(content);
      }
    }),
    { numRuns: 500 },
  );
});

const range = (length: number) => Array.from({ length }, (_, index) => index + 1);

describe('a long repetition is parsed in linear time:', () => {
  test.each(['(', '"', '""', '\\', ';', '$', '${', '.', 'a', ' ', '\n', '"\n', '="', '1h', 'x TXT (\n', '$ORIGIN a\n'])(
    '%j',
    async (piece) => {
      const reading = (length: number) => () => {
        const run = piece.repeat(length / piece.length);
        for (const before of ['', 'x TXT ', '$GENERATE 1-65536 x CNAME ']) {
          const { entries, issues } = parseZoneFile(before + run, { name: zone });
          expect(entries.length).toBeLessThanOrEqual(1);
          expect(issues.length).toBeLessThanOrEqual(100);
        }
      };
      const [short, long] = [await cpuTimeOf(reading(2 ** 15)), await cpuTimeOf(reading(2 ** 18))];
      // Linear time is eight times as much, quadratic time 64 times, which is seconds. A few milliseconds are noise.
      expect(long / Math.max(short, 5)).toBeLessThan(30);
    },
  );

  test('records', async () => {
    const hosts = (count: number) =>
      Array.from({ length: count }, (_, n) => `host-${n}\tIN\tA\t10.0.${n >> 8}.${n & 255}\t; the host ${n}\n`).join(
        '',
      );
    const time = (text: string) => cpuTimeOf(() => parseZoneFile(text, { name: zone }), 7);
    const [thousand, tenThousand] = [await time(hosts(1000)), await time(hosts(10_000))];
    expect(tenThousand / thousand).toBeLessThan(40);
  });
});
