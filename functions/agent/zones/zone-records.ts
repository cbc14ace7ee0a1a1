import type { DeclaredZone } from '../../contract/declaration.ts';
import { entriesOfRecords } from '../../dns/record.ts';
import { isAddress } from '../../dns/zone/apex.ts';
import { isAlias } from '../../dns/zone/cname-chain.ts';
import type { DeclaredRRset, Entry, ZoneIssue } from '../../dns/zone/rrset.ts';
import { validateZone, type ZoneContext } from '../../dns/zone/validate-zone.ts';
import { recordCost } from '../../dns/zone-file/zone-file.ts';
import { declaredAccount, keyOf, type RRset } from '../powerdns/rrset.ts';
import { luaContent } from './lua.ts';
import { entriesOfFile, nameOf, type ZoneFiles } from './zone-file.ts';

/** The records of a zone and of its zone files, as RRsets. */
export interface ZoneRecords {
  rrsets: RRset[];
  /** Zone files that cannot be used now: their current RRsets stay, by their marks. */
  heldFiles: Set<string>;
  /** Why one of them cannot be used, or a record of the composite. */
  problem?: string;
  /** What the zone waits for. */
  pending?: string;
  /** Addresses whose PTR record is requested, with the name that it should point to. */
  ptrSources: { address: string; name: string }[];
  /** Where each CNAME, DNAME and ALIAS is written, in the composite or in a zone file, by its key. */
  locations: ReadonlyMap<string, string>;
  /** What the zone files take of the budget of all zones, beyond their current RRsets. */
  cost: number;
}

/** Issues that only show beside the other zones, by zone file or by key of a composite's RRset. */
export type SkippedRecords = ReadonlyMap<string, ZoneIssue>;

/** Marks declared RRsets with their zone file, or with nothing if they are the composite's own. */
export const declaredMark = (source = '') => ({ account: declaredAccount, content: source });

export interface ZoneRecordsOptions {
  skipped?: SkippedRecords | undefined;
  /** How many more records the zone files may have, beyond the current ones. */
  budget?: number;
  /** The cost of the current RRsets by zone file: one that is held keeps it. */
  current?: ReadonlyMap<string, number> | undefined;
  /** Whether a name is in a zone of a team, which answers for it: a zone file does not fail for what teams declare. */
  isTaken?: (name: string) => boolean;
}

/** Returns a zone's own records and those of its files; each file is taken as a whole or not at all. */
export function zoneRecords(
  zone: DeclaredZone,
  context: ZoneContext,
  files: ZoneFiles,
  {
    skipped = new Map(),
    budget = Number.POSITIVE_INFINITY,
    current = new Map(),
    isTaken = () => false,
  }: ZoneRecordsOptions = {},
): ZoneRecords {
  const refs = zone.recordsFrom ?? [];
  // Wildcards are resolved once all zones and files are known.
  const partial = { ...context, isPartial: true };
  const inline = entriesOfRecords(zone.records ?? [], context.name);
  const inSpec = validateZone(partial, inline.entries);
  const sources = new Set(refs.map(nameOf));
  const unresolvable = [...skipped].flatMap(([source, issue]) => (sources.has(source) ? [] : issue));
  const issues = [...inline.issues, ...inSpec.issues, ...unresolvable].map(({ at, message }) => `${at}: ${message}`);
  const locations = locationsOf(inline.entries);
  const content: ZoneRecords = {
    rrsets: toRRsets(inSpec.rrsets, '').filter((rrset) => !skipped.has(keyOf(rrset))),
    heldFiles: new Set(),
    ptrSources: ptrSourcesOf(inSpec.rrsets),
    locations,
    cost: 0,
    ...(issues[0] && { problem: issues[0] }),
  };
  // Zone files are not to fail for an issue of the composite.
  const validNames = new Set(inSpec.rrsets.map(({ name }) => name));
  let entries = inline.entries.filter(({ name }) => validNames.has(name));
  for (const ref of refs) {
    const source = nameOf(ref);
    const file = files.get(source);
    if (file?.text === undefined) {
      content.heldFiles.add(source);
      if (file) content.problem ??= `${source}: ${file.failure}`;
      else content.pending ??= `waiting for ${source}`;
      continue;
    }
    const currentCost = current.get(source) ?? 0;
    const inFile = entriesOfFile(file.text, {
      name: context.name,
      isSigned: zone.dnssec !== undefined,
      budget: currentCost + Math.max(0, budget - content.cost),
    });
    const read = { ...inFile, entries: inFile.entries.filter(({ name }) => !isTaken(name)) };
    const known = new Map(entries.map((entry) => [keyOf(entry), entry.at]));
    // A file that has issues of its own is not taken anyway.
    const combined = read.issues.length > 0 ? read : validateZone(partial, [...entries, ...read.entries]);
    const [issue = skipped.get(source)] = [...read.issues, ...duplicates(read.entries, known), ...combined.issues];
    if (issue || !('rrsets' in combined)) {
      content.heldFiles.add(source);
      content.problem ??= `${source}, ${issue?.at}: ${issue?.message}`;
      continue;
    }
    content.cost += read.entries.reduce((sum, entry) => sum + recordCost(entry.content), -currentCost);
    const added = combined.rrsets.filter((rrset) => !known.has(keyOf(rrset)));
    content.rrsets = content.rrsets.concat(toRRsets(added, source));
    for (const [key, at] of locationsOf(read.entries)) locations.set(key, at);
    entries = [...entries, ...read.entries.map((entry) => ({ ...entry, at: `${source}, ${entry.at}` }))];
  }
  return content;
}

const locationsOf = (entries: Entry[]) =>
  new Map(entries.filter(isAlias).map((entry): [string, string] => [keyOf(entry), entry.at]));

/** Returns an issue if an RRset has another source already: with two, neither could be removed. */
function duplicates(entries: Entry[], known: ReadonlyMap<string, string>): ZoneIssue[] {
  const entry = entries.find((each) => known.has(keyOf(each)));
  if (!entry) return [];
  const where = known.get(keyOf(entry));
  return [{ at: entry.at, message: `${where} has the ${entry.type} of this name already: put every value there` }];
}

/** Converts RRsets for PowerDNS: those that are computed become one LUA record for all types of a name. */
function toRRsets(rrsets: DeclaredRRset[], source: string): RRset[] {
  const plain = rrsets.filter(({ answer }) => !answer);
  const computed = Map.groupBy(
    rrsets.filter(({ answer }) => answer),
    ({ name }) => name,
  );
  const lua = [...computed].map(([name, ofName]) => ({
    name,
    type: 'LUA',
    ttl: Math.min(...ofName.map(({ ttl }) => ttl)),
    records: ofName.map(({ type, records, answer }) => luaContent(type as 'A' | 'AAAA', records, answer ?? {})),
  }));
  const mark = declaredMark(source);
  return [...plain, ...lua].map(({ name, type, ttl, records }) => ({ name, type, ttl, records, mark }));
}

const ptrSourcesOf = (rrsets: DeclaredRRset[]) =>
  rrsets
    .filter(({ ptr, type }) => ptr && isAddress(type))
    .flatMap(({ name, records }) => records.map((address) => ({ address, name })));
