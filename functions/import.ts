/**
 * Prints a zone file as an item of an InternalDNS's `spec.zones`: `node functions/import.ts FILE ZONE`.
 * FILE may be `-`, standard input: `dig @old axfr corp.internal | node functions/import.ts - corp.internal`.
 * What no InternalDNS could declare is left out, and named on standard error, as is what comes out otherwise than it
 * stands there. Ends with 1, and prints nothing but what is wrong, if any of it cannot be read.
 */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { isAddress } from './dns/apex.ts';
import { parseName } from './dns/domain-name.ts';
import { withoutGlue } from './dns/glue.ts';
import { absolute, withoutDot } from './dns/name.ts';
import type { Entry } from './dns/rrset.ts';
import { parseZoneFile, type ZoneFile } from './dns/zone-file.ts';
import { recordsOf } from './import/records.ts';
import { type Settings, settingsOf } from './import/settings.ts';

/** More are tedious in a composite, and Kubernetes refuses objects of more than 1.5 MiB. */
const mostRecords = 1000;

/** What is wrong, a line each. */
class Refusal extends Error {
  readonly lines: string[];

  constructor(...lines: string[]) {
    super(lines[0]);
    this.lines = lines;
  }
}

function importZone(text: string, zone: string): { yaml: string; notes: string[] } {
  const file = parseZoneFile(text, { name: zone });
  const wrong = faultsOf(text, file, zone);
  if (wrong.length > 0) throw new Refusal(...wrong);
  const settings = settingsOf(file, withoutDot(zone));
  const { kept, notes } = recordsOf(file.entries, settings.kept);
  const declared = { ...settings.kept, records: kept.records };
  return {
    // Kubernetes reads YAML 1.1, where a name such as `no` is a boolean if nothing quotes it.
    yaml: stringify([declared], { version: '1.1', lineWidth: 0 }),
    notes: [
      ...skippedNotes(file),
      ...settings.notes,
      ...serverNotes(kept.entries, settings.kept),
      ...withoutGlue(zone, kept.entries.map(asRRset)),
      ...notes,
      ...sizeNotes(kept.records.length),
    ],
  };
}

function faultsOf(text: string, { entries, faults, nameServers, soa }: ZoneFile, zone: string): string[] {
  // A transfer that breaks off looks like a smaller zone.
  if (text.includes('; <<>> DiG') && !text.includes(';; XFR size:')) return ['dig did not get the whole zone'];
  if (faults.length > 0) return faults.map(({ at, message }) => `${at}: ${message}`);
  const isEmpty = entries.length === 0 && nameServers.length === 0 && !soa;
  return isEmpty ? [`no record of ${withoutDot(zone)} in it`] : [];
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

const asRRset = ({ name, type, content }: Entry) => ({ name, type, records: [content] });

function sizeNotes(count: number): string[] {
  if (count <= mostRecords) return [];
  return [`${count} records: put the file into a ConfigMap and name it in recordsFrom instead`];
}

async function read(file: string): Promise<string> {
  const bytes = await (file === '-' ? buffer(process.stdin) : readFile(file));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('not UTF-8: save it so');
  }
}

async function main([file, zone]: string[]): Promise<void> {
  if (!file || !zone) throw new Refusal('no FILE or no ZONE, such as corp.zone corp.internal (- is standard input)');
  const { yaml, notes } = importZone(await read(file), parseName(zone, '.'));
  for (const note of notes) process.stderr.write(`${note}\n`);
  process.stdout.write(yaml);
}

const file = process.argv[2] === '-' ? 'standard input' : (process.argv[2] ?? 'a zone');
await main(process.argv.slice(2)).catch((error: Error) => {
  const lines = error instanceof Refusal ? error.lines : [error.message];
  for (const line of lines) process.stderr.write(`cannot import ${file}: ${line}\n`);
  process.exitCode = 1;
});
