import { absolute, isWithin, withoutDot } from '../dns/name.ts';
import { isReverse } from '../dns/zone/reverse.ts';

const range = (from: number, to: number, suffix: string) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}.${suffix}`);

/**
 * Zones that resolvers answer themselves, with nothing in them (RFC 6303):
 * https://www.iana.org/assignments/locally-served-dns-zones
 */
const locallyServed = [
  '10.in-addr.arpa',
  ...range(16, 31, '172.in-addr.arpa'),
  '168.192.in-addr.arpa',
  ...range(64, 127, '100.in-addr.arpa'),
  '254.169.in-addr.arpa',
  '2.0.192.in-addr.arpa',
  '100.51.198.in-addr.arpa',
  '113.0.203.in-addr.arpa',
  'd.f.ip6.arpa',
  '8.b.d.0.1.0.0.2.ip6.arpa',
  'home.arpa',
].map(absolute);

/** The zone that resolvers answer themselves, and a zone with it: `168.192.in-addr.arpa`. */
export function locallyServedAbove(zone: string): string | undefined {
  const above = locallyServed.find((each) => isWithin(absolute(zone), each));
  return above && withoutDot(above);
}

/** Whether it has the names of addresses. */
export const isReverseZone = (zone: string) => isReverse(absolute(zone));

/** Whether names in it have addresses, which a resolver may take for an attack if they are private ones. */
export const isForwardZone = (zone: string) => !isReverseZone(zone);
