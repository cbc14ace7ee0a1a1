/**
 * Imports every zone file of a folder, and compares what is printed with what BIND reads in it:
 * `node test/import/compare-with-bind.ts FOLDER` (needs named-compilezone of bind9-utils). What BIND has and an import has not, or
 * has otherwise, must have a line that says so; prints what has none, and ends with 1 if there is any.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { absolute, withoutDot } from '../../functions/dns/name.ts';
import { parseName } from '../../functions/dns/rdata/domain-name.ts';
import { zoneFileText } from '../../functions/dns/zone-file/text.ts';
import type { Settings } from '../../functions/import/settings.ts';
import { importZone } from '../../functions/import/zone.ts';

interface Imported extends Settings {
  records: { name: string; type: string; ttl?: number; values: string[] }[];
}

/** A record in the notation of BIND, without its TTL. */
type Record = string;

const folder = mkdtempSync(join(tmpdir(), 'compare-'));

interface Read {
  /** The TTL of each record. */
  records: ReadonlyMap<Record, number>;
  /** The text that they are parsed from. */
  text: Buffer;
}

/** Parses a zone with BIND, without the lines that it rejects. Undefined if it rejects the zone as a whole. */
function bind(zone: string, bytes: Buffer): Read | undefined {
  const servers = new Set<string>();
  let text = bytes;
  for (let round = 0; round < 30; round++) {
    const { stdout, stderr, status } = compiled(zone, text, servers);
    if (status === 0) {
      const records = recordsIn(stdout, servers);
      return [...records.keys()].some((record) => recordType(record) === 'SOA') ? { records, text } : undefined;
    }
    // BIND requires addresses of name servers in the zone.
    const missing = [...stderr.matchAll(/NS '(\S+)' has no address records/g)].map(([, name]) => name as string);
    const refused = [...stderr.matchAll(/zone:(\d+): (?!ignoring|using|no TTL|file does not end)/g)].map(([, line]) =>
      Number(line),
    );
    const next = without(text, refused);
    if (next.equals(text) && missing.every((name) => servers.has(name))) return undefined;
    for (const name of missing) servers.add(name);
    text = next;
  }
  return undefined;
}

function compiled(zone: string, text: Buffer, servers: ReadonlySet<string>) {
  const file = join(folder, 'zone');
  const addresses = [...servers].map((name) => `${name}. 1 IN A ${placeholder}\n`).join('');
  writeFileSync(file, addresses === '' ? text : Buffer.concat([text, Buffer.from(`\n${addresses}`)]));
  const lenient = ['-k', '-n', '-r', '-m', '-M', '-S', '-T', '-W'].flatMap((check) => [check, 'ignore']);
  const args = ['-i', 'none', ...lenient, '-s', 'full', '-o', '-', zone, file];
  return spawnSync('named-compilezone', args, { maxBuffer: 2 ** 28, encoding: 'latin1' });
}

/** Replaces lines by empty ones. */
function without(text: Buffer, lines: number[]): Buffer {
  const all = text.toString('latin1').split('\n');
  for (const line of lines) all[line - 1] = '';
  return Buffer.from(all.join('\n'), 'latin1');
}

const placeholder = '192.0.2.253';

function recordsIn(output: string, servers: ReadonlySet<string>): Map<Record, number> {
  const records = new Map<Record, number>();
  for (const line of output.split('\n')) {
    const [, name = '', ttl, type = '', rdata = ''] = /^(\S+)\s+(\d+)\s+IN\s+(\S+)\s*(.*)$/.exec(line) ?? [];
    if (name === '' || (rdata === placeholder && servers.has(name.slice(0, -1)))) continue;
    records.set(`${name.toLowerCase()} ${type} ${inLowerCase(rdata)}`, Number(ttl));
  }
  return records;
}

/** Names are case-insensitive, strings are not. */
const inLowerCase = (rdata: string) =>
  rdata.replace(/"(?:[^"\\]|\\.)*"|[^"]+/g, (part) => (part[0] === '"' ? part : part.toLowerCase()));

const recordType = (record: Record) => record.split(' ')[1] as string;

/** The zone file of an import, with the SOA of the original, as it has none. */
function zoneFileOf({ name, nameServers = [], defaultTTL = 60, records }: Imported, soa: string): string {
  const zone = absolute(name);
  const servers = nameServers.map((server) => `${zone} 60 IN NS ${absolute(server)}`);
  const lines = records.flatMap(({ name, type, ttl = defaultTTL, values }) =>
    values.filter(isKnown).map((value) => `${parseName(name, zone)} ${ttl} IN ${type} ${value}`),
  );
  return `${[soa, ...(servers.length > 0 ? servers : [`${zone} 60 IN NS ns.invalid.`]), ...lines].join('\n')}\n`;
}

/** BIND 9.18 does not know these types by name. */
const isKnown = (rdata: string) => !/\b(?:ohttp|tls-supported-groups|key[89])\b/.test(rdata);

const soaFields = ['mname', 'rname', 'serial', 'refresh', 'retry', 'expire', 'minimum'] as const;

