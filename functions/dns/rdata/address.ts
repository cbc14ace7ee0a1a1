import { isIPv4, isIPv6 } from 'node:net';
import { excerpt } from './field.ts';

/** Four decimal numbers (RFC 1035 section 3.4.1). Leading zeros are rejected: some parsers read them as octal. */
export function parseIPv4(text: string): string {
  if (isIPv4(text)) return text;
  throw new Error(`not an IPv4 address: ${excerpt(text)}`);
}

/** Canonicalizes as RFC 5952, and as inet_ntop where that differs: PowerDNS prints addresses with it. */
export function parseIPv6(text: string): string {
  if (text.includes('%')) throw new Error(`an address in DNS has no zone id: ${excerpt(text)}`);
  if (!isIPv6(text)) throw new Error(`not an IPv6 address: ${excerpt(text)}`);
  const compressed = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  return compressed.replace(embeddedIPv4, (_, prefix: string, high: string, low: string) => {
    const octets = Buffer.from(high.padStart(4, '0') + low.padStart(4, '0'), 'hex');
    return `${prefix}${octets.join('.')}`;
  });
}

/** IPv4-mapped and IPv4-compatible addresses (RFC 4291 section 2.5.5). */
const embeddedIPv4 = /^(::(?:ffff:)?)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;
