import { isIPv4, isIPv6 } from 'node:net';
import { discoverable } from '../../contract/declaration.ts';
import { parseIPv4 } from '../../dns/rdata/address.ts';
import { parseContent } from '../../dns/rdata/rdata.ts';

export type Discoverable = (typeof discoverable)[number];

export const isDiscoverable = (type: string): type is Discoverable =>
  (discoverable as readonly string[]).includes(type);

/** Whether records of a type lead to an object: its addresses, or a name that has them. */
export const isTargetType = (type: string) => type === 'A' || type === 'AAAA' || type === 'CNAME';

/** The record type of a target. */
export function typeOf(target: string): 'A' | 'AAAA' | 'CNAME' {
  if (isIPv4(target)) return 'A';
  return isIPv6(target) ? 'AAAA' : 'CNAME';
}

/** Targets as RDATA, by record type. */
export const targetsByType = (targets: readonly string[]): ReadonlyMap<string, string[]> =>
  new Map(
    Map.groupBy(targets, typeOf)
      .entries()
      .map(([type, ofType]) => [type, contentsOf(type, ofType)]),
  );

/**
 * A target as PowerDNS returns it. ExternalDNS writes names with and without the trailing dot, and means absolute ones:
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/docs/sources/mx-record.md
 * Throws an error that says what is wrong with it.
 */
export function parseTarget(type: Discoverable, target: string): string {
  if (type === 'A') return parseIPv4(target);
  // In a zone file `@` is the origin, and here is none: `0 @` would become a null MX.
  if (type !== 'TXT' && target.includes('@') && /(?:^|\s)@\s*$/.test(target)) {
    throw new Error(`not an absolute name: ${target}`);
  }
  return parseContent(type, target, '.');
}

/** A target as PowerDNS returns it, or unchanged if it is invalid. */
export function contentOf(type: string, target: string): string {
  // Most records. An invalid address is found by the checks.
  if (type === 'A' || !isDiscoverable(type)) return target;
  try {
    return parseTarget(type, target);
  } catch {
    return target;
  }
}

/** Longer than any name, even with every octet escaped. An annotation may hold a quarter of a million characters. */
const longestTarget = 2048;
/** Longer than any RDATA (RFC 1035 section 3.2.1), likewise. */
const longestText = 4 * 65535;

/** A target that is too long for its type, truncated for its message. */
export function briefly(type: string, target: string): string {
  // Before its type is known it may be a TXT.
  const longest = type === 'TXT' || type === '' ? longestText : longestTarget;
  return target.length > longest ? `${target.slice(0, 60)}…` : target;
}

/** Targets as RDATA in a fixed order, without duplicates. */
export function contentsOf(type: string, targets: readonly string[]): string[] {
  const contents = targets.map((target) => {
    const brief = briefly(type, target);
    return brief === target ? contentOf(type, target) : brief;
  });
  return contents.length > 1 ? [...new Set(contents)].sort() : contents;
}
