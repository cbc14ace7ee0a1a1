import type { Logger } from 'pino';
import { withoutDot } from '../../dns/name.ts';
import type { CurrentZones } from '../discovery/provider.ts';
import { monotonicNow } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import { FailureLog } from '../lib/failure-log.ts';
import { areSame } from '../lib/memo.ts';
import { ownershipOf } from '../powerdns/rrset.ts';
import { fitBudget, mostBytes } from './budget.ts';
import { digestOf, type Entry } from './entry.ts';
import { LocalRecords } from './local-records.ts';
import { type Merge, merge } from './merge.ts';
import { MirrorApplier, type MirrorApplierOptions } from './mirror-applier.ts';
import type { Mirror, MirrorStore } from './mirror-store.ts';
import type { Watermarks } from './watermark.ts';

export interface RecordMirrorOptions {
  database: MirrorApplierOptions['database'];
  watermarks: Pick<Watermarks, 'read' | 'write'>;
  store: MirrorStore;
  /** What people call the store, such as `ConfigMap idns-corp-kept`. */
  name: string;
  log: Logger;
  /**
   * The interval between two writes, times the number of replicas. Each write triggers Crossplane, which throttles an object
   * that changes too often.
   */
  intervalMs?: number;
  /** How long an entry that follows from the declaration or from objects again stays: other replicas may see those later. */
  retireMs?: number;
  /** How long verdicts wait for the first sync, and a failure goes without a warning. */
  graceMs?: number;
  mostBytes?: number;
  now?: () => number;
}

/** The pause after a failure, short as verdicts wait for it. Milliseconds. */
const retryMs = 5_000;

/**
 * Syncs the records that exist on a volume only, made by hand or kept without an object, with a mirror outside of the volumes,
 * which other replicas sync with too.
 */
export class RecordMirror {
  readonly #options: Required<RecordMirrorOptions>;
  readonly #failureLog: FailureLog;
  readonly #startedAt: number;
  readonly #applier: MirrorApplier;
  readonly #retiring = new Map<string, number>();
  #hasSynced = false;
  #failingSince: number | undefined;
  #failure: string | undefined;
  #dropped: Entry[] = [];
  #writtenAt: number | undefined;
  /** The inputs of the last merge, and when to repeat it although they are the same. */
  #inputs: readonly unknown[] | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #retryAt = Number.NEGATIVE_INFINITY;

  constructor(options: RecordMirrorOptions) {
    const defaults = { intervalMs: 10_000, retireMs: 60_000, graceMs: 30_000, mostBytes, now: monotonicNow };
    this.#options = { ...defaults, ...options };
    this.#failureLog = new FailureLog(options.log);
    this.#startedAt = this.#options.now();
    const { database, log, now } = this.#options;
    this.#applier = new MirrorApplier({ database, log, now, failureLog: this.#failureLog });
  }

  /** Reports whether the first sync is still awaited. A mirror that cannot be read is not awaited for long. */
  get isPending(): boolean {
    const { now, graceMs } = this.#options;
    return !this.#hasSynced && now() - this.#startedAt < graceMs;
  }

