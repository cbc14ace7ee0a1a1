/** What the records of one zone can be beside each other. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../functions/dns/rrset.ts';
import { checkedTTL, contentOf, type ZoneFrame } from '../../functions/dns/zone-content.ts';

const corp: ZoneFrame = {
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

const faultsOf = (...lines: string[]) => contentOf(corp, entriesOf(...lines)).faults;
const short = (...lines: string[]) =>
  contentOf(corp, entriesOf(...lines)).rrsets.map((r) => `${r.name} ${r.ttl} ${r.type} ${r.records.join(' ')}`);

describe('what stands together', () => {
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
    ['a DNAME at the top', ['@ DNAME new.example.', '@ TXT "x"']],
    ['a wildcard CNAME beside a name below it', ['* CNAME a.example.', 'www A 192.0.2.1', '*.www A 192.0.2.2']],
    ['an address of a server of ours', ['ns1 A 192.0.2.53', 'ns1 AAAA 2001:db8::53', 'ns1 TXT "x"']],
    ['a name that only ends like a child zone', ['xdev A 192.0.2.1', 'dev-a CNAME x.']],
    ['nothing', []],
  ])('%s', (_, lines) => {
    expect(faultsOf(...lines)).toEqual([]);
    expect(contentOf(corp, entriesOf(...lines)).rrsets.flatMap(({ records }) => records)).toHaveLength(lines.length);
  });
});

describe('what does not', () => {
  const table: [string, string[], string][] = [
    // https://www.rfc-editor.org/rfc/rfc1034#section-3.6.2
    ['a CNAME beside an address', ['www A 192.0.2.1', 'www CNAME a.'], 'and line 1 has the A of this name'],
    ['an address beside a CNAME', ['www CNAME a.', 'www A 192.0.2.1'], 'and line 1 has the CNAME of this name'],
    ['a CNAME beside text', ['www TXT "x"', 'www CNAME a.'], 'nothing stands beside a CNAME (RFC 1034 section 3.6.2)'],
    ['a CNAME beside a DNAME', ['www DNAME a.', 'www CNAME b.'], 'nothing stands beside a CNAME'],
    ['two CNAMEs', ['www CNAME a.', 'www CNAME b.'], 'a name has one CNAME (line 1)'],
    ['two DNAMEs', ['www DNAME a.', 'www DNAME b.'], 'a name has one DNAME (line 1)'],
    ['two ALIASes', ['@ ALIAS a.', '@ ALIAS b.'], 'a name has one ALIAS (line 1)'],
    ['a CNAME at the top', ['@ CNAME a.'], 'a CNAME cannot stand at the top of a zone (RFC 1034 section 3.6.2)'],
    ['a CNAME to itself', ['www CNAME www.corp.internal.'], 'CNAME to itself'],
    ['an ALIAS to itself', ['www ALIAS www.corp.internal.'], 'ALIAS to itself'],
    ['a DNAME to itself', ['www DNAME www.corp.internal.'], 'DNAME to itself'],
    ['an ALIAS beside A', ['@ A 192.0.2.1', '@ ALIAS a.'], 'ALIAS beside the A of line 1: ALIAS gives the addresses'],
    ['AAAA beside an ALIAS', ['@ ALIAS a.', '@ AAAA ::1'], 'AAAA beside the ALIAS of line 1'],
    ['the same twice', ['www A 192.0.2.1', 'www TXT "x"', 'www A 192.0.2.1'], 'the same as line 1'],
    ['the same with another TTL', ['www 1 A 192.0.2.1', 'www 2 A 192.0.2.1'], 'the same as line 1'],
    // https://www.rfc-editor.org/rfc/rfc2181#section-5.2
    ['two TTLs', ['www 1 A 192.0.2.1', 'www 2 A 192.0.2.2'], 'another ttl than line 1 of the same RRset (RFC 2181'],
    ['a TTL and none', ['www A 192.0.2.1', 'www 60 A 192.0.2.2'], 'another ttl than line 1 of the same RRset'],
    ['another zone', ['www.example.com. A 192.0.2.1'], 'www.example.com is outside the zone corp.internal'],
    ['the zone above', ['internal. A 192.0.2.1'], 'internal is outside the zone corp.internal'],
    ['a name that only ends alike', ['xcorp.internal. A 192.0.2.1'], 'xcorp.internal is outside the zone'],
    ['servers of the zone itself', ['@ NS ns.example.'], 'the servers of the zone itself are said by its nameServers'],
    // https://www.rfc-editor.org/rfc/rfc4034#section-5
    ['the DS of the zone itself', ['@ DS 1 13 2 ab'], 'the DS of a zone stands in its parent (RFC 4034 section 5)'],
    ['a DS without a delegation', ['d DS 1 13 2 ab'], 'a DS needs the NS of the delegation beside it'],
    ['a DS beside a DNAME', ['d DNAME a.', 'd DS 1 13 2 ab'], 'a DS needs the NS of the delegation beside it'],
    // https://www.rfc-editor.org/rfc/rfc4592#section-4.2
    ['a wildcard delegation', ['*.d NS ns.example.'], 'a wildcard cannot be delegated (RFC 4592 section 4.2)'],
    [
      'a server as a CNAME',
      ['ns1 CNAME a.'],
      "the name of a zone's server must have addresses (RFC 2181 section 10.3)",
    ],
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
    ['text at its glue', ['d NS ns.d.corp.internal.', 'ns.d TXT "x"'], 'below it only its servers have addresses here'],
    ['a delegation below it', ['d NS ns.', 'x.d NS ns.'], 'never answered: d.corp.internal is delegated (line 1)'],
    ['a wildcard below it', ['d NS ns.', '*.d A 192.0.2.1'], 'never answered: d.corp.internal is delegated (line 1)'],
    // https://www.rfc-editor.org/rfc/rfc6672#section-2.4
    ['a name below a DNAME', ['o DNAME n.', 'x.y.o A 192.0.2.1'], 'the DNAME of o.corp.internal covers it (RFC 6672'],
    ['a name below one at the top', ['@ DNAME n.', 'x A 192.0.2.1'], 'the DNAME of corp.internal covers it'],
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
    ['NS of a child zone', ['dev NS ns.'], 'dev.corp.internal is a zone of this instance and delegated by itself'],
    ['DS of a grandchild', ['a.dev DS 1 13 2 ab'], 'a.dev.corp.internal is a zone of this instance and delegated by'],
  ];

  test.each(table)('%s', (_, lines, message) => {
    const faults = faultsOf(...lines);
    expect(faults.map((fault) => fault.message)).toEqual([expect.stringContaining(message)]);
  });

  test('is named by the line that is too much, and takes its whole name with it, and no other', () => {
    const lines = ['www A 192.0.2.1', 'mail A 192.0.2.2', 'www TXT "x"', 'www CNAME a.'];
    expect(faultsOf(...lines).map(({ at }) => at)).toEqual(['line 4']);
    expect(short(...lines)).toEqual(['mail.corp.internal. 60 A 192.0.2.2']);
  });

  test('the same fault in either order of the lines, but for who came first', () => {
    fc.assert(
      fc.property(fc.constantFrom(...table.filter(([, lines]) => lines.length === 2)), ([, lines]) => {
        expect(faultsOf(...lines.toReversed()).length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('a TTL', () => {
  test('is that of the zone where none is said', () => {
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
  ])('of a checked answer is short: %s by default and %s said is %s', (defaultTTL, ttl, expected) => {
    const [entry] = entriesOf('www A 192.0.2.1');
    const checked: Entry = { ...entry!, ttl, answer: { check: { port: 25 } } };
    expect(contentOf({ ...corp, defaultTTL }, [checked]).rrsets).toMatchObject([{ ttl: expected }]);
  });
});

test('PTR and answer are those of the RRset', () => {
  const entries = entriesOf('www A 192.0.2.1', 'www A 192.0.2.2', 'plain A 192.0.2.3');
  const more = { ptr: true, answer: { answer: 'Random' as const } };
  expect(contentOf(corp, [{ ...entries[0]!, ...more }, { ...entries[1]!, ...more }, entries[2]!]).rrsets).toEqual([
    { name: 'www.corp.internal.', type: 'A', ttl: 60, records: ['192.0.2.1', '192.0.2.2'], ...more },
    { name: 'plain.corp.internal.', type: 'A', ttl: 60, records: ['192.0.2.3'] },
  ]);
});

test('whatever is declared, what comes out can be served', () => {
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
      ),
    )
    .map(([owner, ttl, data]) => `${owner} ${ttl}${data}`);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const { rrsets, faults } = contentOf(corp, entriesOf(...lines));
      const types = Map.groupBy(rrsets, ({ name }) => name);
      for (const here of types.values()) {
        expect(new Set(here.map(({ type }) => type)).size).toBe(here.length);
        if (here.some(({ type }) => type === 'CNAME')) expect(here).toHaveLength(1);
      }
      for (const { name, records } of rrsets) {
        expect(name).toMatch(/(^|\.)corp\.internal\.$/);
        expect(name).not.toMatch(/(^|\.)dev\.corp/);
        expect(new Set(records).size).toBe(records.length);
      }
      const named = new Set(lines.map((_, index) => `line ${index + 1}`));
      for (const { at } of faults) expect(named).toContain(at);
      // Without faults nothing is lost.
      if (faults.length === 0) expect(rrsets.flatMap(({ records }) => records)).toHaveLength(lines.length);
    }),
    { numRuns: 1000 },
  );
});

test('a name takes time in proportion to its records', () => {
  const time = (count: number) => {
    const entries = Array.from({ length: count }, (_, i): Entry => {
      const content = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      return { name: 'www.corp.internal.', type: 'A', ttl: undefined, content, at: `line ${i}` };
    });
    const since = performance.now();
    expect(contentOf(corp, entries).faults).toEqual([]);
    return performance.now() - since;
  };
  time(4_000);
  const [few, many] = [time(4_000), time(64_000)];
  // Sixteen times as much in proportion, 256 times when each record is compared with every other one.
  expect(many / few).toBeLessThan(80);
});
