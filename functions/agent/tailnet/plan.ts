import { type Entries, type EntryChanges, isSame } from './entries.ts';

export interface PlanInput {
  /** The zones that should have an entry. */
  zones: readonly string[];
  /** Those of each entry. Empty while the Service has none: then the entries of `zones` stay as they are. */
  addresses: readonly string[];
  /** Every address that was written into an entry and may still be there. */
  written: Entries;
  /** The split DNS of the tailnet. */
  current: Entries;
}

export interface Plan {
  changes: EntryChanges;
  /** What to remember before the changes are made: what an interrupted request has written must not look like another's. */
  before: Entries;
  /** What to remember once they are made. */
  after: Entries;
  /** Zones whose entry has addresses of others. It stays as it is. */
  conflicts: Entries;
}

/**
 * Pure: what to change in the split DNS of a tailnet. An entry is this server's if it has no address that was not written
 * here, or if it already is as it should be. Entries of others are never changed.
 */
export function planOf({ zones, addresses, written, current }: PlanInput): Plan {
  const changes = new Map<string, readonly string[] | null>();
  const [before, after] = [new Map(written), new Map(written)];
  const conflicts = new Map<string, readonly string[]>();
  for (const zone of new Set([...zones, ...written.keys()])) {
    const entry = current.get(zone) ?? [];
    const own = written.get(zone) ?? [];
    const isOwn = entry.every((address) => own.includes(address));
    if (!zones.includes(zone)) {
      if (isOwn && entry.length > 0) changes.set(zone, null);
      after.delete(zone);
    } else if (addresses.length > 0) {
      const isKept = isSame(entry, addresses);
      if (!isKept && !isOwn) {
        conflicts.set(zone, entry);
        continue;
      }
      if (!isKept) changes.set(zone, addresses);
      before.set(zone, isKept ? addresses : [...new Set([...own, ...addresses])]);
      after.set(zone, addresses);
    }
  }
  return { changes, before, after, conflicts };
}