function differences(zone: string, { records: expected, text }: Read): string[] {
  const soa = [...expected.keys()].find((record) => recordType(record) === 'SOA') as string;
  let result: ReturnType<typeof importZone>;
  try {
    result = importZone(zoneFileText(text), absolute(zone));
  } catch (error) {
    return [`refused: ${(error as Error).message}`];
  }
  const { yaml, notes } = result;
  const [declared] = parse(yaml, { version: '1.1' }) as [Imported];
  const actual = bind(zone, Buffer.from(zoneFileOf(declared, soa.replace(' ', ' 60 IN '))))?.records;
  if (!actual) return ['BIND refuses what is printed'];
  return [
    ...soaDifferences(soa, declared, notes),
    ...[...expected].flatMap(([record, ttl]) => {
      const type = recordType(record);
      if (type === 'SOA' || !isKnown(record) || isToldOf(record, zone, actual, notes)) return [];
      const other = actual.get(record);
      if (other === undefined) return [`lost: ${record}`];
      const isApex = type === 'NS' && record.startsWith(`${absolute(zone)} `);
      return isApex || other === ttl ? [] : [`TTL ${other} and not ${ttl}: ${record}`];
    }),
    ...[...actual.keys()].flatMap((record) => {
      if (expected.has(record) || recordType(record) === 'SOA' || record.endsWith(' NS ns.invalid.')) return [];
      return notes.some((note) => note.includes(' is read as ')) ? [] : [`made up: ${record}`];
    }),
  ];
}

function soaDifferences(soa: Record, declared: Imported, notes: string[]): string[] {
  const values = soa.split(' ').slice(2);
  return soaFields.flatMap((field, index) => {
    const isTold = notes.some((note) => note.includes(`soa.${field} `) || note.includes(' is read as '));
    if (field === 'serial' || isTold) return [];
    const value = String(declared.soa?.[field]);
    return value === withoutDot(values[index] ?? '') ? [] : [`soa.${field} ${value} and not ${values[index]}`];
  });
}

/** In the notation of an import, which has none for a name with a quote. */
function nameOf(owner: string): string {
  return owner.includes('"') ? owner : parseName(owner, '.');
}

function isToldOf(record: Record, zone: string, actual: ReadonlyMap<Record, number>, notes: string[]): boolean {
  const [owner = '', type = ''] = record.split(' ');
  const twice = `${absolute(zone)}${absolute(zone)}`;
  const whole = (text: string) => text.replaceAll(twice, absolute(zone));
  const names = [owner, whole(owner)].map((each) => withoutDot(nameOf(each)));
  const isNamed = (note: string) =>
    names.some((name) => note.includes(`(${name} ${type})`) || note.includes(`(${name} TYPE`)) ||
    note.startsWith(`${names[0]} ${type} has the TTLs`) ||
    (type === 'NS' && note.includes('(NS '));
  const isMade = (note: string) =>
    note.startsWith('skipped, since PowerDNS generates its own') && note.includes(` ${type}`);
  const isOfMany = (note: string) => /\$INCLUDE|after an invalid \$ORIGIN|a quote in a domain name/.test(note);
  if (notes.some((note) => isNamed(note) || isMade(note) || isOfMany(note))) return true;
  if (!notes.some((note) => note.includes(' is read as '))) return false;
  return record.includes('\\') || actual.has(whole(record));
}

/** The zone of a file: from the owner of its SOA, else from its names or its path. */
function zoneOfFile(path: string, text: string): string {
  const soa = /^(?:(\S+)[ \t]+)?(?:\d\w*[ \t]+)?(?:IN[ \t]+)?(?:\d\w*[ \t]+)?SOA[ \t(]/im.exec(text);
  const owner = soa?.[1] ?? '@';
  const before = text.slice(0, soa?.index ?? 0);
  const origin = [...before.matchAll(/^\$ORIGIN[ \t]+(\S+)/gim)].at(-1)?.[1];
  if (owner.endsWith('.')) return owner;
  const base = origin?.endsWith('.') ? origin : undefined;
  if (base) return owner === '@' ? base : `${owner}.${base}`.replace(/\.\.$/, '.');
  const stem = basename(path)
    .replace(/\.(?:db|zone|dns|axfr|in|master|signed|unsigned|orig|\d+)\b.*$/i, '')
    .replace(/^db\./, '');
  const absolutes = [...text.matchAll(/^([a-z0-9][a-z0-9.-]*\.)[ \t]/gim)].map(([, name]) => name as string);
  const common = absolutes.find((name) => absolutes.every((other) => other === name || other.endsWith(`.${name}`)));
  return common ?? (/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(stem) ? stem : 'example');
}

function main([root]: string[]): void {
  if (!root) throw new Error('which folder?');
  const counts = { files: 0, refused: 0, notImported: 0, records: 0, differences: 0 };
  for (const path of globSync('**/*', { cwd: root }).sort()) {
    const file = join(root, path);
    if (!statSync(file).isFile()) continue;
    counts.files++;
    const bytes = readFileSync(file);
    const zone = withoutDot(zoneOfFile(path, bytes.toString('latin1')).toLowerCase());
    const read = zone === '.' ? undefined : bind(zone, bytes);
    if (!read) {
      counts.refused++;
      continue;
    }
    counts.records += read.records.size;
    const differing = differences(zone, read);
    // A zone that is rejected as a whole has a message that says why.
    if (differing[0]?.startsWith('refused: ')) counts.notImported++;
    else counts.differences += differing.length;
    for (const line of differing) process.stdout.write(`${path} (${zone}): ${line.slice(0, 300)}\n`);
  }
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  process.exitCode = counts.differences > 0 ? 1 : 0;
}

try {
  main(process.argv.slice(2));
} finally {
  rmSync(folder, { recursive: true });
}
