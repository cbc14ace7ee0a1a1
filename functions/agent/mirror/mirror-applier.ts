import type { Logger } from 'pino';
import { withoutDot } from '../../dns/name.ts';
import { isWildcardBlock } from '../discovery/wildcard-blocks.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import type { Database } from '../powerdns/database.ts';
import {
  type Change,
  deletion,
  haveSameAnswer,
  keyOf,
  ownershipOf,
  type RRset,
  replacement,
  type Zone,
} from '../powerdns/rrset.ts';
import { digestOf } from './entry.ts';
import type { LocalRecords } from './local-records.ts';
import { conflictingRRsets, isEmptied, type Merge } from './merge.ts';

export interface MirrorApplierOptions {
  database: Pick<Database, 'refreshed' | 'create' | 'apply' | 'remove'>;
  log: Logger;
  failureLog: Pick<FailureLog, 'record'>;
  now: () => number;
}

/** How long after PowerDNS has rejected a record it is tried again. Milliseconds. */
const retryMs = 60_000;

/** Applies the mirror's changes to the zones. */
export class MirrorApplier {
  readonly #options: MirrorApplierOptions;
  readonly #rejected = new Map<string, { digest: string; at: number }>();
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(options: MirrorApplierOptions) {
    this.#options = options;
  }

  /** When to try again. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** Removes what PowerDNS has rejected recently from a merge. */
  withhold(merged: Merge): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    for (const key of merged.local.keys()) if (this.#isRejected(key, merged)) merged.local.delete(key);
  }

  /** Returns whether there was anything to change. What was applied is in sync. */
  async apply(merged: Merge, records: LocalRecords): Promise<boolean> {
    const { log } = this.#options;
    const zones = Map.groupBy(merged.local, ([, { entry }]) => entry.zone);
    for (const [name, changes] of zones) {
      const applied = await this.#changeZone(name, new Map(changes), merged, records);
      for (const [key, { action, entry }] of applied) {
        if (action === 'replace') merged.synced.set(key, digestOf(entry));
        else merged.synced.delete(key);
      }
      if (applied.size === 0) continue;
      const counts = Map.groupBy(applied, ([, { action }]) => action);
      const [taken, removed] = [counts.get('replace')?.length ?? 0, counts.get('delete')?.length ?? 0];
      log.info({ zone: withoutDot(name), taken, removed }, 'apply records from the mirror');
    }
    return zones.size > 0;
  }

  /** Returns the changes that were made. */
  async #changeZone(
    name: string,
    changes: Merge['local'],
    merged: Merge,
    records: LocalRecords,
  ): Promise<Merge['local']> {
    const { database } = this.#options;
    const zone = records.zone(name);
    if (!zone) {
      const entries = [...changes.values()].map(({ entry }) => entry);
      const account = entries.find((entry) => entry.account !== undefined)?.account ?? '';
      const rejected = await database.create(
        name,
        entries.map(({ rrset }) => rrset),
        { account },
      );
      return this.#accepted(rejected, changes);
    }
    if (!records.isDeclared(name) && isEmptied(name, merged.local, records)) {
      const now = await database.refreshed(zone);
      if (!isUnchanged(zone, now, [...zone.rrsets, ...now.rrsets])) return this.#later();
      await database.remove(zone);
      return changes;
    }
    const current = await database.refreshed(zone, new Set([...changes.values()].map(({ entry }) => entry.rrset.name)));
    const possible = new Map([...changes].filter(([, { entry }]) => isUnchanged(zone, current, [entry.rrset])));
    if (possible.size < changes.size) this.#later();
    const rejected = await database.apply(zone, changesOf(possible, records));
    return this.#accepted(rejected, possible);
  }

  /** Somebody is editing the zone. */
  #later(): Merge['local'] {
    this.#scheduleAt(this.#options.now());
    return new Map();
  }

  /** Returns the changes that PowerDNS has accepted. */
  #accepted(rejected: { change: Change; message: string }[], changes: Merge['local']): Merge['local'] {
    const messages = new Map(rejected.map(({ change, message }) => [keyOf(change.rrset), message]));
    const at = this.#options.now();
    return new Map(
      [...changes].filter(([key, { entry }]) => {
        const { name, type } = entry.rrset;
        const message = messages.get(keyOf(entry.rrset));
        this.#options.failureLog.record('apply a record from the mirror', message, {
          name: withoutDot(name),
          type,
        });
        if (message === undefined) return true;
        this.#rejected.set(key, { digest: digestOf(entry), at });
        this.#scheduleAt(at + retryMs);
        return false;
      }),
    );
  }

  #isRejected(key: string, { local }: Merge): boolean {
    const entry = local.get(key)?.entry;
    const rejected = this.#rejected.get(key);
    if (!entry || rejected?.digest !== digestOf(entry) || this.#options.now() - rejected.at >= retryMs) return false;
    this.#scheduleAt(rejected.at + retryMs);
    return true;
  }

  #scheduleAt(at: number): void {
    this.#dueAt = Math.min(this.#dueAt, at);
  }
}

/** Deletions come first, as a CNAME allows no other type beside it. */
function changesOf(changes: Merge['local'], records: LocalRecords): Change[] {
  const replaced = [...changes.values()].filter(({ action }) => action === 'replace').map(({ entry }) => entry);
  const deleted = [...changes.values()].filter(({ action }) => action === 'delete').map(({ entry }) => entry.rrset);
  const conflicting = replaced.flatMap((entry) =>
    conflictingRRsets(entry, records).filter((rrset) => ownershipOf(rrset) === 'discovered' || isWildcardBlock(rrset)),
  );
  const gone = new Map([...deleted, ...conflicting].map((rrset) => [keyOf(rrset), rrset]));
  return [...[...gone.values()].map(deletion), ...replaced.map(({ rrset }) => replacement(rrset))];
}

/** Reports whether a zone still has the same RRsets of these names and types: somebody may be editing it. */
function isUnchanged(before: Zone, now: Zone, keys: readonly Pick<RRset, 'name' | 'type'>[]): boolean {
  const byKey = ({ rrsets }: Zone) => new Map(rrsets.map((rrset) => [keyOf(rrset), rrset]));
  const [was, is] = [byKey(before), byKey(now)];
  return keys.map(keyOf).every((key) => {
    const [a, b] = [was.get(key), is.get(key)];
    if (!a || !b) return a === b;
    return haveSameAnswer(a, b) && JSON.stringify(a.mark) === JSON.stringify(b.mark);
  });
}