  /** For people to know. */
  get warnings(): string[] {
    const { name, now, graceMs } = this.#options;
    const [first] = this.#dropped;
    const isFailing = this.#failingSince !== undefined && now() - this.#failingSince >= graceMs;
    return [
      ...(first ? [fullMessage(first, this.#dropped.length, name)] : []),
      ...(isFailing ? [`cannot mirror records that exist on the volume only: ${this.#failure}`] : []),
    ];
  }

  /**
   * Syncs zones and mirror; returns whether the zones may have changed. Never throws: zones are served without it.
   * @param reread reads the current zones
   * @param kept as in `LocalRecordsOptions`, and the same object while it has the same content
   */
  async sync(
    present: CurrentZones,
    reread: () => Promise<CurrentZones>,
    kept: ReadonlySet<string> | undefined,
  ): Promise<boolean> {
    const { store, now, name } = this.#options;
    const of = [present.declaration, kept, store.version, ...present.zones];
    const isSame = this.#inputs !== undefined && areSame(of, this.#inputs);
    if (now() < (isSame ? this.#dueAt : this.#retryAt)) return false;
    this.#inputs = of;
    this.#dueAt = Number.POSITIVE_INFINITY;
    try {
      const hasChanged = await this.#merge(reread, kept);
      this.#hasSynced = true;
      this.#recordFailure(undefined);
      return hasChanged;
    } catch (error) {
      this.#inputs = undefined;
      this.#retryAt = now() + retryMs;
      this.#recordFailure(`${name}: ${messageOf(error)}`);
      return true;
    }
  }

  #recordFailure(failure: string | undefined): void {
    this.#failure = failure;
    this.#failingSince = failure === undefined ? undefined : (this.#failingSince ?? this.#options.now());
    this.#failureLog.record('mirror records that exist on the volume only', failure);
  }

  async #merge(reread: () => Promise<CurrentZones>, kept: ReadonlySet<string> | undefined): Promise<boolean> {
    const { watermarks, store } = this.#options;
    // Before the zones are read: the watermark of a new database must not be applied to the zones of the one before it.
    const watermark = await watermarks.read();
    const { declaration, zones } = await reread();
    const mirror = await store.read();
    if (!mirror) throw new Error('it does not exist yet');
    const records = new LocalRecords(zones, { declaration, kept });
    const isNew = !mirror.isInitialized || watermark.mirror !== mirror.id;
    const past = { digests: watermark.entries, restoring: watermark.restoring, isNew };
    const merged = merge(records, mirror.entries, past, declaration);
    this.#applier.withhold(merged);
    const restoring = restoredDigests(merged);
    const begun = { ...watermark, mirror: mirror.id, entries: new Map(merged.synced), restoring };
    if (restoring.size > 0) await watermarks.write(watermark, begun);
    const hasChanged = await this.#applier.apply(merged, records);
    this.#scheduleAt(this.#applier.dueAt);
    const isInitialized = (await this.#writeMirror(merged, mirror, declaration.replicas)) || mirror.isInitialized;
    const id = isInitialized ? mirror.id : watermark.mirror;
    const done = { ...watermark, mirror: id, entries: merged.synced, restoring: new Map() };
    await watermarks.write(restoring.size > 0 ? begun : watermark, done);
    return hasChanged;
  }

  /** Returns whether it has written. */
  async #writeMirror({ synced, mirror: desired, retiring }: Merge, mirror: Mirror, replicas: number): Promise<boolean> {
    const { store, log, intervalMs, now, mostBytes } = this.#options;
    const { changes, dropped } = fitBudget(mirror, new Map([...desired, ...this.#retire(retiring)]), mostBytes);
    this.#recordDropped(dropped);
    if (changes.size === 0 && (mirror.isInitialized || synced.size === 0)) return false;
    const dueAt = (this.#writtenAt ?? Number.NEGATIVE_INFINITY) + intervalMs * replicas;
    if (now() < dueAt || !(await store.write(mirror, changes))) {
      // Another replica may have written first: merge with that.
      this.#scheduleAt(Math.max(dueAt, now()));
      return false;
    }
    this.#writtenAt = now();
    for (const [key, entry] of changes) {
      if (entry) synced.set(key, digestOf(entry));
      else synced.delete(key);
    }
    const counts = Map.groupBy(changes.values(), (entry) => (entry ? 'kept' : 'removed'));
    const [kept, removed] = [counts.get('kept')?.length ?? 0, counts.get('removed')?.length ?? 0];
    log.info({ kept, removed }, 'write the mirror');
    return true;
  }

  #recordDropped(dropped: Entry[]): void {
    this.#dropped = dropped;
    const [first] = dropped;
    const failure = first && fullMessage(first, dropped.length, this.#options.name);
    this.#failureLog.record('mirror every record', failure);
  }

  /** Returns the entries whose time is over. */
  #retire(retiring: ReadonlySet<string>): [string, undefined][] {
    const { now, retireMs } = this.#options;
    for (const key of this.#retiring.keys()) if (!retiring.has(key)) this.#retiring.delete(key);
    return [...retiring].flatMap((key): [string, undefined][] => {
      const since = this.#retiring.get(key) ?? now();
      this.#retiring.set(key, since);
      if (now() - since >= retireMs) return [[key, undefined]];
      this.#scheduleAt(since + retireMs);
      return [];
    });
  }

  #scheduleAt(at: number): void {
    this.#dueAt = Math.min(this.#dueAt, at);
  }
}

const restoredDigests = ({ local }: Merge) =>
  new Map(
    [...local].flatMap(([key, { action, entry }]) => (action === 'replace' ? [[key, digestOf(entry)] as const] : [])),
  );

/** Names the first dropped entry, which is one made by hand if there is any. */
function fullMessage({ rrset }: Entry, count: number, store: string): string {
  const { name, type } = rrset;
  const others = count > 1 ? ` and ${count - 1} more` : '';
  const full = ownershipOf(rrset) === 'discovered' ? 'has no room for more names without an object' : 'is full';
  return `${store} ${full}: ${withoutDot(name)} ${type}${others} would be lost with the volume: declare them, or remove what nobody needs`;
}
