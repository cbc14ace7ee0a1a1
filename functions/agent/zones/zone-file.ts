import type { ZoneFileRef } from '../../contract/declaration.ts';
import type { Entry, ZoneIssue } from '../../dns/zone/rrset.ts';
import { parseZoneFile } from '../../dns/zone-file/zone-file.ts';

/** A zone file as far as it could be had: its text, or why there is none. */
export type ZoneFileState = { text: string; failure?: undefined } | { text?: undefined; failure: string };

/** By their names; one that nothing is known of yet is not in it. */
export type ZoneFiles = ReadonlyMap<string, ZoneFileState>;

/** What people find it by, and its records are marked with. */
export const nameOf = ({ configMap, key }: ZoneFileRef) => `ConfigMap ${configMap}, key ${key}`;

/** The records of a zone file, as far as a file may declare them. */
export function entriesOfFile(
  text: string,
  zone: { name: string; isSigned: boolean; recordBudget?: number },
): { entries: Entry[]; issues: ZoneIssue[] } {
  const { entries, issues } = parseZoneFile(text, zone);
  const misplaced = entries.flatMap(({ type, at }) => {
    const message = whyNotInFile(type, zone.isSigned);
    return message === undefined ? [] : [{ at, message }];
  });
  return { entries, issues: [...issues, ...misplaced] };
}

function whyNotInFile(type: string, isSigned: boolean): string | undefined {
  // It changes PowerDNS's configuration, which is made of the composite alone.
  if (type === 'DNAME') return 'DNAME is declared in zones[].records: PowerDNS has to know of it at its start';
  // https://doc.powerdns.com/authoritative/guides/alias.html#alias-and-dnssec
  return type === 'ALIAS' && isSigned ? 'the addresses that an ALIAS stands for cannot be signed' : undefined;
}
