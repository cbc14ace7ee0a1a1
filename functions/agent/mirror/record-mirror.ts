import type { Logger } from 'pino';
import { withoutDot } from '../../dns/name.ts';
import type { CurrentZones } from '../discovery/provider.ts';
import { monotonicNow } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import { FailureLog } from '../lib/failure-log.ts';
import { areSame } from '../lib/memo.ts';
import { ownershipOf } from '../powerdns/rrset.ts';
import { fitting, mostBytes } from './budget.ts';
import { digestOf, type Entry } from './entry.ts';
import { type Merge, merge } from './merge.ts';
import type { Mirror, MirrorStore } from './mirror-store.ts';
import { OnlyHere } from './only-here.ts';
import { Takeover, type TakeoverOptions } from './takeover.ts';
import type { Agreements } from './watermark.ts';

export interface RecordMirrorOptions {
  database: TakeoverOptions['database'];
  agreements: Pick<Agreements, 'read' | 'write'>;
  store: MirrorStore;
  /** What people call the store, such as `ConfigMap idns-corp-kept`. */
  name: string;
  log: Logger;
  /**
   * How far apart two writes of one replica are; of several, so many times as far. Each wakes Crossplane, which stops
   * listening to a chatterer.
   */
  intervalMs?: number;
  /** How long what follows from the declaration or from objects again stays: another replica may hear of them later. */
  retireMs?: number;
  /** How long verdicts wait for what is to be restored. */
  patienceMs?: number;
  mostBytes?: number;
  now?: () => number;
}

/** How long after a failure it is tried again: everybody waits meanwhile. Milliseconds. */
const retryMs = 5_000;

/**
 * Keeps what exists nowhere else, made by hand or kept without an object, in a store outside the volumes, and takes over what
 * others have put there.
 */
export class RecordMirror {
  readonly #options: Required<RecordMirrorOptions>;
  readonly #failureLog: FailureLog;
  readonly #startedAt: number;
  readonly #takeover: Takeover;
  readonly #retiring = new Map<string, number>();
  #wasBrought = false;
  #failingSince: number | undefined;
  #failure: string | undefined;
  #leftOut: Entry[] = [];
  #writtenAt: number | undefined;
  /** What the last merge was made of, and when there is something to do without another. */
  #seen: readonly unknown[] | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #triesAgainAt = Number.NEGATIVE_INFINITY;

  constructor(options: RecordMirrorOptions) {
    const defaults = { intervalMs: 10_000, retireMs: 60_000, patienceMs: 30_000, mostBytes, now: monotonicNow };
    this.#options = { ...defaults, ...options };
    this.#failureLog = new FailureLog(options.log);
    this.#startedAt = this.#options.now();
    const { database, log, now } = this.#options;
    this.#takeover = new Takeover({ database, log, now, failureLog: this.#failureLog });
  }

  /** Whether something may still be to be restored. What cannot be read at all is not waited for. */
  get isAwaited(): boolean {
    const { now, patienceMs } = this.#options;
    return !this.#wasBrought && now() - this.#startedAt < patienceMs;
  }

