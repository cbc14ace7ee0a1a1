import { isIPv4, isIPv6 } from 'node:net';
import { contentsOf } from './endpoint.ts';

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
