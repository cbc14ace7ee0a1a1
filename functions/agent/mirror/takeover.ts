import type { Logger } from 'pino';
import { withoutDot } from '../../dns/name.ts';
import { isWildcardBlock } from '../discovery/wildcard-blocks.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import type { Database } from '../powerdns/database.ts';
import {
  answersAlike,
  type Change,
  deletion,
  keyOf,
  ownershipOf,
  type RRset,
  replacement,
  type Zone,
} from '../powerdns/rrset.ts';
import { digestOf } from './entry.ts';
import { beside, isGone, type Merge } from './merge.ts';
import type { OnlyHere } from './only-here.ts';

export interface TakeoverOptions {
  database: Pick<Database, 'refreshed' | 'create' | 'apply' | 'remove'>;
  log: Logger;
  failureLog: Pick<FailureLog, 'record'>;
  now: () => number;
}

/** After this time what PowerDNS did not take is offered again. Milliseconds. */
const retryMs = 60_000;

/** Brings what the mirror says into the zones. */
export class Takeover {
  readonly #options: TakeoverOptions;
  readonly #rejected = new Map<string, { digest: string; at: number }>();
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /** When something is to be tried again. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** Leaves out what PowerDNS has just not taken. */
  withhold(merged: Merge): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    for (const key of merged.local.keys()) if (this.#isRejected(key, merged)) merged.local.delete(key);
  }

  /** True when there was something to change. What is made is agreed on. */
  async change(merged: Merge, here: OnlyHere): Promise<boolean> {
    const { log } = this.#options;
    const zones = Map.groupBy(merged.local, ([, { entry }]) => entry.zone);
    for (const [name, changes] of zones) {
      const made = await this.#changeZone(name, new Map(changes), merged, here);
      for (const [key, { action, entry }] of made) {
        if (action === 'replace') merged.agreed.set(key, digestOf(entry));
        else merged.agreed.delete(key);
      }
      if (made.size === 0) continue;
      const counts = Map.groupBy(made, ([, { action }]) => action);
      const [taken, removed] = [counts.get('replace')?.length ?? 0, counts.get('delete')?.length ?? 0];
      log.info({ zone: withoutDot(name), taken, removed }, 'take over records from the mirror');
    }
    return zones.size > 0;
  }

  /** Gives those that it has made. */
  async #changeZone(name: string, changes: Merge['local'], merged: Merge, here: OnlyHere): Promise<Merge['local']> {
    const { database } = this.#options;
    const zone = here.zone(name);
    if (!zone) {
      const entries = [...changes.values()].map(({ entry }) => entry);
      const account = entries.find((entry) => entry.account !== undefined)?.account ?? '';
      const rejected = await database.create(
        name,
        entries.map(({ rrset }) => rrset),
        { account },
      );
      return this.#without(rejected, changes);
    }
    if (!here.isDeclared(name) && isGone(name, merged.local, here)) {
      const now = await database.refreshed(zone);
      if (!isUnchanged(zone, now, [...zone.rrsets, ...now.rrsets])) return this.#later();
      await database.remove(zone);
      return changes;
    }
    const fresh = await database.refreshed(zone, new Set([...changes.values()].map(({ entry }) => entry.rrset.name)));
    const possible = new Map([...changes].filter(([, { entry }]) => isUnchanged(zone, fresh, [entry.rrset])));
    if (possible.size < changes.size) this.#later();
    const rejected = await database.apply(zone, changesOf(possible, here));
    return this.#without(rejected, possible);
  }

  /** A person is at work. */
  #later(): Merge['local'] {
    this.#comeBack(this.#options.now());
    return new Map();
  }

  /** Those that PowerDNS did take. */
  #without(rejected: { change: Change; message: string }[], changes: Merge['local']): Merge['local'] {
    const messages = new Map(rejected.map(({ change, message }) => [keyOf(change.rrset), message]));
    const at = this.#options.now();
    return new Map(
      [...changes].filter(([key, { entry }]) => {
        const { name, type } = entry.rrset;
        const message = messages.get(keyOf(entry.rrset));
        this.#options.failureLog.record('take over a record from the mirror', message, {
          name: withoutDot(name),
          type,
        });
        if (message === undefined) return true;
        this.#rejected.set(key, { digest: digestOf(entry), at });
        this.#comeBack(at + retryMs);
        return false;
      }),
    );
  }

  #isRejected(key: string, { local }: Merge): boolean {
    const entry = local.get(key)?.entry;
    const rejected = this.#rejected.get(key);
    if (!entry || rejected?.digest !== digestOf(entry) || this.#options.now() - rejected.at >= retryMs) return false;
    this.#comeBack(rejected.at + retryMs);
    return true;
  }

  #comeBack(at: number): void {
    this.#dueAt = Math.min(this.#dueAt, at);
  }
}

/** What goes first: a CNAME suffers nothing beside it. */
function changesOf(changes: Merge['local'], here: OnlyHere): Change[] {
  const replaced = [...changes.values()].filter(({ action }) => action === 'replace').map(({ entry }) => entry);
  const deleted = [...changes.values()].filter(({ action }) => action === 'delete').map(({ entry }) => entry.rrset);
  const inTheWay = replaced.flatMap((entry) =>
    beside(entry, here).filter((rrset) => ownershipOf(rrset) === 'discovered' || isWildcardBlock(rrset)),
  );
  const gone = new Map([...deleted, ...inTheWay].map((rrset) => [keyOf(rrset), rrset]));
  return [...[...gone.values()].map(deletion), ...replaced.map(({ rrset }) => replacement(rrset))];
}

/** Whether a zone has the same in these places as when it was compared: a person may be at work. */
function isUnchanged(before: Zone, now: Zone, places: readonly Pick<RRset, 'name' | 'type'>[]): boolean {
  const byPlace = ({ rrsets }: Zone) => new Map(rrsets.map((rrset) => [keyOf(rrset), rrset]));
  const [was, is] = [byPlace(before), byPlace(now)];
  return places.map(keyOf).every((key) => {
    const [a, b] = [was.get(key), is.get(key)];
    if (!a || !b) return a === b;
    return answersAlike(a, b) && JSON.stringify(a.mark) === JSON.stringify(b.mark);
  });
}
