import * as z from 'zod';
import type { ZoneIssue } from '../zone/rrset.ts';
import { parseName } from './domain-name.ts';

// RFC 1035 section 3.3.13: 32 bits each; RFC 2308 section 4 bounds what a negative answer is cached for.
const seconds = (least: number, most: number) => z.int().min(least).max(most).optional();

// A client that asks too early is told so for `minimum` (RFC 2308 section 4). Less would spare CoreDNS nothing, which caches
// a negative answer for 5 seconds at least: https://coredns.io/plugins/cache/ (MINTTL). What it costs: docs/measures.md.
const defaults = { refresh: 3600, retry: 600, expire: 604800, minimum: 5 };

/** The configurable fields of a SOA record; PowerDNS increments the serial. */
export const soa = z.object({
  mname: z.string().min(1).max(253).optional().describe('Primary name server. Defaults to the first name server.'),
  rname: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe(
      'Mailbox of the person responsible for the zone, as an email address or a domain name. Defaults to hostmaster in the zone.',
    ),
  refresh: seconds(1, 2147483647).describe(
    `Seconds after which a secondary checks for changes. Defaults to ${defaults.refresh}.`,
  ),
  retry: seconds(1, 2147483647).describe(
    `Seconds after which a secondary retries a failed check. Defaults to ${defaults.retry}.`,
  ),
  expire: seconds(1, 2147483647).describe(
    `Seconds after which a secondary without contact stops serving the zone. Defaults to ${defaults.expire}.`,
  ),
  minimum: seconds(0, 86400).describe(
    `Seconds for which resolvers cache that a name does not exist, and so how long a client that asks too early has to wait for it. Each resolver asks again for an absent name after so many seconds. Defaults to ${defaults.minimum}.`,
  ),
});

export type SOA = z.output<typeof soa>;

/** The content of a zone's SOA record, with the serial 0, which PowerDNS replaces. Names are fully qualified. */
export function soaContent(zone: string, primary: string, chosen: SOA = {}): string {
  const { refresh, retry, expire, minimum } = { ...defaults, ...chosen };
  const mname = chosen.mname === undefined ? primary : hostOf(chosen.mname);
  const rname = chosen.rname === undefined ? `hostmaster.${zone}` : mailboxOf(chosen.rname);
  return `${mname} ${rname} 0 ${refresh} ${retry} ${expire} ${minimum}`;
}

export function soaIssues(chosen: SOA): ZoneIssue[] {
  const check = (at: string, work: () => void): ZoneIssue[] => {
    try {
      work();
      return [];
    } catch (error) {
      return [{ at, message: (error as Error).message }];
    }
  };
  const { mname, rname } = chosen;
  return [
    ...(mname === undefined ? [] : check('soa.mname', () => hostOf(mname))),
    ...(rname === undefined ? [] : check('soa.rname', () => mailboxOf(rname))),
  ];
}

/** Names in the composite have no trailing dot, and are never relative. */
const hostOf = (name: string) => parseName(name, '.');

/** Converts a mail address to a name: dots before the @ are escaped (RFC 1035 section 8). */
function mailboxOf(text: string): string {
  const at = text.lastIndexOf('@');
  if (at < 0) return hostOf(text);
  if (at === 0 || at === text.length - 1) throw new Error(`not a mailbox: ${text}`);
  return hostOf(`${text.slice(0, at).replaceAll('.', '\\.')}.${text.slice(at + 1)}`);
}
