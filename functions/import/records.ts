import { absolute, withoutDot } from '../dns/name.ts';
import { parseName } from '../dns/rdata/domain-name.ts';
import { type DeclaredRecord, record as schema } from '../dns/record.ts';
import type { Entry, ZoneIssue } from '../dns/zone/rrset.ts';
import { validateZone, zoneContext } from '../dns/zone/validate-zone.ts';
import { type Imported, issueText, skippedNote } from './notes.ts';
import type { Settings } from './settings.ts';

/** The records of a zone file in the form of `spec.zones[].records`, an item for each RRset. */
export function recordsOf(
  entries: Entry[],
  settings: Settings,
): Imported<{ records: DeclaredRecord[]; entries: Entry[] }> {
  const rrsets = rrsetsOf(entries.map(withOwner)).map(withOneTTL);
  const allowed = rrsets.map(({ value }) => allowedBySchema(value, settings));
  const consistent = consistentOf(
    allowed.flatMap(({ value }) => value),
    settings,
  );
  const records = rrsetsOf(consistent.value).map((rrset) => recordOf(rrset, settings));
  const notes = [...allowed, consistent, ...rrsets].flatMap((part) => part.notes);
  return { value: { records, entries: consistent.value }, notes };
}

const rrsetsOf = (entries: Entry[]) => [...Map.groupBy(entries, ({ name, type }) => `${name} ${type}`).values()];

/** Adds owner and type to the location, as one line may generate many records. */
const withOwner = (entry: Entry): Entry => ({ ...entry, at: `${entry.at} (${withoutDot(entry.name)} ${entry.type})` });

/** Removes repeated values, and gives all the smallest TTL: no client may cache an RRset for longer. */
function withOneTTL(rrset: Entry[]): Imported<Entry[]> {
  const values = new Map(rrset.toReversed().map((entry) => [entry.content, entry]));
  const [ttl, ...others] = [...new Set(rrset.flatMap((entry) => entry.ttl ?? []))].sort((a, b) => a - b);
  const { name, type } = rrset[0] as Entry;
  const ttls = [ttl, ...others].join(', ');
  const note = `${withoutDot(name)} ${type} has the TTLs ${ttls}: using ${ttl} (RFC 2181 section 5.2)`;
  const value = rrset.filter((entry) => values.get(entry.content) === entry).map((entry) => ({ ...entry, ttl }));
  return { value, notes: others.length > 0 ? [note] : [] };
}

/** The values of an RRset that the schema accepts. Zone files of recordsFrom may contain more and longer ones. */
function allowedBySchema(rrset: Entry[], settings: Settings): Imported<Entry[]> {
  const issues = schema.safeParse(recordOf(rrset, settings)).error?.issues ?? [];
  const positions = new Map(
    issues.map((issue) => [issue.path[0] === 'values' ? issue.path[1] : undefined, issueText(issue)]),
  );
  const whole = positions.get(undefined);
  const why = (message: string) => `${message}; zone files of recordsFrom may have it`;
  if (whole !== undefined) return { value: [], notes: [skippedNote((rrset[0] as Entry).at, why(whole))] };
  const notes = rrset.flatMap(({ at }, position) => {
    const message = positions.get(position);
    return message === undefined ? [] : [skippedNote(at, why(message))];
  });
  return { value: rrset.filter((_, position) => !positions.has(position)), notes };
}

/**
 * The entries that are valid together. Removes one entry of each name at a time: without it, others at or below that
 * name may be valid.
 */
function consistentOf(entries: Entry[], { name, nameServers = [], defaultTTL }: Settings): Imported<Entry[]> {
  const context = zoneContext({ name, nameServers, defaultTTL }, [{ name, nameServers }]);
  const notes: string[] = [];
  for (let value = entries; ; ) {
    const owners = new Map(value.map((entry) => [entry.at, entry.name]));
    const ofOwners = Map.groupBy(validateZone(context, value).issues, ({ at }) => owners.get(at));
    const issues = [...ofOwners.values()].map(([first]) => first as ZoneIssue);
    if (issues.length === 0) return { value, notes };
    notes.push(...issues.map(({ at, message }) => skippedNote(at, message)));
    const places = new Set(issues.map(({ at }) => at));
    value = value.filter(({ at }) => !places.has(at));
  }
}

function recordOf(rrset: Entry[], { name: zone, defaultTTL }: Settings): DeclaredRecord {
  const { name, type, ttl } = rrset[0] as Entry;
  return {
    name: relativeName(name, absolute(zone)),
    type,
    ...(ttl !== undefined && ttl !== defaultTTL && { ttl }),
    values: rrset.map(({ content }) => withoutPlaceholder(content)),
  };
}

/** Names whose relative form means another name stay fully qualified, such as www.corp.internal.corp.internal. */
function relativeName(name: string, zone: string): string {
  if (name === zone) return '@';
  const relative = name.slice(0, -zone.length - 1);
  return parseName(relative, zone) === name ? relative : name;
}

/** Escapes braces as octet 123 (RFC 1035 section 5.1), so that they do not begin a placeholder such as {{xr.name}}. */
const withoutPlaceholder = (content: string) => content.replace(/\{(?=\{)/g, '\\123');
