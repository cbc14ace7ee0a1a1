import { describe, expect, test } from 'vitest';
import { parseContent } from '../../../functions/dns/rdata/rdata.ts';
import { wire, wireZone } from './wire-format.ts';

const generic = (octets: string) => {
  const digits = octets.replaceAll(' ', '');
  return `\\# ${digits.length / 2} ${digits}`;
};

test.each(wire)('%s as octets (%s): %s', (type, _, text, octets) => {
  const zone = `${wireZone}.`;
  // A quoted list of protocols and an unquoted one are the same.
  expect(parseContent(type, generic(octets), zone)).toBe(parseContent(type, text, zone));
});

describe('octets that do not match the type are rejected', () => {
  test.each([
    ['A', '\\# 4 c00002', 'not "\\# length hexadecimal"'],
    ['A', '\\# 3 c00002', 'too few octets'],
    ['A', '\\# 5 c000020101', 'too many octets for A'],
    ['A', '\\# four c0000201', 'not "\\# length hexadecimal"'],
    ['A', '\\#', 'not "\\# length hexadecimal"'],
    ['CNAME', '\\# 2 c00c', 'a compressed name'],
    ['CNAME', '\\# 3 036162', 'too few octets'],
    ['TXT', '\\# 0', 'too few octets'],
    ['ALIAS', '\\# 1 00', 'ALIAS is specific to PowerDNS'],
  ] as const)('%s %s', (type, text, message) => {
    expect(() => parseContent(type, text, 'corp.internal.')).toThrow(message);
  });
});
