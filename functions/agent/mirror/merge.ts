import type { Declaration } from '../../contract/declaration.ts';
import { isWildcardBlock } from '../discovery/wildcard-blocks.ts';
import { ownershipOf, type RRset } from '../powerdns/rrset.ts';
import { digestOf, type Entry } from './entry.ts';
import { type Local, type OnlyHere, outlives } from './only-here.ts';

/** What a database and the mirror last had in common: digests by key. */
export type Agreed = ReadonlyMap<string, string>;

/** What a database remembers. */
export interface Past {
  agreed: Agreed;
  /** What it was about to take over, and maybe has. */
  taking: Agreed;
  /** Whether it has agreed with another mirror, which was destroyed: of this one it is unknown why it lacks an entry. */
  isNew: boolean;
}

/** The entries of a mirror; undefined for one that cannot be read. */
export type Entries = ReadonlyMap<string, Entry | undefined>;

export interface LocalChange {
  action: 'replace' | 'delete';
  entry: Entry;
}

/** What makes a database and the mirror say the same. */
export interface Merge {
  /** For the database. */
  local: Map<string, LocalChange>;
  /** For the mirror; undefined takes an entry away. */
  mirror: Map<string, Entry | undefined>;
  /** What is to leave the mirror in time: it follows from the declaration or from objects now. */
  retiring: Set<string>;
  /** What is agreed on without any of these. */
  agreed: Map<string, string>;
}

/**
 * Pure: a merge of three, with what was last agreed on. What a database never agreed on it gets, which is all of the mirror
 * when it is new; what it had agreed on and has no more was removed from it. Of two changes the later one to come counts, and
 * a change more than a removal.
 */
export function merge(here: OnlyHere, entries: Entries, past: Past, declaration: Declaration): Merge {
  const result: Merge = { local: new Map(), mirror: new Map(), retiring: new Set(), agreed: new Map() };
  for (const key of new Set([...here.entries.keys(), ...here.unknown, ...entries.keys()])) {
    const before = past.isNew && !entries.has(key) ? undefined : agreedOn(key, here, past);
    const theirs = entries.get(key);
    const isUnreadable = entries.has(key) && !theirs;
    const local = theirs ? here.at(key, theirs) : here.entries.get(key);
    if (isUnreadable || local === 'unknown' || here.unknown.has(key)) {
      if (before !== undefined) result.agreed.set(key, before);
    } else {
      decide(result, { key, local, theirs, before, isStale: isOutlived(theirs, declaration) });
    }
  }
  keepZonesWhole(result, here, entries);
  settleConflicts(result, here);
  return result;
}

function agreedOn(key: string, here: OnlyHere, { agreed, taking }: Past): string | undefined {
  const entry = here.entries.get(key);
  const taken = taking.get(key);
  return entry && taken === digestOf(entry) ? taken : agreed.get(key);
}

/** Whether an entry is of a discovered name, and those do not outlive their objects any more. */
const isOutlived = (entry: Entry | undefined, declaration: Declaration) =>
  entry !== undefined && ownershipOf(entry.rrset) === 'discovered' && !outlives(declaration);

interface Place {
  key: string;
  local: Local | undefined;
  theirs: Entry | undefined;
  before: string | undefined;
  isStale: boolean;
}

function decide(result: Merge, place: Place): void {
  const { local, theirs, before, isStale } = place;
  const there = theirs && digestOf(theirs);
  if (local === undefined) {
    if (theirs && !isStale && before !== there) apply(result, place, theirs);
    else if (theirs) put(result, place, undefined);
  } else if (typeof local !== 'string') {
    decideOnOnly(result, place, local);
  } else if (theirs && there !== undefined) {
    // A person has made it elsewhere: what was discovered gives way, as it does there.
    const isNews = local === 'discovered' && before !== there && ownershipOf(theirs.rrset) === 'foreign';
    if (isNews) apply(result, place, theirs);
    else retire(result, place, there);
  }
}

