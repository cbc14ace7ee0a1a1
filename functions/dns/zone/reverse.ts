import { isIPv4 } from 'node:net';
import { withoutDot, zoneOf } from '../name.ts';

const v4 = '.in-addr.arpa.';
const v6 = '.ip6.arpa.';

/** The name of an address's PTR record: RFC 1035 section 3.5 and, in nibbles, RFC 3596 section 2.5. */
export function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}${v4}`;
  const nibbles = groupsOf(address).map((group) => group.toString(16).padStart(4, '0'));
  return `${[...nibbles.join('')].reverse().join('.')}${v6}`;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  // The URL parser also writes an embedded IPv4 address in hexadecimal.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [parse(head), parse(tail ?? '')];
  return tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
}

export const isReverse = (zone: string) => zone.endsWith(v4) || zone.endsWith(v6);

/** Names of addresses and networks, including parts of a /24 (RFC 2317) and wildcards, but not of services. */
const addressForm = /^(?:\*\.)?(?:[0-9a-f]+(?:[/-][0-9]+)?\.)+(?:in-addr|ip6)\.arpa\.$/;

/** The issue of a PTR record whose target was meant to be fully qualified, but has no trailing dot. */
export function ptrIssue(name: string, target: string, zone: string): string | undefined {
  if (!target.endsWith(`.${zone}`) || !addressForm.test(name)) return undefined;
  const meant = target.slice(0, -zone.length);
  return `relative to the zone it is ${withoutDot(target)}, which is not a host name: end it with a dot if ${meant} is meant`;
}

/** The zone to suggest for an address without one: the reverse zone of its /24 or /64. */
export function usualZone(address: string): string {
  const labels = reverseName(address).split('.');
  return labels.slice(isIPv4(address) ? 1 : 16).join('.');
}

/** A part of a /24, delegated as RFC 2317 describes. */
export interface Range {
  first: number;
  last: number;
}

/** Parses the range of a name such as `64/26` or `64-127` below the reverse zone of a /24. */
export function rangeOf(name: string): (Range & { network: string }) | undefined {
  const match = /^(\d{1,3})([/-])(\d{1,3})\.(\d{1,3}\.\d{1,3}\.\d{1,3}\.in-addr\.arpa\.)$/.exec(name);
  if (!match) return undefined;
  const [, from, separator, to, network] = match as unknown as [string, string, string, string, string];
  const first = Number(from);
  const last = separator === '/' ? first + 2 ** (32 - Number(to)) - 1 : Number(to);
  const isRange = separator === '-' || (Number(to) > 24 && Number(to) <= 32 && first % 2 ** (32 - Number(to)) === 0);
  return isRange && first <= last && last <= 255 ? { first, last, network } : undefined;
}

/** The names of ranges that overlap an earlier one of the same /24, with the name of that one. */
export function overlapsIn(names: Iterable<string>): ReadonlyMap<string, string> {
  const overlaps = new Map<string, string>();
  const before: (Range & { name: string; network: string })[] = [];
  for (const name of new Set(names)) {
    const range = rangeOf(name);
    if (!range) continue;
    const other = before.find(
      ({ network, first, last }) => network === range.network && first <= range.last && range.first <= last,
    );
    if (other) overlaps.set(name, other.name);
    before.push({ ...range, name });
  }
  return overlaps;
}

/** The issue of a range that overlaps another one. */
export const overlapIssue = (other: string) =>
  `overlaps ${withoutDot(other)}: an address belongs to one part of a network (RFC 2317 section 4)`;

/** The last octets of a range's addresses, as labels. */
export const octetsOf = ({ first, last }: Range) =>
  Array.from({ length: last - first + 1 }, (_, index) => `${first + index}`);

/**
 * The owner name and zone of an address's PTR record: the zone of its range if there is one, or else the zone with the
 * longest matching name.
 */
export function ptrLocation<Z>(address: string, zones: ReadonlyMap<string, Z>): { name: string; zone: Z } | undefined {
  const name = reverseName(address);
  if (isIPv4(address)) {
    const [octet = ''] = name.split('.');
    const network = name.slice(octet.length + 1);
    for (const [zoneName, zone] of zones) {
      const range = zoneName.endsWith(`.${network}`) ? rangeOf(zoneName) : undefined;
      if (range && range.network === network && range.first <= Number(octet) && Number(octet) <= range.last) {
        return { name: `${octet}.${zoneName}`, zone };
      }
    }
  }
  const zone = zoneOf(name, zones);
  return zone === undefined ? undefined : { name, zone };
}
