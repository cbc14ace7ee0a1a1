import { absolute, withoutDot } from '../dns/name.ts';
import { isAddress } from '../dns/zone/apex.ts';
import { withoutGlue } from '../dns/zone/glue.ts';
import type { Entry } from '../dns/zone/rrset.ts';
import { parseZoneFile, type ZoneFile, type ZoneFileFault } from '../dns/zone-file/zone-file.ts';
import { recordsOf } from './records.ts';
import { type Settings, settingsOf } from './settings.ts';
import { leftOut, type Sifted } from './skipped.ts';
import { yamlOf } from './yaml.ts';

/** More are tedious in a composite, and Kubernetes refuses objects of more than 1.5 MiB. */
const mostRecords = 1000;

/** What is wrong, a line each. */
export class ImportError extends Error {
  readonly lines: string[];

  constructor(...lines: string[]) {
    super(lines[0]);
    this.lines = lines;
  }
}

/**
 * A zone file as an item of `spec.zones`, and a line for people for whatever is left out or comes out otherwise.
 * Throws a Refusal if it may not be the whole of the zone, or has nothing of it.
 */
export function importZone(text: string, zone: string): { yaml: string; notes: string[] } {
  const file = parseZoneFile(text, { name: zone }, { mostFaults: Number.POSITIVE_INFINITY });
  const faults = file.faults.map(faultNote);
  const why = whyNot(text, file, zone);
  if (why !== undefined) throw new ImportError(...faults, why);
  const settings = settingsOf(file, withoutDot(zone));
  const own = withoutChildren(file);
  const { kept, notes } = recordsOf(own.kept, settings.kept);
  return {
    yaml: yamlOf([{ ...settings.kept, records: kept.records }]),
    notes: [
      ...skippedNotes(file),
      ...faults,
      ...file.readings.map(({ at, message }) => `${at}: ${message}`),
      ...own.notes,
      ...settings.notes,
      ...serverNotes(kept.entries, settings.kept),
      ...notes,
      ...delegationNotes(zone, kept.entries),
      ...sizeNotes(kept.records.length),
    ],
  };
}

function whyNot(text: string, file: ZoneFile, zone: string): string | undefined {
  const { entries, nameServers, soa, openAt } = file;
  if (openAt)
    return `${openAt}: a parenthesis is opened and never closed, so the rest of the file is part of that line`;
  if (isBrokenOff(text, file)) {
    return 'dig did not get the whole zone: it ends without the SOA that it began with';
  }
  const isEmpty = entries.length === 0 && nameServers.length === 0 && !soa;
  return isEmpty ? `no record of ${withoutDot(zone)} in it` : undefined;
}

/** A transfer that breaks off looks like a smaller zone. kdig begins one with `AXFR for`. */
const isBrokenOff = (text: string, { endsWithSOA }: ZoneFile) =>
  /^(?:; <<>> DiG|;; AXFR for )/m.test(text) && !/^;; XFR size:/m.test(text) && !endsWithSOA;

function faultNote({ at, name, type, message }: ZoneFileFault): string {
  const record = [...(name === undefined ? [] : [withoutDot(name)]), ...(type === undefined ? [] : [type])];
  return leftOut(record.length === 0 ? at : `${at} (${record.join(' ')})`, message);
}

/** The NS beside the SOA of a zone below are that zone's own, and delegate nothing. */
function withoutChildren({ entries, faults }: ZoneFile): Sifted<Entry[]> {
  const children = new Map(faults.flatMap(({ type, name, at }) => (type === 'SOA' && name ? [[name, at]] : [])));
  const isServer = ({ name, type }: Entry) => type === 'NS' && children.has(name);
  const notes = entries.filter(isServer).map(({ name, at }) => {
    const zone = withoutDot(name);
    return leftOut(`${at} (${zone} NS)`, `${zone} is a zone of its own (${children.get(name)}): import it as one`);
  });
  return { kept: entries.filter((entry) => !isServer(entry)), notes };
}

function skippedNotes({ skipped }: ZoneFile): string[] {
  const counts = Object.entries(skipped).map(([type, count]) => `${count} ${type}`);
  return counts.length > 0 ? [`left out, since PowerDNS makes its own: ${counts.join(', ')}`] : [];
}

/** The addresses of the servers that are left behind would go on leading there. */
function serverNotes(entries: Entry[], { nameServers = [] }: Settings): string[] {
  const servers = new Set(nameServers.map(absolute));
  const addressed = entries.filter(({ name, type }) => isAddress(type) && servers.has(name));
  return [...new Set(addressed.map(({ name }) => withoutDot(name)))].map(
    (name) => `${name} is a server of the zone: without its addresses here it gets those of the DNS Service`,
  );
}

function delegationNotes(zone: string, entries: Entry[]): string[] {
  const rrsets = Map.groupBy(entries, ({ name, type }) => `${name} ${type}`).values();
  return withoutGlue(
    zone,
    [...rrsets].map((same) => ({ ...(same[0] as Entry), records: same.map(({ content }) => content) })),
  );
}

function sizeNotes(count: number): string[] {
  if (count <= mostRecords) return [];
  return [`${count} records: put the file into a ConfigMap and name it in recordsFrom instead`];
}
