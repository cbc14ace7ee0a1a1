import type { ZoneFileRef } from '../../contract/declaration.ts';
import type { Entry, ZoneIssue } from '../../dns/zone/rrset.ts';
import { parseZoneFile } from '../../dns/zone-file/zone-file.ts';

/** A zone file's text, or why it cannot be read. */
export type ZoneFileState = { text: string; failure?: undefined } | { text?: undefined; failure: string };

/** By name. A file that has not been looked up yet is not in it. */
export type ZoneFiles = ReadonlyMap<string, ZoneFileState>;

/** The name in messages, and in the marks of its records. */
export const nameOf = ({ configMap, key }: ZoneFileRef) => `ConfigMap ${configMap}, key ${key}`;

/** Parses a zone file, and rejects record types that only the composite may declare. */
export function entriesOfFile(
  text: string,
  { budget, ...zone }: { name: string; isSigned: boolean; budget?: number },
): { entries: Entry[]; issues: ZoneIssue[] } {
  const { entries, issues } = parseZoneFile(text, { ...zone, ...(budget !== undefined && { recordBudget: budget }) });
  const misplaced = entries.flatMap(({ type, at }) => {
    const message = whyNotInFile(type, zone.isSigned);
    return message === undefined ? [] : [{ at, message }];
  });
  return { entries, issues: [...issues, ...misplaced] };
}

function whyNotInFile(type: string, isSigned: boolean): string | undefined {
  // It changes PowerDNS's configuration, which is rendered from the composite alone.
  if (type === 'DNAME') return 'DNAME is declared in zones[].records: PowerDNS has to know of it at its start';
  // https://doc.powerdns.com/authoritative/guides/alias.html#alias-and-dnssec
  return type === 'ALIAS' && isSigned ? 'the addresses that an ALIAS stands for cannot be signed' : undefined;
}
