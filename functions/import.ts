/**
 * Prints a zone file as an item of an InternalDNS's `spec.zones`: `node functions/import.ts FILE ZONE`.
 * FILE may be `-`, standard input: `dig @old axfr corp.internal | node functions/import.ts - corp.internal`.
 * Ends with 1, and prints nothing but what is wrong, if any of it cannot be declared.
 */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { isAddress } from './dns/apex.ts';
import { parseName } from './dns/domain-name.ts';
import { withoutDot } from './dns/name.ts';
import type { Entry } from './dns/rrset.ts';
import { parseZoneFile, type ZoneFile } from './dns/zone-file.ts';

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
  const rrsets = [...Map.groupBy(file.entries, ({ name, type }) => `${name} ${type}`).values()];
  const declared = {
    name: withoutDot(zone),
    ...(file.nameServers.length > 0 && { nameServers: distinct(file.nameServers.map(({ name }) => withoutDot(name))) }),
    ...(file.soa && { soa: soaOf(file.soa) }),
    ...(file.defaultTTL !== undefined && { defaultTTL: file.defaultTTL }),
    records: rrsets.map((entries) => recordOf(entries, zone, file.defaultTTL)),
  };
  // Kubernetes reads YAML 1.1, where a name such as `no` is a boolean if nothing quotes it.
  const yaml = stringify([declared], { version: '1.1', lineWidth: 0 });
  return {
    yaml,
    notes: [...skippedNotes(file), ...serverNotes(file), ...rrsets.flatMap(ttlNotes), ...sizeNotes(rrsets.length)],
  };
}

function faultsOf(text: string, { entries, faults, nameServers, soa }: ZoneFile, zone: string): string[] {
  // A transfer that breaks off looks like a smaller zone.
  if (text.includes('; <<>> DiG') && !text.includes(';; XFR size:')) return ['dig did not get the whole zone'];
  if (faults.length > 0) return faults.map(({ at, message }) => `${at}: ${message}`);
  const isEmpty = entries.length === 0 && nameServers.length === 0 && !soa;
  return isEmpty ? [`no record of ${withoutDot(zone)} in it`] : [];
}

function soaOf({ at: _, mname, rname, ...times }: NonNullable<ZoneFile['soa']>) {
  return { mname: withoutDot(mname), rname: withoutDot(rname), ...times };
}

function recordOf(entries: Entry[], zone: string, defaultTTL: number | undefined) {
  const { name, type } = entries[0] as Entry;
  const ttl = ttlsOf(entries)[0];
  return {
    name: relativeName(name, zone),
    type,
    ...(ttl !== undefined && ttl !== defaultTTL && { ttl }),
    values: distinct(entries.map(({ content }) => content)),
  };
}

/** A name that would be read as another without its dot stays absolute, such as www.corp.internal.corp.internal. */
function relativeName(name: string, zone: string): string {
  if (name === zone) return '@';
  const relative = name.slice(0, -zone.length - 1);
  return parseName(relative, zone) === name ? relative : name;
}

/** The smallest first. */
const ttlsOf = (entries: Entry[]) => distinct(entries.flatMap(({ ttl }) => ttl ?? [])).sort((a, b) => a - b);

const distinct = <T>(values: T[]) => [...new Set(values)];

function skippedNotes({ skipped }: ZoneFile): string[] {
  const counts = Object.entries(skipped).map(([type, count]) => `${count} ${type}`);
  return counts.length > 0 ? [`left out, since PowerDNS makes its own: ${counts.join(', ')}`] : [];
}

/** The addresses of the servers that are left behind would go on leading there. */
function serverNotes({ entries, nameServers }: ZoneFile): string[] {
  const servers = new Set(nameServers.map(({ name }) => name));
  const addressed = entries.filter(({ name, type }) => isAddress(type) && servers.has(name));
  return distinct(addressed.map(({ name }) => withoutDot(name))).map(
    (name) => `${name} is a server of the zone: without its addresses here it gets those of the DNS Service`,
  );
}

function ttlNotes(entries: Entry[]): string[] {
  const { name, type } = entries[0] as Entry;
  const [smallest, ...others] = ttlsOf(entries);
  if (others.length === 0) return [];
  return [
    `${withoutDot(name)} ${type} has the TTLs ${[smallest, ...others].join(', ')}: taken is ${smallest} (RFC 2181 section 5.2)`,
  ];
}

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
