import { isIPv4, isIPv6 } from 'node:net';
import { contentsOf } from './endpoint.ts';

/** Whether records of a type are what an object is found at: its addresses, or the name that has them. */
export const isTargetType = (type: string) => type === 'A' || type === 'AAAA' || type === 'CNAME';

/** The type of the record that a target makes. */
export function typeOf(target: string): 'A' | 'AAAA' | 'CNAME' {
  if (isIPv4(target)) return 'A';
  return isIPv6(target) ? 'AAAA' : 'CNAME';
}

/** Targets as the contents of records, by their types. */
export const targetsByType = (targets: readonly string[]): ReadonlyMap<string, string[]> =>
  new Map(
    Map.groupBy(targets, typeOf)
      .entries()
      .map(([type, ofType]) => [type, contentsOf(type, ofType)]),
  );
