import { absolute, withoutDot } from '../dns/name.ts';
import { isAddress } from '../dns/zone/apex.ts';
import { missingGlue } from '../dns/zone/glue.ts';
import type { Entry } from '../dns/zone/rrset.ts';
import { parseZoneFile, type ZoneFile, type ZoneFileIssue } from '../dns/zone-file/zone-file.ts';
import { type Imported, skippedNote } from './notes.ts';
import { recordsOf } from './records.ts';
import { type Settings, settingsOf } from './settings.ts';
import { yamlOf } from './yaml.ts';

/** More are hard to maintain in a composite, and Kubernetes rejects objects of more than 1.5 MiB. */
const maxRecords = 1000;

/** An import that failed as a whole, with a line for each reason. */
export class ImportError extends Error {
  readonly lines: string[];

  constructor(...lines: string[]) {
    super(lines[0]);
    this.lines = lines;
  }
}

/**
 * Converts a zone file to an item of `spec.zones`, with a note for everything that was skipped or changed.
 * Throws an ImportError if the file may be incomplete, or has no record of the zone.
 */
export function importZone(text: string, zone: string): { yaml: string; notes: string[] } {
  const file = parseZoneFile(text, { name: zone }, { maxIssues: Number.POSITIVE_INFINITY });
  const skipped = file.issues.map(issueNote);
  const why = incompleteReason(text, file, zone);
  if (why !== undefined) throw new ImportError(...skipped, why);
  const settings = settingsOf(file, withoutDot(zone));
  const entriesOfZone = withoutChildZones(file);
  const { value: imported, notes } = recordsOf(entriesOfZone.value, settings.value);
  return {
    yaml: yamlOf([{ ...settings.value, records: imported.records }]),
    notes: [
      ...skippedNotes(file),
      ...skipped,
      ...file.warnings.map(({ at, message }) => `${at}: ${message}`),
      ...entriesOfZone.notes,
      ...settings.notes,
      ...serverNotes(imported.entries, settings.value),
      ...notes,
      ...delegationNotes(zone, imported.entries),
      ...sizeNotes(imported.records.length),
    ],
  };
}

function incompleteReason(text: string, file: ZoneFile, zone: string): string | undefined {
  const { entries, nameServers, soa, openAt } = file;
  if (openAt)
    return `${openAt}: a parenthesis is opened and never closed, so the rest of the file is part of that line`;
  if (isTruncated(text, file)) {
    return 'dig did not get the whole zone: its output does not end with the SOA, so repeat the transfer';
  }
  const isEmpty = entries.length === 0 && nameServers.length === 0 && !soa;
  return isEmpty ? `no record of ${withoutDot(zone)} in the file` : undefined;
}

/** An interrupted transfer looks like a smaller zone. kdig begins its output with `AXFR for`. */
const isTruncated = (text: string, { endsWithSOA }: ZoneFile) =>
  /^(?:; <<>> DiG|;; AXFR for )/m.test(text) && !/^;; XFR size:/m.test(text) && !endsWithSOA;

function issueNote({ at, name, type, message }: ZoneFileIssue): string {
  const record = [...(name === undefined ? [] : [withoutDot(name)]), ...(type === undefined ? [] : [type])];
  return skippedNote(record.length === 0 ? at : `${at} (${record.join(' ')})`, message);
}

/** NS records next to the SOA of a child zone belong to that zone's apex and are not a delegation. */
function withoutChildZones({ entries, issues: skipped }: ZoneFile): Imported<Entry[]> {
  const children = new Map(skipped.flatMap(({ type, name, at }) => (type === 'SOA' && name ? [[name, at]] : [])));
  const isServer = ({ name, type }: Entry) => type === 'NS' && children.has(name);
  const notes = entries.filter(isServer).map(({ name, at }) => {
    const zone = withoutDot(name);
    return skippedNote(
      `${at} (${zone} NS)`,
      `${zone} is a zone of its own (${children.get(name)}): import it separately`,
    );
  });
  return { value: entries.filter((entry) => !isServer(entry)), notes };
}

function skippedNotes({ skipped }: ZoneFile): string[] {
  const counts = Object.entries(skipped).map(([type, count]) => `${count} ${type}`);
  return counts.length > 0 ? [`skipped, since PowerDNS generates its own: ${counts.join(', ')}`] : [];
}

/** Warns about imported addresses of the zone's name servers: they still point to the old servers. */
function serverNotes(entries: Entry[], { nameServers = [] }: Settings): string[] {
  const servers = new Set(nameServers.map(absolute));
  const addressed = entries.filter(({ name, type }) => isAddress(type) && servers.has(name));
  return [...new Set(addressed.map(({ name }) => withoutDot(name)))].map(
    (name) => `${name} is a server of the zone: without its addresses here it gets those of the DNS Service`,
  );
}

function delegationNotes(zone: string, entries: Entry[]): string[] {
  const rrsets = Map.groupBy(entries, ({ name, type }) => `${name} ${type}`).values();
  return missingGlue(
    zone,
    [...rrsets].map((same) => ({ ...(same[0] as Entry), records: same.map(({ content }) => content) })),
  );
}

function sizeNotes(count: number): string[] {
  if (count <= maxRecords) return [];
  return [`${count} records: put the file into a ConfigMap and refer to it in recordsFrom instead`];
}
