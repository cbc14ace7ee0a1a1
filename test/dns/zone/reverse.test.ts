import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isReverse,
  octetsOf,
  ptrLocation,
  rangeOf,
  reverseName,
  usualZone,
} from '../../../functions/dns/zone/reverse.ts';

const nibbles = (text: string) => `${[...text.replaceAll(' ', '')].reverse().join('.')}.ip6.arpa.`;

describe('an address is looked up by its name', () => {
  test.each([
    ['192.0.2.1', '1.2.0.192.in-addr.arpa.'],
    ['10.0.0.255', '255.0.0.10.in-addr.arpa.'],
    ['0.0.0.0', '0.0.0.0.in-addr.arpa.'],
    // The example of https://www.rfc-editor.org/rfc/rfc3596#section-2.5
    ['4321:0:1:2:3:4:567:89ab', 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa.'],
    ['2001:db8::1', nibbles('2001 0db8 0000 0000 0000 0000 0000 0001')],
    ['2001:DB8:0::1', nibbles('2001 0db8 0000 0000 0000 0000 0000 0001')],
    ['::', nibbles('0000 0000 0000 0000 0000 0000 0000 0000')],
    ['::1', nibbles('0000 0000 0000 0000 0000 0000 0000 0001')],
    ['fd00::', nibbles('fd00 0000 0000 0000 0000 0000 0000 0000')],
    ['1:2:3:4:5:6:7:8', nibbles('0001 0002 0003 0004 0005 0006 0007 0008')],
    ['1::3:4:5:6:7:8', nibbles('0001 0000 0003 0004 0005 0006 0007 0008')],
    ['::ffff:192.0.2.1', nibbles('0000 0000 0000 0000 0000 ffff c000 0201')],
    ['64:ff9b::192.0.2.33', nibbles('0064 ff9b 0000 0000 0000 0000 c000 0221')],
  ])('%s', (address, name) => {
    expect(reverseName(address)).toBe(name);
    expect(isReverse(name)).toBe(true);
  });

  test('and no other address by the same name', () => {
    const lookedUp = new Map<string, string>();
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = text.includes(':') ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : text;
        const name = reverseName(text);
        expect(name).toMatch(/^(\d{1,3}\.){4}in-addr\.arpa\.$|^([0-9a-f]\.){32}ip6\.arpa\.$/);
        expect(lookedUp.get(name) ?? address).toBe(address);
        lookedUp.set(name, address);
        expect(reverseName(address)).toBe(name);
      }),
    );
  });
});

test.each([
  ['192.0.2.1', '2.0.192.in-addr.arpa.'],
  ['10.1.2.3', '2.1.10.in-addr.arpa.'],
  ['2001:db8:1:2:3:4:5:6', '2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.'],
])('the usual zone of %s is %s', (address, zone) => {
  expect(usualZone(address)).toBe(zone);
  expect(ptrLocation(address, new Map([[zone, zone]]))?.zone).toBe(zone);
});

describe('a part of a /24 (RFC 2317)', () => {
  const network = '2.0.192.in-addr.arpa.';
  test.each([
    ['64/26', 64, 127],
    ['0/25', 0, 127],
    ['128/25', 128, 255],
    ['252/30', 252, 255],
    ['255/32', 255, 255],
    ['64-127', 64, 127],
    ['5-5', 5, 5],
    ['0-255', 0, 255],
    ['3-10', 3, 10],
  ])('%s is %i to %i', (label, first, last) => {
    const range = rangeOf(`${label}.${network}`);
    expect(range).toEqual({ first, last, network });
    const octets = octetsOf(range!);
    expect([octets[0], octets.at(-1), octets.length]).toEqual([`${first}`, `${last}`, last - first + 1]);
  });

  test.each([
    '65/26',
    '64/24',
    '64/33',
    '64/8',
    '256/32',
    '10-5',
    '200-256',
    '64',
    'x/26',
    '64/',
    '/26',
    '64/26/27',
    '64/26.2.0.192',
    '*',
  ])('%s is none', (label) => {
    expect(rangeOf(`${label}.${network}`)).toBeUndefined();
  });

  test.each([
    '64/26.0.192.in-addr.arpa.',
    '64/26.1.2.0.192.in-addr.arpa.',
    '64/26.corp.internal.',
    '64/26.8.b.d.0.ip6.arpa.',
  ])('%s is not below a /24', (name) => expect(rangeOf(name)).toBeUndefined());
});

