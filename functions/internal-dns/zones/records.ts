import type { FilledRecord } from '../../contract/template.ts';
import { asWritten, type ParsedZone, parseZone, zoneIssues } from '../../contract/zone-records.ts';
import { maxChecks } from '../../dns/health-check.ts';
import { absolute } from '../../dns/name.ts';
import { checkCount, type DeclaredRecord } from '../../dns/record.ts';
import { cnameLoopIssues } from '../../dns/zone/cname-loops.ts';
import { overlapIssue, overlapsIn } from '../../dns/zone/reverse.ts';
import type { ZoneIssue } from '../../dns/zone/rrset.ts';
import { type Spec, SpecError } from '../spec.ts';
import type { SpecZone } from './zone.ts';

/**
 * The records of each zone with placeholders filled in, by zone name. `addresses` are those of the advertised Service.
 * Throws a SpecError with the issues of all zones.
 */
export function recordsOf(composite: string, spec: Spec, addresses: string[]): Map<string, DeclaredRecord[]> {
  const parsed = spec.zones.map((zone) => parseZone(zone, composite, addresses));
  const within = spec.zones.flatMap((zone, index) =>
    zoneIssues(zone, parsed[index] as ParsedZone, spec.zones, hasFiles(zone)).map(inZone(index)),
  );
  const names = spec.zones.map(({ name }) => absolute(name));
  for (const [name, other] of overlapsIn(names)) {
    within.push(`spec.zones[${names.indexOf(name)}].name: ${overlapIssue(other)}`);
  }
  // Loops are looked for once all records are valid: an invalid one has no known target.
  const issues = within.length > 0 ? within : loopIssues(spec, parsed);
  const checks = checkCount(spec.zones.flatMap((zone) => zone.records));
  if (checks > maxChecks) {
    issues.push(
      `spec.zones: ${checks} addresses are checked, but PowerDNS can run at most ${maxChecks} checks in an instance`,
    );
  }
  if (issues.length > 0) throw new SpecError(issues);
  return new Map(spec.zones.map(({ name }, index) => [name, (parsed[index] as ParsedZone).records]));
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
