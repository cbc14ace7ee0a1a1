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

/** What the records of a zone and those of its files come to. */
export interface ZoneRecords {
  rrsets: RRset[];
  /** Zone files that cannot be used now: what came from them stays as it is, by its mark. */
  held: Set<string>;
  /** Why they cannot. */
  problem?: string;
  /** Why there is nothing to be said yet. */
  waiting?: string;
  /** Addresses that are to have a PTR record, with the name that asks for it. */
  pointers: { address: string; name: string }[];
  /** Where each CNAME, DNAME and ALIAS is written, in the composite or in its file, by its key. */
  places: ReadonlyMap<string, string>;
  /** What the records of zone files take of the room that all zones have, beyond what stands of them. */
  room: number;
}

/** What is wrong only beside the other zones: by zone files, or by the keys of the composite's own RRsets. */
export type SkippedRecords = ReadonlyMap<string, ZoneIssue>;

/** Of what is declared, with the zone file that it is from; none is the composite. */
export const declaredMark = (source = '') => ({ account: declaredAccount, content: source });

/** What there is beside a zone. */
export interface Beside {
  leftOut?: SkippedRecords | undefined;
  /** How many records of zone files there is room for, beyond those that stand. */
  room?: number;
  /** What stands of each zone file: a file that is held goes on taking that room. */
  current?: ReadonlyMap<string, number> | undefined;
}

/** The zone's own records and those of its files, each file as a whole or not at all. */
export function zoneRecords(
  zone: DeclaredZone,
  frame: ZoneContext,
  files: ZoneFiles,
  { leftOut = new Map(), room = Number.POSITIVE_INFINITY, current = new Map() }: Beside = {},
): ZoneRecords {
  const refs = zone.recordsFrom ?? [];
  // Whether a wildcard leads to a name that only it answers is seen with all zones and files together.
  const partial = { ...frame, isPartial: true };
  const inline = entriesOfRecords(zone.records ?? [], frame.name);
  const inSpec = validateZone(partial, inline.entries);
  const sources = new Set(refs.map(nameOf));
  const misled = [...leftOut].flatMap(([part, fault]) => (sources.has(part) ? [] : fault));
  const faults = [...inline.issues, ...inSpec.issues, ...misled].map(({ at, message }) => `${at}: ${message}`);
  const places = placesOf(inline.entries);
  const content: ZoneRecords = {
    rrsets: marked(inSpec.rrsets, '').filter((rrset) => !leftOut.has(keyOf(rrset))),
    held: new Set(),
    pointers: pointersOf(inSpec.rrsets),
    places,
    room: 0,
    ...(faults[0] && { problem: faults[0] }),
  };
  // What is wrong in the composite is no fault of the files.
  const sound = new Set(inSpec.rrsets.map(({ name }) => name));
  let entries = inline.entries.filter(({ name }) => sound.has(name));
  for (const ref of refs) {
    const source = nameOf(ref);
    const file = files.get(source);
    if (file?.text === undefined) {
      content.held.add(source);
      if (file) content.problem ??= `${source}: ${file.failure}`;
      else content.waiting ??= `waiting for ${source}`;
      continue;
    }
    const ofFile = current.get(source) ?? 0;
    const read = entriesOfFile(file.text, {
      name: frame.name,
      isSigned: zone.dnssec !== undefined,
      recordBudget: ofFile + Math.max(0, room - content.room),
    });
    const known = new Map(entries.map((entry) => [keyOf(entry), entry.at]));
    // Of a file that is not taken anyway the records need not be put together.
    const together = read.issues.length > 0 ? read : validateZone(partial, [...entries, ...read.entries]);
    const misled = leftOut.get(source);
    const [fault = misled] = [...read.issues, ...repeated(read.entries, known), ...together.issues];
    if (fault || !('rrsets' in together)) {
      content.held.add(source);
      content.problem ??= `${source}, ${fault?.at}: ${fault?.message}`;
      continue;
    }
    content.room += read.entries.reduce((sum, entry) => sum + recordCost(entry.content), -ofFile);
    const added = together.rrsets.filter((rrset) => !known.has(keyOf(rrset)));
    content.rrsets = content.rrsets.concat(marked(added, source));
    for (const [key, at] of placesOf(read.entries)) places.set(key, at);
    entries = [...entries, ...read.entries.map((entry) => ({ ...entry, at: `${source}, ${entry.at}` }))];
  }
  return content;
}

const placesOf = (entries: Entry[]) =>
  new Map(entries.filter(isAlias).map((entry): [string, string] => [keyOf(entry), entry.at]));

/** What belongs to an RRset that is said elsewhere: one RRset is of one source, or none could ever be given up. */
function repeated(entries: Entry[], known: ReadonlyMap<string, string>): ZoneIssue[] {
  const entry = entries.find((each) => known.has(keyOf(each)));
  if (!entry) return [];
  const where = known.get(keyOf(entry));
  return [{ at: entry.at, message: `${where} has the ${entry.type} of this name already: put every value there` }];
}

/** As PowerDNS gets them: what has to be worked out becomes a LUA record, one for all the types of a name. */
function marked(rrsets: DeclaredRRset[], source: string): RRset[] {
  const plain = rrsets.filter(({ answer }) => !answer);
  const worked = Map.groupBy(
    rrsets.filter(({ answer }) => answer),
    ({ name }) => name,
  );
  const lua = [...worked].map(([name, ofName]) => ({
    name,
    type: 'LUA',
    ttl: Math.min(...ofName.map(({ ttl }) => ttl)),
    records: ofName.map(({ type, records, answer }) => luaContent(type as 'A' | 'AAAA', records, answer ?? {})),
  }));
  const mark = declaredMark(source);
  return [...plain, ...lua].map(({ name, type, ttl, records }) => ({ name, type, ttl, records, mark }));
}

const pointersOf = (rrsets: DeclaredRRset[]) =>
  rrsets
    .filter(({ ptr, type }) => ptr && isAddress(type))
    .flatMap(({ name, records }) => records.map((address) => ({ address, name })));
