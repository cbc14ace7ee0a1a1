import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseName, parseOwner } from '../../../functions/dns/rdata/domain-name.ts';
import { domainName, hostName } from './arbitraries.ts';

const origin = 'corp.internal.';
const label63 = 'a'.repeat(63);
/** 255 octets on the wire: 3 labels of 1+63 octets, one of 1+61, and the root. */
const longest = [label63, label63, label63, 'a'.repeat(61)].join('.');

describe('a name', () => {
  test.each([
    ['www', 'www.corp.internal.', 'is relative without a dot at the end (RFC 1035 section 5.1)'],
    ['www.example.com.', 'www.example.com.', 'is absolute with one'],
    ['www.example.com', 'www.example.com.corp.internal.', 'is relative, however many labels it has'],
    ['WWW.Example.COM.', 'www.example.com.', 'has no case (RFC 4343)'],
    ['@', 'corp.internal.', 'may be the origin'],
    ['.', '.', 'may be the root'],
    [' www\n', 'www.corp.internal.', 'loses the white space around it'],
    ['mail.corp.internal', 'mail.corp.internal.', 'is not made to end with the zone twice'],
    ['Corp.Internal', 'corp.internal.', 'may be the zone without its dot'],
    ['mail.xcorp.internal', 'mail.xcorp.internal.corp.internal.', 'ends with the zone only at a dot'],
    ['mail\\.corp.internal', 'mail\\.corp.internal.corp.internal.', 'ends with the zone only at a dot between labels'],
    ['mail\\\\.corp.internal', 'mail\\\\.corp.internal.', 'has a dot between labels after an escaped backslash'],
    ['a\\.', 'a\\..corp.internal.', 'does not end with an escaped dot'],
    ['a\\\\.', 'a\\\\.', 'ends with a dot after an escaped backslash'],
    ['A\\.b\\032C\\000\\255', 'a\\.b\\032c\\000\\255.corp.internal.', 'keeps the escapes that it needs'],
    ['\\087\\119w', 'www.corp.internal.', 'loses the escapes that it does not need'],
    ['\\@', '@.corp.internal.', 'may begin with an escaped @'],
    ['a\\(b\\)\\;\\$', 'a(b);$.corp.internal.', 'is printed as PowerDNS does it, which escapes no brackets'],
    ['_sip._tcp', '_sip._tcp.corp.internal.', 'may have underscores (RFC 8552)'],
    ['*', '*.corp.internal.', 'may be a wildcard (RFC 4592)'],
    ['0/25.2.0.192.in-addr.arpa.', '0/25.2.0.192.in-addr.arpa.', 'may have a slash (RFC 2317)'],
    ['bücher', 'xn--bcher-kva.corp.internal.', 'is in punycode (RFC 5891)'],
    ['BÜCHER.Straße.', 'xn--bcher-kva.xn--strae-oqa.', 'is mapped by UTS 46'],
    ['_dmarc.bücher.example.', '_dmarc.xn--bcher-kva.example.', 'is in punycode only where it must be'],
    ['例え。テスト.', 'xn--r8jz45g.xn--zckzah.', 'may be separated by an ideographic dot'],
    ['１.０', '1.0.corp.internal.', 'of wide digits is no address'],
    ['xn--bcher-kva.', 'xn--bcher-kva.', 'may be in punycode already'],
    [label63, `${label63}.corp.internal.`, 'has labels of 63 octets at most'],
    [`${longest}.`, `${longest}.`, 'has 255 octets at most'],
  ])('%s is %s: it %s', (text, name) => {
    expect(parseName(text, origin)).toBe(name);
  });

  test.each([
    ['', 'no domain name given'],
    [' ', 'no domain name given'],
    ['a..b', 'an empty label in a domain name: a..b.corp.internal.'],
    ['.a', 'an empty label in a domain name: .a.corp.internal.'],
    ['a..', 'an empty label in a domain name: a..'],
    ['..', 'an empty label in a domain name: ..'],
    ['\u00ad.', 'not a label of an international domain name: \u00ad'],
    ['a b', 'white space in a domain name: a b'],
    ['a\tb', 'white space in a domain name: a\tb'],
    ['"a"', 'a quote in a domain name: "a"'],
    ['a\\034', 'a quote in a domain name: a\\034'],
    ['a\\', 'not an escape: \\ (\\\\ is a backslash, \\DDD an octet by its decimal value)'],
    ['a\\256', 'not an escape: \\256 (\\\\ is a backslash, \\DDD an octet by its decimal value)'],
    ['a\\12', 'not an escape: \\1 (\\\\ is a backslash, \\DDD an octet by its decimal value)'],
    ['DOMAIN\\user', 'not an escape: \\u (\\\\ is a backslash, \\DDD an octet by its decimal value)'],
    ['ü b', 'white space in a domain name: ü b'],
    ['ü%41', 'not a label of an international domain name: ü%41'],
    ['ü/x', 'not a label of an international domain name: ü/x'],
    ['ü\\.x', 'not a label of an international domain name: ü\\.x'],
    ['xn--é', 'not a label of an international domain name: xn--é'],
    ['a＂b', 'not a label of an international domain name: a＂b'],
    [`${label63}a.`, `a label of more than 63 octets in a domain name: ${label63}a.`],
    [`${'ü'.repeat(63)}.`, /^a label of more than 63 octets in a domain name: xn--/],
    [`${longest}a.`, /^a domain name of more than 255 octets: a{63}\.a{16}…$/],
    [`${longest.slice(0, -13)}`, /^a domain name of more than 255 octets: /],
  ])('%s is refused: %s', (text, message) => {
    expect(() => parseName(text, origin)).toThrow(typeof message === 'string' ? new Error(message) : message);
  });

  test('is relative to the root without change', () => {
    expect(['www', 'www.', '@', 'ns1.Corp.Internal'].map((text) => parseName(text, '.'))).toEqual([
      'www.',
      'www.',
      '.',
      'ns1.corp.internal.',
    ]);
  });

  test('is the same when it is parsed again', () => {
    fc.assert(
      fc.property(domainName, (text) => {
        const name = parseName(text, origin);
        expect(parseName(name, origin)).toBe(name);
        expect(parseName(name, 'other.example.')).toBe(name);
      }),
    );
  });

  test('is determined by its octets, however they are escaped', () => {
    const ways = fc.constantFrom('plain', 'escaped', 'decimal');
    const octet = fc.tuple(
      fc.integer({ min: 0, max: 255 }).filter((value) => value !== 0x22),
      ways,
    );
    const labels = fc.array(fc.array(octet, { minLength: 1, maxLength: 63 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(labels, (given) => {
        const text = given.map((label) => label.map(([value, way]) => written(value, way)).join('')).join('.');
        const octets = given.reduce((sum, label) => sum + 1 + label.length, 1);
        if (octets > 255) {
          expect(() => parseName(`${text}.`, origin)).toThrow('more than 255 octets');
          return;
        }
        const name = given.map((label) => `${label.map(([value]) => printed(value)).join('')}.`).join('');
        expect(parseName(`${text}.`, origin)).toBe(name);
      }),
    );
  });
});

/** One octet of a label in one of the ways to write it. */
function written(value: number, way: string): string {
  const character = String.fromCharCode(value);
  if (way === 'plain' && /[a-z0-9!#-'*+,/:<-?_-]/i.test(character)) return character;
  if (way === 'escaped' && /[ !#-/:-@[-`{-~]/.test(character)) return `\\${character}`;
  return `\\${String(value).padStart(3, '0')}`;
}

/** One octet of a label as PowerDNS prints it: pdns/dnsname.cc, appendEscapedLabel. */
function printed(value: number): string {
  const character = String.fromCharCode(value).toLowerCase();
  if (character === '.' || character === '\\') return `\\${character}`;
  return value > 0x20 && value < 0x7f ? character : `\\${String(value).padStart(3, '0')}`;
}

describe('the name of a record', () => {
  test.each([
    ['@', 'corp.internal.'],
    ['www', 'www.corp.internal.'],
    ['*', '*.corp.internal.'],
    ['*.Dev', '*.dev.corp.internal.'],
    ['_sip._tcp', '_sip._tcp.corp.internal.'],
    ['bücher', 'xn--bcher-kva.corp.internal.'],
    ['1.0/25', '1.0/25.corp.internal.'],
    ['www.corp.internal', 'www.corp.internal.'],
    ['elsewhere.example.com.', 'elsewhere.example.com.'],
    ['-a-', '-a-.corp.internal.'],
  ])('%s is %s', (text, name) => {
    expect(parseOwner(text, origin)).toBe(name);
  });

  test.each([
    ['a\\.b', 'a\\.b.corp.internal.'],
    ['My\\032Printer', 'my\\032printer.corp.internal.'],
    ['a*', 'a*.corp.internal.'],
    ['a.*', 'a.*.corp.internal.'],
    ['*a', '*a.corp.internal.'],
    ['$ORIGIN', '$origin.corp.internal.'],
    ['a:b', 'a:b.corp.internal.'],
  ])('%s is refused, as PowerDNS does not accept it', (text, name) => {
    const right = 'letters, digits, _, - and / only, or * as first label';
    expect(() => parseOwner(text, origin)).toThrow(new Error(`not the name of a record: ${name} (${right})`));
  });

  test('may be any host name', () => {
    fc.assert(
      fc.property(hostName, (text) => {
        expect(parseOwner(text, origin)).toBe(parseName(text, origin));
      }),
    );
  });
});
