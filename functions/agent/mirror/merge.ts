import type { Declaration } from '../../contract/declaration.ts';
import { isWildcardBlock } from '../discovery/wildcard-blocks.ts';
import { ownershipOf, type RRset } from '../powerdns/rrset.ts';
import { digestOf, type Entry } from './entry.ts';
import { keepsOrphans, type LocalRecords, type LocalState } from './local-records.ts';

/** Digests of entries, by key. */
export type Digests = ReadonlyMap<string, string>;

/** The base of a three-way merge: what a database remembers of its last sync. */
export interface MergeBase {
  /** What database and mirror had in common. */
  digests: Digests;
  /** Entries that were being restored, and may have been. */
  restoring: Digests;
  /** Whether the database was synced with another mirror, or none: why it lacks an entry of this one is unknown. */
  isNew: boolean;
}

/** The entries of a mirror; undefined for an unreadable one. */
export type Entries = ReadonlyMap<string, Entry | undefined>;

export interface LocalChange {
  action: 'replace' | 'delete';
  entry: Entry;
}

/** The changes that bring a database and the mirror in sync. */
export interface Merge {
  /** To the database. */
  local: Map<string, LocalChange>;
  /** To the mirror; an undefined entry is removed. */
  mirror: Map<string, Entry | undefined>;
  /** Entries to remove from the mirror later, as they follow from the declaration or from objects now. */
  retiring: Set<string>;
  /** The digests that are in sync before any of these changes. */
  synced: Map<string, string>;
}

/**
 * A three-way merge. A database gets each entry that it was never in sync on, which is the whole mirror when it is new; an entry
 * that it was in sync on and lacks was deleted from it. Of two changes the later one wins, and a change wins over a deletion.
 */
export function merge(records: LocalRecords, entries: Entries, past: MergeBase, declaration: Declaration): Merge {
  const result: Merge = { local: new Map(), mirror: new Map(), retiring: new Set(), synced: new Map() };
  for (const key of new Set([...records.entries.keys(), ...records.unknown, ...entries.keys()])) {
    const base = past.isNew && !entries.has(key) ? undefined : baseOf(key, records, past);
    const remote = entries.get(key);
    const isUnreadable = entries.has(key) && !remote;
    const local = remote ? records.at(key, remote) : records.entries.get(key);
    if (isUnreadable || local === 'unknown' || records.unknown.has(key)) {
      if (base !== undefined) result.synced.set(key, base);
    } else {
      mergeKey(result, { key, local, remote, base, isStale: isExpired(remote, declaration) });
    }
  }
  keepZonesWhole(result, records, entries);
  resolveConflicts(result, records);
  return result;
}

function baseOf(key: string, records: LocalRecords, { digests, restoring }: MergeBase): string | undefined {
  const entry = records.entries.get(key);
  const restored = restoring.get(key);
  return entry && restored === digestOf(entry) ? restored : digests.get(key);
}

/** Reports whether an entry is of a discovered name, and those no longer outlive their objects. */
const isExpired = (entry: Entry | undefined, declaration: Declaration) =>
  entry !== undefined && ownershipOf(entry.rrset) === 'discovered' && !keepsOrphans(declaration);

/** The three states of a key that are merged. */
interface KeyStates {
  key: string;
  local: LocalState | undefined;
  remote: Entry | undefined;
  /** A digest. */
  base: string | undefined;
  /** Whether `remote` is of no use any more. */
  isStale: boolean;
}

function mergeKey(result: Merge, states: KeyStates): void {
  const { local, remote, base, isStale } = states;
  const digest = remote && digestOf(remote);
  if (local === undefined) {
    if (remote && !isStale && base !== digest) apply(result, states, remote);
    else if (remote) writeMirror(result, states, undefined);
  } else if (typeof local !== 'string') {
    mergeLocalEntry(result, states, local);
  } else if (remote && digest !== undefined) {
    // A record made by hand at another replica replaces a discovered one, as it does there.
    const isReplaced = local === 'discovered' && base !== digest && ownershipOf(remote.rrset) === 'foreign';
    if (isReplaced) apply(result, states, remote);
    else retire(result, states, digest);
  }
}

