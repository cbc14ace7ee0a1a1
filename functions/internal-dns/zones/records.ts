import { absolute } from '../../dns/name.ts';
import { soaIssues } from '../../dns/rdata/soa.ts';
import { type DeclaredRecord, entriesOfRecords } from '../../dns/record.ts';
import { cnameLoopIssues } from '../../dns/zone/cname-loops.ts';
import { overlapIssue, overlapsIn } from '../../dns/zone/reverse.ts';
import type { Entry, ZoneIssue } from '../../dns/zone/rrset.ts';
import { validateZone, zoneContext } from '../../dns/zone/validate-zone.ts';
import type { Endpoint } from '../server/service.ts';
import { type Spec, SpecError } from '../spec.ts';
import { type FilledRecord, filledRecords } from './template.ts';
import type { SpecZone } from './zone.ts';

/** Used in place of the addresses that a DNS Service will get. No host has them (RFC 1112 section 4, RFC 6666). */
const provisionalAddresses = ['240.0.0.53', '100::53'];

/** PowerDNS runs a thread for each check in progress, and exits if it cannot create another one. */
const maxChecks = 1000;

const checkCount = ({ zones }: Spec) =>
  zones
    .flatMap(({ records }) => records)
    .filter(({ check }) => check)
    .reduce((sum, { values, backup = [] }) => sum + values.length + backup.length, 0);

/**
 * The records of each zone with placeholders filled in, by zone name. Throws a SpecError with the issues of all zones.
 */
export function recordsOf(composite: string, spec: Spec, { addresses }: Endpoint): Map<string, DeclaredRecord[]> {
  // Issues are reported before the Service has an address, too.
  const substituted = addresses.length > 0 ? addresses : provisionalAddresses;
  const parsed = spec.zones.map((zone) => parseRecords(zone, composite, substituted));
  const within = spec.zones.flatMap((zone, index) =>
    issuesOf(zone, parsed[index] as ParsedZone, spec).map(inZone(index)),
  );
  const names = spec.zones.map(({ name }) => absolute(name));
  for (const [name, other] of overlapsIn(names)) {
    within.push(`spec.zones[${names.indexOf(name)}].name: ${overlapIssue(other)}`);
  }
  // Loops are looked for once all records are valid: an invalid one has no known target.
  const issues = within.length > 0 ? within : loopIssues(spec, parsed);
  const checks = checkCount(spec);
  if (checks > maxChecks) {
    issues.push(
      `spec.zones: ${checks} addresses are checked, but PowerDNS can run at most ${maxChecks} checks in an instance`,
    );
  }
  if (issues.length > 0) throw new SpecError(issues);
  const filled = (zone: SpecZone) => filledRecords(zone.records, { composite, zone: zone.name, addresses }).filled;
  return new Map(spec.zones.map((zone) => [zone.name, filled(zone).map(({ record }) => record)]));
}

/** The parsed records of a zone, and the issues that each has by itself. */
interface ParsedZone {
  filled: FilledRecord[];
  entries: Entry[];
  issues: ZoneIssue[];
}

function parseRecords(zone: SpecZone, composite: string, addresses: string[]): ParsedZone {
  const { filled, issues } = filledRecords(zone.records, { composite, zone: zone.name, addresses });
  const { entries, issues: malformed } = entriesOfRecords(
    filled.map(({ record }) => record),
    absolute(zone.name),
  );
  return { filled, entries, issues: [...issues, ...malformed.map((issue) => asWritten(issue, filled))] };
}

function issuesOf(zone: SpecZone, { filled, entries, issues }: ParsedZone, spec: Spec): ZoneIssue[] {
  const context = { ...zoneContext(zone, spec.zones), isPartial: hasFiles(zone) };
  const conflicting = validateZone(context, entries).issues;
  return [
    ...(zone.soa ? soaIssues(zone.soa) : []),
    ...issues,
    ...conflicting.map((issue) => asWritten(issue, filled)),
    ...signingIssues(zone),
  ];
}

/** Zone files can have names that keep a wildcard from answering. Only the agent reads them. */
const hasFiles = ({ recordsFrom }: SpecZone) => recordsFrom.length > 0;

/** The CNAME loops across all zones. */
function loopIssues({ zones }: Spec, parsed: ParsedZone[]): string[] {
  const origins = new Map(
    parsed.flatMap(({ entries, filled }, index) => entries.map((entry) => [entry, { index, filled }] as const)),
  );
  const issues = cnameLoopIssues(
    zones.map((zone, index) => ({
      name: absolute(zone.name),
      records: (parsed[index] as ParsedZone).entries,
      isPartial: hasFiles(zone),
    })),
  );
  return [...issues].map(([entry, message]) => {
    const { index, filled } = origins.get(entry) as { index: number; filled: FilledRecord[] };
    return inZone(index)(asWritten({ at: entry.at, message }, filled));
  });
}

const inZone =
  (index: number) =>
  ({ at, message }: ZoneIssue) =>
    `spec.zones[${index}].${at}: ${message}`;

/**
 * Converts the locations in an issue from filled to written records: a placeholder can stand for several values or
 * none.
 */
function asWritten({ at, message }: ZoneIssue, filled: FilledRecord[]): ZoneIssue {
  const written = (text: string) =>
    text.replace(/\brecords\[(\d+)\](?:\.values\[(\d+)\])?/g, (found, record: string, value?: string) => {
      const { index, positions } = filled[Number(record)] ?? {};
      if (index === undefined) return found;
      return value === undefined ? `records[${index}]` : `records[${index}].values[${positions?.[Number(value)]}]`;
    });
  return { at: written(at), message: written(message) };
}

function signingIssues({ dnssec, records }: SpecZone): ZoneIssue[] {
  if ((dnssec?.mode ?? 'Off') === 'Off') return [];
  return records.flatMap(({ type, whenAllDown }, index) => [
    ...(type === 'ALIAS' ? [{ at: `records[${index}].type`, message: unsignedAlias }] : []),
    ...(whenAllDown === 'None' ? [{ at: `records[${index}].whenAllDown`, message: undeniable }] : []),
  ]);
}

/** https://doc.powerdns.com/authoritative/guides/alias.html#alias-and-dnssec */
const unsignedAlias = 'the addresses that an ALIAS stands for cannot be signed: declare A and AAAA instead';

/**
 * NSEC and NSEC3 list a name's types regardless of its checks, so a validating resolver takes an empty answer for
 * forged.
 */
const undeniable =
  'a signed zone cannot answer without addresses whose type its NSEC records list (RFC 4035 section 5.4): use All or Backup';
