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

/** Stand for the addresses that a DNS Service will have: no host has them (RFC 1112 section 4, RFC 6666). */
const standIns = ['240.0.0.53', '100::53'];

/** PowerDNS has a thread for each check under way, and ends when it can have no more of them. */
const mostChecked = 1000;

const checkedIn = ({ zones }: Spec) =>
  zones
    .flatMap(({ records }) => records)
    .filter(({ check }) => check)
    .reduce((sum, { values, backup = [] }) => sum + values.length + backup.length, 0);

/** Each zone's records with the placeholders filled in, by the zone's name. Throws every fault of every zone. */
export function recordsOf(composite: string, spec: Spec, { addresses }: Endpoint): Map<string, DeclaredRecord[]> {
  // What is wrong is said before there is an address, too.
  const known = addresses.length > 0 ? addresses : standIns;
  const read = spec.zones.map((zone) => entriesOf(zone, composite, known));
  const within = spec.zones.flatMap((zone, index) => faultsOf(zone, read[index] as ReadZone, spec).map(inZone(index)));
  const names = spec.zones.map(({ name }) => absolute(name));
  for (const [name, other] of overlapsIn(names)) {
    within.push(`spec.zones[${names.indexOf(name)}].name: ${overlapIssue(other)}`);
  }
  // Of what is wrong within a zone nobody knows yet where it is to lead.
  const faults = within.length > 0 ? within : circlesIn(spec, read);
  const checked = checkedIn(spec);
  if (checked > mostChecked) {
    faults.push(`spec.zones: ${checked} addresses are checked, and PowerDNS manages ${mostChecked} in one instance`);
  }
  if (faults.length > 0) throw new SpecError(faults);
  const filled = (zone: SpecZone) => filledRecords(zone.records, { composite, zone: zone.name, addresses }).filled;
  return new Map(spec.zones.map((zone) => [zone.name, filled(zone).map(({ record }) => record)]));
}

/** What a zone's records come to, and what is wrong with them by themselves. */
interface ReadZone {
  filled: FilledRecord[];
  entries: Entry[];
  faults: ZoneIssue[];
}

function entriesOf(zone: SpecZone, composite: string, addresses: string[]): ReadZone {
  const { filled, faults } = filledRecords(zone.records, { composite, zone: zone.name, addresses });
  const { entries, issues: malformed } = entriesOfRecords(
    filled.map(({ record }) => record),
    absolute(zone.name),
  );
  return { filled, entries, faults: [...faults, ...malformed.map((fault) => asWritten(fault, filled))] };
}

function faultsOf(zone: SpecZone, { filled, entries, faults }: ReadZone, spec: Spec): ZoneIssue[] {
  const frame = { ...zoneContext(zone, spec.zones), isPartial: hasFiles(zone) };
  const misplaced = validateZone(frame, entries).issues;
  return [
    ...(zone.soa ? soaIssues(zone.soa) : []),
    ...faults,
    ...misplaced.map((fault) => asWritten(fault, filled)),
    ...unsignable(zone),
  ];
}

/** What is in a zone file may come between a wildcard and what it would answer for: the agent knows. */
const hasFiles = ({ recordsFrom }: SpecZone) => recordsFrom.length > 0;

/** Where the names of all zones together never lead to an end. */
function circlesIn({ zones }: Spec, read: ReadZone[]): string[] {
  const places = new Map(
    read.flatMap(({ entries, filled }, index) => entries.map((entry) => [entry, { index, filled }] as const)),
  );
  const faults = cnameLoopIssues(
    zones.map((zone, index) => ({
      name: absolute(zone.name),
      records: (read[index] as ReadZone).entries,
      isPartial: hasFiles(zone),
    })),
  );
  return [...faults].map(([entry, message]) => {
    const { index, filled } = places.get(entry) as { index: number; filled: FilledRecord[] };
    return inZone(index)(asWritten({ at: entry.at, message }, filled));
  });
}

const inZone =
  (index: number) =>
  ({ at, message }: ZoneIssue) =>
    `spec.zones[${index}].${at}: ${message}`;

/** A fault of filled records, in terms of what is written: a placeholder may stand for several values, or for none. */
function asWritten({ at, message }: ZoneIssue, filled: FilledRecord[]): ZoneIssue {
  const place = (text: string) =>
    text.replace(/\brecords\[(\d+)\](?:\.values\[(\d+)\])?/g, (found, record: string, value?: string) => {
      const { index, positions } = filled[Number(record)] ?? {};
      if (index === undefined) return found;
      return value === undefined ? `records[${index}]` : `records[${index}].values[${positions?.[Number(value)]}]`;
    });
  return { at: place(at), message: place(message) };
}

function unsignable({ dnssec, records }: SpecZone): ZoneIssue[] {
  if ((dnssec?.mode ?? 'Off') === 'Off') return [];
  return records.flatMap(({ type, whenAllDown }, index) => [
    ...(type === 'ALIAS' ? [{ at: `records[${index}].type`, message: unsignedAlias }] : []),
    ...(whenAllDown === 'None' ? [{ at: `records[${index}].whenAllDown`, message: undeniable }] : []),
  ]);
}

/** https://doc.powerdns.com/authoritative/guides/alias.html#alias-and-dnssec */
const unsignedAlias = 'the addresses that an ALIAS stands for cannot be signed: declare A and AAAA instead';

/** NSEC and NSEC3 list the types of a name whatever its checks say, and who validates takes an answer without for forged. */
const undeniable =
  'a signed zone cannot answer without the addresses that it says a name has (RFC 4035 section 5.4): use All or Backup';