/** Merges a key whose RRset exists in this database only, and perhaps in the mirror. */
function mergeLocalEntry(result: Merge, states: KeyStates, local: Entry): void {
  const { key, remote, base } = states;
  const digest = digestOf(local);
  if (remote && digest === digestOf(remote)) result.synced.set(key, digest);
  else if (base !== digest) writeMirror(result, states, local);
  else if (remote) apply(result, states, remote);
  else change(result, states, { action: 'delete', entry: local });
}

const apply = (result: Merge, states: KeyStates, entry: Entry) => change(result, states, { action: 'replace', entry });

function change({ local, synced }: Merge, { key, base }: KeyStates, change: LocalChange): void {
  local.set(key, change);
  if (base !== undefined) synced.set(key, base);
}

function retire({ retiring, synced }: Merge, { key }: KeyStates, digest: string): void {
  synced.set(key, digest);
  retiring.add(key);
}

function writeMirror({ mirror, synced }: Merge, { key, base }: KeyStates, entry: Entry | undefined): void {
  mirror.set(key, entry);
  if (base !== undefined) synced.set(key, base);
}

/** Creates and deletes undeclared zones as a whole. */
function keepZonesWhole({ local, mirror }: Merge, records: LocalRecords, entries: Entries): void {
  const changed = new Set([...local.values()].map(({ entry }) => entry.zone));
  for (const zone of [...changed].filter((name) => !records.isDeclared(name))) {
    if (!records.zone(zone)) {
      for (const [key, entry] of entries) {
        if (entry?.zone !== zone) continue;
        mirror.delete(key);
        local.set(key, { action: 'replace', entry });
      }
      continue;
    }
    const deleted = [...local].filter(([, { action, entry }]) => action === 'delete' && entry.zone === zone);
    const losesSOA = deleted.some(([, { entry }]) => entry.rrset.type === 'SOA');
    if (!losesSOA || isEmptied(zone, local, records)) continue;
    for (const [key, { entry }] of deleted) {
      local.delete(key);
      mirror.set(key, entry);
    }
  }
}

/** Reports whether a merge leaves nothing of a zone. */
export const isEmptied = (zone: string, local: Merge['local'], records: LocalRecords): boolean =>
  [...records.entries].every(([key, entry]) => entry.zone !== zone || local.get(key)?.action === 'delete') &&
  ![...local.values()].some(({ action, entry }) => action === 'replace' && entry.zone === zone);

/** A CNAME allows no other type beside it (RFC 1034 section 3.6.2): if two replicas got both, one of them goes. */
function resolveConflicts({ local, mirror, retiring, synced }: Merge, records: LocalRecords): void {
  for (const [key, { action, entry }] of local) {
    if (action === 'delete') continue;
    const others = conflictingRRsets(entry, records).filter(
      (rrset) =>
        // A wildcard block yields to any record that makes its name exist.
        !isWildcardBlock(rrset) &&
        ![...local.values()].some((l) => l.action === 'delete' && isAt(l.entry, entry.zone, rrset)),
    );
    if (others.some((rrset) => ownershipOf(rrset) === 'declared')) {
      local.delete(key);
      synced.set(key, digestOf(entry));
      retiring.add(key);
    } else if (others.some((rrset) => ownershipOf(rrset) === 'foreign')) {
      local.delete(key);
      mirror.set(key, undefined);
    }
  }
}

/** Returns the current RRsets that an entry cannot coexist with. */
export function conflictingRRsets({ zone, rrset }: Entry, records: LocalRecords): RRset[] {
  const isExcluded = ({ name, type }: RRset) =>
    name === rrset.name && type !== rrset.type && (type === 'CNAME' || rrset.type === 'CNAME');
  return (records.zone(zone)?.rrsets ?? []).filter(isExcluded);
}

const isAt = (entry: Entry, zone: string, { name, type }: RRset) =>
  entry.zone === zone && entry.rrset.name === name && entry.rrset.type === type;