/** On what is in the database, and nowhere else unless in the mirror. */
function decideOnOnly(result: Merge, place: Place, local: Entry): void {
  const { key, theirs, before } = place;
  const ours = digestOf(local);
  if (theirs && ours === digestOf(theirs)) result.agreed.set(key, ours);
  else if (before !== ours) put(result, place, local);
  else if (theirs) apply(result, place, theirs);
  else change(result, place, { action: 'delete', entry: local });
}

const apply = (result: Merge, place: Place, entry: Entry) => change(result, place, { action: 'replace', entry });

function change({ local, agreed }: Merge, { key, before }: Place, change: LocalChange): void {
  local.set(key, change);
  if (before !== undefined) agreed.set(key, before);
}

function retire({ retiring, agreed }: Merge, { key }: Place, there: string): void {
  agreed.set(key, there);
  retiring.add(key);
}

function put({ mirror, agreed }: Merge, { key, before }: Place, entry: Entry | undefined): void {
  mirror.set(key, entry);
  if (before !== undefined) agreed.set(key, before);
}

/** A zone that is not declared comes and goes as a whole. */
function keepZonesWhole({ local, mirror }: Merge, here: OnlyHere, entries: Entries): void {
  const changed = new Set([...local.values()].map(({ entry }) => entry.zone));
  for (const zone of [...changed].filter((name) => !here.isDeclared(name))) {
    if (!here.zone(zone)) {
      for (const [key, entry] of entries) {
        if (entry?.zone !== zone) continue;
        mirror.delete(key);
        local.set(key, { action: 'replace', entry });
      }
      continue;
    }
    const gone = [...local].filter(([, { action, entry }]) => action === 'delete' && entry.zone === zone);
    const isCut = gone.some(([, { entry }]) => entry.rrset.type === 'SOA');
    if (!isCut || isGone(zone, local, here)) continue;
    for (const [key, { entry }] of gone) {
      local.delete(key);
      mirror.set(key, entry);
    }
  }
}

/** Whether nothing stays of a zone. */
export const isGone = (zone: string, local: Merge['local'], here: OnlyHere): boolean =>
  [...here.entries].every(([key, entry]) => entry.zone !== zone || local.get(key)?.action === 'delete') &&
  ![...local.values()].some(({ action, entry }) => action === 'replace' && entry.zone === zone);

/** A CNAME suffers nothing beside it (RFC 1034 section 3.6.2): of two that were made at two places one goes. */
function settleConflicts({ local, mirror, retiring, agreed }: Merge, here: OnlyHere): void {
  for (const [key, { action, entry }] of local) {
    if (action === 'delete') continue;
    const others = beside(entry, here).filter(
      (rrset) =>
        // What only keeps a name from a wildcard gives way, as to anything that makes the name exist.
        !isWildcardBlock(rrset) &&
        ![...local.values()].some((l) => l.action === 'delete' && isSamePlace(l.entry, entry.zone, rrset)),
    );
    if (others.some((rrset) => ownershipOf(rrset) === 'declared')) {
      local.delete(key);
      agreed.set(key, digestOf(entry));
      retiring.add(key);
    } else if (others.some((rrset) => ownershipOf(rrset) === 'foreign')) {
      local.delete(key);
      mirror.set(key, undefined);
    }
  }
}

/** What cannot stand beside an entry. */
export function beside({ zone, rrset }: Entry, here: OnlyHere): RRset[] {
  const isExcluded = ({ name, type }: RRset) =>
    name === rrset.name && type !== rrset.type && (type === 'CNAME' || rrset.type === 'CNAME');
  return (here.zone(zone)?.rrsets ?? []).filter(isExcluded);
}

const isSamePlace = (entry: Entry, zone: string, { name, type }: RRset) =>
  entry.zone === zone && entry.rrset.name === name && entry.rrset.type === type;
