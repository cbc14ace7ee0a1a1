import type { AgentClient } from '../kubernetes/agent-client.ts';
import { backoff } from '../lib/backoff.ts';
import { monotonicNow, sameTime, type TimeOf } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import type { SeenEntries } from './seen-entries.ts';
import type { Entry } from './status-entry.ts';
import { type Due, StatusQueue, type StatusUpdate } from './status-queue.ts';

export interface StatusWriterOptions {
  cluster: Pick<AgentClient, 'applyStatusEntry'>;
  /** The name of the InternalDNS; empty while it is not known. */
  instance: () => string;
  seen: Pick<SeenEntries, 'others'>;
  failureLog: Pick<FailureLog, 'record'>;
  now?: () => number;
  timeOf?: TimeOf;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** In all, per object, and for what waits for all others: renewals of the time, and removals of what others have abandoned. */
const limits = {
  overall: { burst: 100, refillMs: 50 },
  perObject: { burst: 5, refillMs: 10 * second },
  renewals: { burst: 1, refillMs: second },
};

/** After so long an entry is written again, so that one which is much older is known as abandoned. docs/machines.md names both. */
const renewMs = 6 * hour;
const abandonedMs = 24 * hour;
/** How often times are compared while nothing else changes. */
const lookMs = minute;
/** A slow API server must not get what is old by the time of the request. */
const turnMs = 2 * second;
const retry = { leastMs: second, mostMs: 30 * second };
/** How long an object is left alone: until the agent sees what it wrote, that the object is gone, or that it was refused. */
const settleMs = { applied: 10 * second, gone: minute, invalid: hour };
/** Before the next request for a kind, or for objects of a kind in one namespace. */
const pauseMs = { unbound: minute, forbidden: 5 * minute };

/**
 * Writes what becomes of Machines, NameClaims and Zones into their status, when it changes. Removes what other InternalDNSes
 * have abandoned: the agent of one that is deleted loses its rights at once. Only one of several replicas has a writer.
 */
export class StatusWriter {
  /** Entries applied and removed; requests that failed. */
  readonly counts = { applied: 0, removed: 0, failed: 0 };
  readonly #options: Required<StatusWriterOptions>;
  readonly #queue: StatusQueue;
  readonly #overall = new TokenBuckets(limits.overall);
  readonly #perObject = new TokenBuckets(limits.perObject);
  readonly #renewals = new TokenBuckets(limits.renewals);
  /** By kind, or kind and namespace. */
  readonly #pausedUntil = new Map<string, number>();
  #backoffUntil = 0;
  #failures = 0;
  #last: { updates: Iterable<StatusUpdate>; at: number } | undefined;
  readonly #draining = new SingleFlight();

