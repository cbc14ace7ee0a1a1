import { isIPv6 } from 'node:net';
import * as z from 'zod';
import { parseIPv6 } from '../../dns/rdata/address.ts';

/** The addresses of each zone's name servers. Zones are in lower case and without the trailing dot. */
export type Entries = ReadonlyMap<string, readonly string[]>;

/** Zones with their new addresses; null removes the entry. */
export type EntryChanges = ReadonlyMap<string, readonly string[] | null>;

/** Of an answer that nobody has checked: https://tailscale.com/api#tag/dns/GET/tailnet/{tailnet}/dns/split-dns */
export const entriesSchema = z
  .record(z.string().max(255), z.array(z.string().max(255)).max(256).nullable())
  .transform(
    (object): Entries =>
      new Map(
        Object.entries(object).map(([zone, addresses]) => [
          zone.toLowerCase().replace(/\.$/, ''),
          (addresses ?? []).map(canonical),
        ]),
      ),
  );

/** The one form of an IPv6 address in which two can be compared. Anything else stays as it is. */
export const canonical = (address: string): string =>
  isIPv6(address) && !address.includes('%') ? parseIPv6(address) : address;

export const objectOf = (entries: Entries | EntryChanges): Record<string, readonly string[] | null> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Reports whether the order is the only difference. */
export const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && new Set(a).symmetricDifference(new Set(b)).size === 0;