  /** What people should know. */
  get warnings(): string[] {
    const { name, now, patienceMs } = this.#options;
    const [first] = this.#leftOut;
    const failsLong = this.#failingSince !== undefined && now() - this.#failingSince >= patienceMs;
    return [
      ...(first ? [whyFull(first, this.#leftOut.length, name)] : []),
      ...(failsLong ? [`cannot mirror what exists on a volume only: ${this.#failure}`] : []),
    ];
  }

  /**
   * Makes zones and mirror say the same, as far as it may at the moment; true when it has changed a zone. Never throws: zones
   * are served without it.
   * @param reread the zones as they are by now
   * @param kept as `Circumstances` have it, and the same object while it says the same
   */
  async bring(
    present: CurrentZones,
    reread: () => Promise<CurrentZones>,
    kept: ReadonlySet<string> | undefined,
  ): Promise<boolean> {
    const { store, now, name } = this.#options;
    const of = [present.declaration, kept, store.version, ...present.zones];
    const isSame = this.#seen !== undefined && areSame(of, this.#seen);
    if (now() < (isSame ? this.#dueAt : this.#triesAgainAt)) return false;
    this.#seen = of;
    this.#dueAt = Number.POSITIVE_INFINITY;
    try {
      const hasChanged = await this.#merge(reread, kept);
      this.#wasBrought = true;
      this.#note(undefined);
      return hasChanged;
    } catch (error) {
      this.#seen = undefined;
      this.#triesAgainAt = now() + retryMs;
      this.#note(`${name}: ${messageOf(error)}`);
      return true;
    }
  }

  #note(failure: string | undefined): void {
    this.#failure = failure;
    this.#failingSince = failure === undefined ? undefined : (this.#failingSince ?? this.#options.now());
    this.#failureLog.record('mirror what exists nowhere else', failure);
  }

  async #merge(reread: () => Promise<CurrentZones>, kept: ReadonlySet<string> | undefined): Promise<boolean> {
    const { agreements, store } = this.#options;
    // Before the zones: what a database that is new remembers must not be said of the one before it.
    const agreement = await agreements.read();
    const { declaration, zones } = await reread();
    const mirror = await store.read();
    if (!mirror) throw new Error('it is not there yet');
    const here = new OnlyHere(zones, { declaration, kept });
    const isNew = !mirror.isKept || agreement.mirror !== mirror.id;
    const past = { agreed: agreement.entries, taking: agreement.taking, isNew };
    const merged = merge(here, mirror.entries, past, declaration);
    this.#takeover.withhold(merged);
    const taking = takenOf(merged);
    const begun = { ...agreement, mirror: mirror.id, entries: new Map(merged.agreed), taking };
    if (taking.size > 0) await agreements.write(agreement, begun);
    const hasChanged = await this.#takeover.change(merged, here);
    this.#comeBack(this.#takeover.dueAt);
    const isKept = (await this.#writeMirror(merged, mirror, declaration.replicas)) || mirror.isKept;
    const id = isKept ? mirror.id : agreement.mirror;
    const done = { ...agreement, mirror: id, entries: merged.agreed, taking: new Map() };
    await agreements.write(taking.size > 0 ? begun : agreement, done);
    return hasChanged;
  }

  /** Whether it has. */
  async #writeMirror({ agreed, mirror: wanted, retiring }: Merge, mirror: Mirror, replicas: number): Promise<boolean> {
    const { store, log, intervalMs, now, mostBytes } = this.#options;
    const { changes, leftOut } = fitting(mirror, new Map([...wanted, ...this.#retire(retiring)]), mostBytes);
    this.#leave(leftOut);
    if (changes.size === 0 && (mirror.isKept || agreed.size === 0)) return false;
    const dueAt = (this.#writtenAt ?? Number.NEGATIVE_INFINITY) + intervalMs * replicas;
    if (now() < dueAt || !(await store.write(mirror, changes))) {
      // Where another replica was faster its word counts.
      this.#comeBack(Math.max(dueAt, now()));
      return false;
    }
    this.#writtenAt = now();
    for (const [key, entry] of changes) {
      if (entry) agreed.set(key, digestOf(entry));
      else agreed.delete(key);
    }
    const counts = Map.groupBy(changes.values(), (entry) => (entry ? 'kept' : 'removed'));
    const [kept, removed] = [counts.get('kept')?.length ?? 0, counts.get('removed')?.length ?? 0];
    log.info({ kept, removed }, 'write the mirror');
    return true;
  }

  #leave(leftOut: Entry[]): void {
    this.#leftOut = leftOut;
    const [first] = leftOut;
    const failure = first && whyFull(first, leftOut.length, this.#options.name);
    this.#failureLog.record('mirror every record', failure);
  }

  /** Those whose time has come. */
  #retire(retiring: ReadonlySet<string>): [string, undefined][] {
    const { now, retireMs } = this.#options;
    for (const key of this.#retiring.keys()) if (!retiring.has(key)) this.#retiring.delete(key);
    return [...retiring].flatMap((key): [string, undefined][] => {
      const since = this.#retiring.get(key) ?? now();
      this.#retiring.set(key, since);
      if (now() - since >= retireMs) return [[key, undefined]];
      this.#comeBack(since + retireMs);
      return [];
    });
  }

  #comeBack(at: number): void {
    this.#dueAt = Math.min(this.#dueAt, at);
  }
}

const takenOf = ({ local }: Merge) =>
  new Map(
    [...local].flatMap(([key, { action, entry }]) => (action === 'replace' ? [[key, digestOf(entry)] as const] : [])),
  );

/** Of those left out the first is told, which is one made by hand if there are such. */
function whyFull({ rrset }: Entry, count: number, store: string): string {
  const { name, type } = rrset;
  const others = count > 1 ? ` and ${count - 1} more` : '';
  const full = ownershipOf(rrset) === 'discovered' ? 'has no room for more names without an object' : 'is full';
  return `${store} ${full}: ${withoutDot(name)} ${type}${others} would be lost with the volume: declare them, or remove what nobody needs`;
}