  constructor(options: StatusWriterOptions) {
    this.#options = { now: monotonicNow, timeOf: sameTime, ...options };
    this.#queue = new StatusQueue({
      isOld: (entry) => this.#isOld(entry),
      abandonedIn: (resource) => this.#abandonedIn(resource),
    });
  }

  /**
   * Replaces what all objects should say; costs nothing for the same iterable. Whoever stops reading a kind asks for its
   * entries to be removed once, with the objects that it last saw.
   */
  update(updates: Iterable<StatusUpdate>): void {
    const now = this.#options.now();
    if (this.#options.instance() === '') return;
    const last = this.#last;
    if (last?.updates === updates && now - last.at < lookMs && !this.#queue.isSettling) return;
    this.#last = { updates, at: now };
    this.#queue.update(updates, now);
  }

  /** The number of writes that wait. */
  get pending(): number {
    return this.#queue.size;
  }

  /** Writes as much as the limits allow. Call it periodically; never throws. */
  drain(): Promise<void> {
    return this.#draining.run('', () => this.#writeDue());
  }

  async #writeDue(): Promise<void> {
    const endsAt = this.#options.now() + turnMs;
    for (const due of this.#queue.due()) {
      const now = this.#options.now();
      if (now >= endsAt || now < this.#backoffUntil || !this.#overall.hasToken('', now)) return;
      if (canWait(due) && !this.#renewals.hasToken('', now)) return;
      if (this.#isPaused(due, now) || !this.#perObject.hasToken(due.key, now)) continue;
      await this.#write(due, now);
    }
  }

  async #write(due: Due, now: number): Promise<void> {
    const { cluster, instance } = this.#options;
    const { entry } = due.update;
    this.#overall.acquire('', now);
    this.#perObject.acquire(due.key, now);
    if (canWait(due)) this.#renewals.acquire('', now);
    const written = entry && (due.isRenewal ? { ...entry, observedAt: this.#timeAt(now) } : entry);
    const owner = due.abandonedBy ?? instance();
    const { result, failure } = await cluster.applyStatusEntry(due.update, owner, written).catch(unreachable);
    if (result === 'unreachable') return this.#backOff(due, failure);
    this.#failures = 0;
    if (result === 'conflict') return;
    if (result === 'unbound' || result === 'forbidden') return this.#pause(due, result, failure);
    this.#queue.remove(due);
    this.#queue.settle(due, now + (due.abandonedBy === undefined ? settleMs[result] : abandonedMs));
    if (result === 'applied') this.counts[entry ? 'applied' : 'removed'] += 1;
    if (result === 'invalid') this.counts.failed += 1;
    this.#record(due, failure);
    this.#resume(due);
  }

  #isPaused({ update: { kind, namespace } }: Due, now: number): boolean {
    return [kind, `${kind}/${namespace}`].some((key) => now < (this.#pausedUntil.get(key) ?? 0));
  }

  #pause(due: Due, result: 'unbound' | 'forbidden', failure: string | undefined): void {
    const { kind, namespace } = due.update;
    const isUnbound = result === 'unbound';
    this.counts.failed += 1;
    this.#pausedUntil.set(isUnbound ? kind : `${kind}/${namespace}`, this.#options.now() + pauseMs[result]);
    // Who reads the kind no more loses the right at the same time. What remains is known by its time.
    if (isUnbound) this.#queue.removeRemovals(kind);
    this.#record(due, failure, isUnbound ? {} : { namespace });
  }

  #resume(due: Due): void {
    const { kind, namespace } = due.update;
    this.#pausedUntil.delete(kind);
    if (this.#pausedUntil.delete(`${kind}/${namespace}`)) this.#record(due, undefined, { namespace });
  }

  /** It may be this object alone, so others are next. */
  #backOff(due: Due, failure: string | undefined): void {
    this.counts.failed += 1;
    this.#failures += 1;
    this.#backoffUntil = this.#options.now() + backoff(this.#failures, retry);
    this.#queue.defer(due);
    this.#record(due, failure);
  }

  #record({ update: { kind } }: Due, failure: string | undefined, details = {}): void {
    this.#options.failureLog.record(`write the status of ${kind}s`, failure, details);
  }

  /** A time in the future is that of a clock which was wrong. */
  #isOld({ observedAt = '' }: Entry): boolean {
    const { now, timeOf } = this.#options;
    return !(Math.abs(timeOf(now()) - Date.parse(observedAt)) < renewMs);
  }

  /** What has no time, or one in the future, is left alone: a clock may be wrong. */
  #abandonedIn(resource: string): readonly string[] {
    const { seen, instance, now, timeOf } = this.#options;
    const latest = timeOf(now()) - abandonedMs;
    const others = seen.others(resource).filter(({ name }) => name !== instance());
    return others.flatMap(({ name, observedAt }) => (observedAt < latest ? name : []));
  }

  #timeAt(now: number): string {
    return new Date(this.#options.timeOf(now)).toISOString();
  }
}

const canWait = ({ isRenewal, abandonedBy }: Due) => isRenewal || abandonedBy !== undefined;

const unreachable = (error: unknown) => ({ result: 'unreachable' as const, failure: messageOf(error) });
