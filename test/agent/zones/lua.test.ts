import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answeredBy, literal, luaContent } from '../../../functions/agent/zones/lua.ts';
import type { Answer } from '../../../functions/dns/answer.ts';

const values = ['192.0.2.1', '192.0.2.2'];

/** The code of a record, or that which it compiles once and caches. */
function codeOf(content: string): string {
  const [, code = ''] = /^A{1,4} ";([^"\\]*)"$/.exec(content) ?? [];
  const [whole, once] =
    /^local c=checks and checks\['([0-9a-f]{12})'\] or \(loadstring or load\)\(\[=\[(.*)\]=\]\)\('\1'\) return c\.answer\(\)$/
      .exec(code)
      ?.slice(1) ?? [];
  return whole === undefined ? code : (once ?? '');
}

/** Splits Lua code into its string literals and the rest. */
function lex(code: string): { strings: string[]; rest: string } {
  const strings = [...code.matchAll(/'([^'\\\n]*)'/g)].map(([, text = '']) => text);
  return { strings, rest: code.replace(/'[^'\\\n]*'/g, "''") };
}

/** Decodes a string that `literal` has encoded, like Lua's `gsub`. */
const meant = (text: string) =>
  Buffer.from(
    text.replace(/~([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString();

describe('the code of an answer', () => {
  test.each<[Answer, string, string[]?]>([
    [{ answer: 'Random' }, "local u={'192.0.2.1','192.0.2.2'} return pickrandom(u)"],
    [{ answer: 'Sticky' }, "local u={'192.0.2.1','192.0.2.2'} return pickhashed(u)"],
    [{ answer: 'Closest' }, "local u={'192.0.2.1','192.0.2.2'} local c,near"],
    [{ answer: 'Weighted', weights: [90, 10] }, "['192.0.2.1']=90,['192.0.2.2']=10"],
    [{ answer: 'Weighted', weights: [90, 10] }, 'return pickwrandom(u)'],
    [{ answer: 'Sticky', weights: [90, 10] }, 'return pickwhashed(u)'],
    [{ check: { port: 25 } }, "ifportup(25,v,{selector='all',backupSelector='empty',interval='5',timeout='2'})"],
    [{ check: { port: 25, interval: '1m', timeout: '3s' } }, "interval='60',timeout='3'"],
    [{ check: { port: 25 } }, "local v={'192.0.2.1','192.0.2.2'} u=up(v) if #u==0 then u=v end"],
    [{ check: { port: 25 }, whenAllDown: 'None' }, 'if #u>0 then first=0 elseif t-first<8 then u=v end'],
    [{ check: { port: 25 }, whenAllDown: 'None', answer: 'Random' }, 'if #u==0 then return u end return pickrandom(u)'],
    [
      { check: { port: 25 }, whenAllDown: 'Backup', backup: ['192.0.2.9'] },
      "then u=v else v={'192.0.2.9'} u=up(v) if #u==0 then u=v end end",
    ],
    [{ check: { url: 'https://{{value}}' } }, "p[a]='https://'..a..'/'"],
    [{ check: { url: 'http://{{value}}:80?a' } }, "p[a]='http://'..a..':80/?a'"],
    [{ check: { url: 'http://{{value}}/x?{{value}}' } }, "p[a]='http://'..a..'/x?'..a..''"],
    [{ check: { url: 'http://192.0.2.9/{{value}}' } }, "p[a]='http://192.0.2.9/'..a..''"],
    [{ check: { url: 'http://www.example.com' } }, "ifurlup('http://www.example.com/',v,{"],
    [{ check: { url: 'http://a/b/c', status: 204 } }, "ifurlup('http://a/b/c',v,{"],
    [{ check: { url: 'http://a/b/c', status: 204 } }, "httpcode='204'"],
    [{ check: { url: 'http://a/', contains: 'is ok' } }, "stringmatch='is ok'"],
  ])('of %j contains %s', (answer, part) => {
    expect(codeOf(luaContent('A', values, answer))).toContain(part);
  });

  test('has IPv6 addresses in canonical form, in brackets only as a host', () => {
    const check = { url: 'http://{{value}}/{{value}}' };
    const code = codeOf(luaContent('AAAA', ['2001:DB8:0::1', '::ffff:c000:201'], { check }));
    expect(code).toContain("local v={'2001:db8::1','::ffff:192.0.2.1'}");
    expect(code).toContain("p[a]='http://['..a..(('~5d/')");
    expect(code).toMatch(/\.\.a\.\.'' end/);
  });

  test('is cached under a name that changes with it', () => {
    const keys = [25, 26, 25].map(
      (port) => /checks\['(\w+)'\]/.exec(luaContent('A', values, { check: { port } }))?.[1],
    );
    expect(keys[0]).toBe(keys[2]);
    expect(keys[0]).not.toBe(keys[1]);
  });

  test.each([
    ['A', "192.0.2.1'"],
    ['A', '2001:db8::1'],
    ['AAAA', '192.0.2.1'],
    ['AAAA', 'fe80::1%eth0'],
    ['A', ''],
  ] as const)('is refused when an address is none: %s %s', (type, value) => {
    expect(() => luaContent(type, [value], { answer: 'Random' })).toThrow();
    const backup = [value];
    const good = [type === 'A' ? '192.0.2.1' : '2001:db8::1'];
    expect(() => luaContent(type, good, { check: { port: 25 }, whenAllDown: 'Backup', backup })).toThrow();
  });

  test.each<[Answer]>([
    [{ check: { port: 1.5 } }],
    [{ check: { port: Number.NaN } }],
    [{ check: { url: 'http://a/', status: Number.POSITIVE_INFINITY } }],
    [{ check: { port: 1, interval: "1'" } }],
    [{ check: { port: 1, timeout: 'x' } }],
    [{ answer: 'Weighted', weights: [-1, 1] }],
  ])('is rejected with an invalid number: %j', (answer) => {
    expect(() => luaContent('A', values, answer)).toThrow('not a whole number');
  });
});

describe('no input breaks out of its literal', () => {
  const tokens = [
    "'",
    '"',
    '\\',
    ']]',
    ']=]',
    '--',
    '~',
    '~22',
    '%1',
    '\n',
    '\0',
    ';',
    '$&',
    ')',
    ' end ',
    '\\039',
    '{{value}}',
  ];
  const nasty = fc
    .array(fc.oneof(fc.constantFrom(...tokens), fc.string({ unit: 'binary' })), { maxLength: 20 })
    .map((parts) => parts.join('').toWellFormed());
  const type = fc.constantFrom('A', 'AAAA');
  const addresses = { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] };
  const undone = "((''):gsub('',function(h) return string.char(tonumber(h,16)) end))";
  const content = (type: 'A' | 'AAAA', check: Answer['check']) => luaContent(type, addresses[type], { check });
  /** The code without its literals. */
  const skeleton = (text: string) => lex(codeOf(text)).rest.replaceAll(undone, "''");

  test('a literal is exactly its text', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const { strings, rest } = lex(literal(text));
        expect(rest.replaceAll(undone, "''")).toBe("''");
        expect(literal(text)).toMatch(/^[^"\\\]\n]*$/);
        expect(meant(strings[0]!)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each<[string, (text: string) => Answer['check']]>([
    ['contains', (contains) => ({ url: 'http://{{value}}/', contains })],
    ['url', (url) => ({ url })],
    ['path', (path) => ({ url: `https://{{value}}/${path}` })],
  ])('%s: the code around it is unchanged, and it reaches DNS unchanged', (field, checkOf) => {
    fc.assert(
      fc.property(type, nasty, (type, text) => {
        const harmless = text.split('{{value}}').fill('a').join('{{value}}');
        const written = content(type, checkOf(text));
        expect(written).toMatch(/^A{1,4} ";[ !#-[\]-~]*"$/);
        // A second one would end the compiled string.
        expect(written.split(']=]')).toHaveLength(2);
        expect(skeleton(written)).toBe(skeleton(content(type, checkOf(harmless))));
        const strings = lex(codeOf(written)).strings.map(meant);
        if (field === 'contains') expect(strings).toContain(text);
        else for (const piece of text.split('{{value}}').slice(1, -1)) expect(strings).toContain(piece);
      }),
      { numRuns: 1_000 },
    );
  });

  test('the addresses of a record can be told from it, whatever its check says', () => {
    const lists = { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1', '2001:db8::2'] };
    const forged = fc.constantFrom("local v={'192.0.2.66'}", 'local v={', "'}", "local u={'");
    const text = fc.array(fc.oneof(forged, nasty), { maxLength: 4 }).map((parts) => parts.join(''));
    const answers = fc.oneof(
      text.map((contains): Answer => ({ check: { url: 'http://{{value}}/', contains }, whenAllDown: 'None' })),
      text.map((path): Answer => ({ check: { url: `http://{{value}}/${path}` } })),
      text.map((url): Answer => ({ check: { url }, whenAllDown: 'Backup', answer: 'Random' })),
      fc.constantFrom<Answer>({ answer: 'Closest' }, { answer: 'Weighted', weights: [1, 2] }, { check: { port: 1 } }),
    );
    fc.assert(
      fc.property(type, answers, (type, answer) => {
        const addresses = lists[type];
        const backup = type === 'A' ? ['192.0.2.99'] : ['2001:db8::99'];
        expect(answeredBy(luaContent(type, addresses, { ...answer, backup }))).toEqual({ type, addresses });
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['A ";return {}"', 'A "192.0.2.1"', '', 'TXT ";local u={\'192.0.2.1\'} return u"'])(
    'a record of somebody else has none: %s',
    (content) => {
      expect(answeredBy(content)).toBeUndefined();
    },
  );
});