describe('the PTR record of an address belongs', () => {
  const place = (address: string, ...zones: string[]) =>
    ptrLocation(address, new Map(zones.map((zone) => [`${zone}.`, zone])));
  const v4 = 'in-addr.arpa';

  test.each<[string, string[], string, string]>([
    ['192.0.2.1', [`2.0.192.${v4}`], `2.0.192.${v4}`, `1.2.0.192.${v4}.`],
    ['192.0.2.1', [`0.192.${v4}`], `0.192.${v4}`, `1.2.0.192.${v4}.`],
    ['192.0.2.1', [`192.${v4}`], `192.${v4}`, `1.2.0.192.${v4}.`],
    // The longest match has it.
    ['192.0.2.1', [`192.${v4}`, `2.0.192.${v4}`, `0.192.${v4}`], `2.0.192.${v4}`, `1.2.0.192.${v4}.`],
    ['192.0.3.1', [`192.${v4}`, `2.0.192.${v4}`], `192.${v4}`, `1.3.0.192.${v4}.`],
    // A part takes precedence over its /24, in either order.
    ['192.0.2.65', [`64/26.2.0.192.${v4}`], `64/26.2.0.192.${v4}`, `65.64/26.2.0.192.${v4}.`],
    ['192.0.2.65', [`2.0.192.${v4}`, `64/26.2.0.192.${v4}`], `64/26.2.0.192.${v4}`, `65.64/26.2.0.192.${v4}.`],
    ['192.0.2.64', [`64-127.2.0.192.${v4}`, `192.${v4}`], `64-127.2.0.192.${v4}`, `64.64-127.2.0.192.${v4}.`],
    ['192.0.2.127', [`64/26.2.0.192.${v4}`], `64/26.2.0.192.${v4}`, `127.64/26.2.0.192.${v4}.`],
    ['192.0.2.128', [`64/26.2.0.192.${v4}`, `2.0.192.${v4}`], `2.0.192.${v4}`, `128.2.0.192.${v4}.`],
    // The same octets in another network.
    ['192.0.3.65', [`64/26.2.0.192.${v4}`, `0.192.${v4}`], `0.192.${v4}`, `65.3.0.192.${v4}.`],
    ['2001:db8::1', ['8.b.d.0.1.0.0.2.ip6.arpa'], '8.b.d.0.1.0.0.2.ip6.arpa', reverseName('2001:db8::1')],
    ['2001:db8::1', ['2.ip6.arpa', '0.0.2.ip6.arpa'], '0.0.2.ip6.arpa', reverseName('2001:db8::1')],
  ])('%s with %j: in %s', (address, zones, zone, name) => {
    expect(place(address, ...zones)).toEqual({ zone, name });
  });

  test.each<[string, string[]]>([
    ['192.0.2.1', []],
    ['192.0.2.1', [`3.0.192.${v4}`, '8.b.d.0.1.0.0.2.ip6.arpa', 'corp.internal']],
    ['192.0.2.63', [`64/26.2.0.192.${v4}`]],
    ['192.0.2.12', [`2.2.0.192.${v4}`]],
    ['2001:db9::1', ['8.b.d.0.1.0.0.2.ip6.arpa', `2.0.192.${v4}`]],
  ])('%s with %j: nowhere', (address, zones) => {
    expect(place(address, ...zones)).toBeUndefined();
  });
});
