import { undeniable } from '../dns/answer.ts';
import { absolute } from '../dns/name.ts';
import { soaIssues } from '../dns/rdata/soa.ts';
import { type DeclaredRecord, entriesOfRecords } from '../dns/record.ts';
import type { ZoneSettings } from '../dns/zone/apex.ts';
import type { Entry, ZoneIssue } from '../dns/zone/rrset.ts';
import { validateZone, zoneContext } from '../dns/zone/validate-zone.ts';
import type { DeclaredZone, ZoneFileRef } from './declaration.ts';
import { type FilledRecord, filledRecords } from './template.ts';
import type { ZoneFields } from './zone-schema.ts';

/** The name servers of a zone that names none, if each replica has a Service: ns1, and one for each further replica. */
export const serverNames = (zone: string, replicas: number): string[] =>
  Array.from({ length: replicas }, (_, ordinal) => `ns${ordinal + 1}.${zone}`);

/** Used in place of the addresses that a DNS Service will get. No host has them (RFC 1112 section 4, RFC 6666). */
const provisionalAddresses = ['240.0.0.53', '100::53'];

/** The parsed records of a zone, and the issues that each has by itself. */
export interface ParsedZone {
  /** Without placeholders, and without what waits for an address. */
  records: DeclaredRecord[];
  filled: FilledRecord[];
  entries: Entry[];
  issues: ZoneIssue[];
}

type Zone = Pick<ZoneFields, 'name' | 'records'>;

/** @param addresses those of the advertised Service; without any, issues are found all the same */
export function parseZone({ name, records }: Zone, composite: string, addresses: string[]): ParsedZone {
  const filledWith = (addresses: string[]) => filledRecords(records, { composite, zone: name, addresses });
  const isWaiting = addresses.length === 0;
  const { filled, issues } = filledWith(isWaiting ? provisionalAddresses : addresses);
  const all = filled.map(({ record }) => record);
  const { entries, issues: malformed } = entriesOfRecords(all, absolute(name));
  return {
    records: isWaiting ? filledWith([]).filled.map(({ record }) => record) : all,
    filled,
    entries,
    issues: [...issues, ...malformed.map((issue) => asWritten(issue, filled))],
  };
}

/**
 * The issues of a zone, except for loops across several zones.
 * @param zones all zones of the instance
 * @param isPartial whether the zone may have names beyond its records
 */
export function zoneIssues(
  zone: ZoneFields,
  { filled, entries, issues }: ParsedZone,
  zones: ZoneSettings[],
  isPartial: boolean,
): ZoneIssue[] {
  const conflicting = validateZone({ ...zoneContext(zone, zones), isPartial }, entries).issues;
  return [
    ...(zone.soa ? soaIssues(zone.soa) : []),
    ...issues,
    ...conflicting.map((issue) => asWritten(issue, filled)),
    ...signingIssues(zone),
  ];
}

/**
 * Converts the locations in an issue from filled to written records: a placeholder can stand for several values or
 * none.
 */
export function asWritten({ at, message }: ZoneIssue, filled: FilledRecord[]): ZoneIssue {
  const written = (text: string) =>
    text.replace(/\brecords\[(\d+)\](?:\.values\[(\d+)\])?/g, (found, record: string, value?: string) => {
      const { index, positions } = filled[Number(record)] ?? {};
      if (index === undefined) return found;
      return value === undefined ? `records[${index}]` : `records[${index}].values[${positions?.[Number(value)]}]`;
    });
  return { at: written(at), message: written(message) };
}

function signingIssues({ dnssec, records }: ZoneFields): ZoneIssue[] {
  if ((dnssec?.mode ?? 'Off') === 'Off') return [];
  return records.flatMap(({ type, whenAllDown }, index) => [
    ...(type === 'ALIAS' ? [{ at: `records[${index}].type`, message: unsignedAlias }] : []),
    ...(whenAllDown === 'None' ? [{ at: `records[${index}].whenAllDown`, message: undeniable }] : []),
  ]);
}

/** https://doc.powerdns.com/authoritative/guides/alias.html#alias-and-dnssec */
const unsignedAlias = 'the addresses that an ALIAS stands for cannot be signed: declare A and AAAA instead';

/**
 * A zone as it is served.
 * @param records without placeholders
 * @param ds the DS records that it has been published with
 */
export function declaredZone(
  { name, nameServers, soa, defaultTTL, dnssec }: ZoneFields,
  { records, files = [], ds }: { records: DeclaredRecord[]; files?: ZoneFileRef[]; ds: string[] },
): DeclaredZone {
  return {
    name,
    nameServers,
    ...(soa && { soa }),
    ...(defaultTTL !== undefined && { defaultTTL }),
    ...(records.length > 0 && { records }),
    ...(files.length > 0 && { recordsFrom: files }),
    ...(dnssec && dnssec.mode !== 'Off' && { dnssec: { ...dnssec, mode: dnssec.mode, ds } }),
  };
}
