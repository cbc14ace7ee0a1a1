import type { NameState } from '../../contract/verdict.ts';
import type { EventCreation } from '../kubernetes/agent-client.ts';
import type { CoreEvent, ObjectReference } from '../kubernetes/object.ts';
import { backoff } from '../lib/backoff.ts';
import { monotonicNow, sameTime, type TimeOf } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { SingleFlight } from '../lib/single-flight.ts';
import { TokenBuckets } from '../lib/token-buckets.ts';
import { eventOf, eventPeriod, eventType } from './event.ts';
import { EventQueue, type EventQueueOptions, type HostEntry } from './event-queue.ts';

export interface EventRecorderOptions {
  /** Throws if the API server does not answer, or returns an unknown error. */
  create: (event: CoreEvent) => Promise<EventCreation>;
  sourceObjectOf: EventQueueOptions['sourceObjectOf'];
  /** Undefined for an unknown kind, whose objects get no events. */
  referenceOf: (resource: string, uid: string) => ObjectReference | undefined;
  /** The name of the InternalDNS. */
  instance: () => string;
  /** The pod. */
  reporter: string;
  failureLog: Pick<FailureLog, 'record'>;
  now?: () => number;
  timeOf?: TimeOf;
}

const action = 'create events';
const minute = 60_000;
/** Milliseconds: the bounds of the backoff after a failure, and the pause for a namespace after a refusal. */
const retryAfter = { leastMs: 1_000, mostMs: 30_000, forbiddenMs: 5 * minute };

/**
 * As client-go limits every component: per object and type a burst of 25, then one in five minutes.
 * https://github.com/kubernetes/client-go/blob/v0.34.4/tools/record/events_cache.go#L43
 */
const perObject = { burst: 25, refillMs: 5 * minute };
/** As kubelet: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ (eventRecordQPS, eventBurst) */
const overall = { burst: 100, refillMs: 20 };

/** Publishes a Kubernetes event on an object whenever the state of one of its hosts changes. */
export class EventRecorder {
  /** Events created; already in the cluster; obsolete, or without a namespace, before they were created; failed. */
  readonly counts = { created: 0, known: 0, dropped: 0, failed: 0 };
  readonly #options: Required<EventRecorderOptions>;
  readonly #queue: EventQueue;
  readonly #perObject = new TokenBuckets(perObject);
  readonly #overall = new TokenBuckets(overall);
  /** Until when no request is sent, or none for a namespace: milliseconds since 1970. */
  #backoffUntil = 0;
  readonly #forbiddenUntil = new Map<string, number>();
  #failures = 0;
  #startedAt: number | undefined;
  #requeuedAt = 0;
  /** The names of the events published in the current minute. */
  #recent = { minute: 0, names: new Set<string>() };
  readonly #draining = new SingleFlight();

  constructor(options: EventRecorderOptions) {
    const { sourceObjectOf, now = monotonicNow, timeOf = sameTime } = options;
    const onObsolete = () => {
      this.counts.dropped += 1;
    };
    this.#options = { now, timeOf, ...options };
    this.#queue = new EventQueue({ sourceObjectOf, now, onObsolete });
  }

  /**
   * Replaces the states of all hosts; costs nothing for the same array. Must not be called before all objects and zones
   * are known, since hosts that resolve in the first list get no event.
   */
  update(states: readonly NameState[]): void {
    this.#queue.update(states);
  }

  /** The number of hosts whose state has not been published yet. */
  get pending(): number {
    return this.#queue.pending.size;
  }

  /** Publishes as many pending events as the limits allow. Call it periodically; never throws. */
  drain(): Promise<void> {
    return this.#draining.run('', () => this.#publishPending());
  }

  async #publishPending(): Promise<void> {
    this.#requeue(this.#options.now());
    for (const host of this.#queue.pending) {
      const now = this.#options.now();
      if (now < this.#backoffUntil || !this.#overall.hasToken('', now)) return;
      const event = this.#nextEvent(host, now);
      if (event) await this.#publish(host, event, now);
    }
  }

  /** Once a minute, queues again what Kubernetes is about to delete. */
  #requeue(now: number): void {
    this.#startedAt ??= now;
    if (now >= this.#requeuedAt && now - this.#requeuedAt < minute) return;
    this.#requeuedAt = now;
    this.#queue.requeueOlderThan(now - eventPeriod);
  }

  /** Undefined if the event may not be published now, or never. */
  #nextEvent(host: HostEntry, now: number): CoreEvent | undefined {
    const { referenceOf, instance, reporter, timeOf } = this.#options;
    const { uid, state, since, published, repeat } = host;
    const object = uid === undefined ? undefined : referenceOf(state.resource, uid);
    if (!object) return void this.#markPublished(host, state, 'dropped');
    if (now < (this.#forbiddenUntil.get(object.namespace ?? '') ?? 0)) return undefined;
    if (!this.#perObject.hasToken(`${uid} ${eventType(state.verdict)}`, now)) return undefined;
    const thisMinute = Math.floor(timeOf(now) / minute);
    // Other replicas, or this one before a restart, may publish the first state of a host, and a repeated one, as well.
    const dedupeKey = published && !repeat ? thisMinute : periodOf(timeOf(now));
    const origin = { object, instance: instance(), reporter };
    const event = eventOf({ state, ...origin, since: timeOf(since), dedupeKey, ...repeat });
    if (this.#recent.minute !== thisMinute) this.#recent = { minute: thisMinute, names: new Set() };
    // A state that returns within the minute has the name of its first event, and would not become the latest one.
    return this.#recent.names.has(nameOf(event)) ? undefined : event;
  }

  async #publish(host: HostEntry, event: CoreEvent, now: number): Promise<void> {
    const { create, failureLog } = this.#options;
    const { state, published } = host;
    const namespace = event.involvedObject.namespace ?? '';
    this.#overall.acquire('', now);
    const { result, failure } = await create(event).catch(unreachable);
    if (result === 'unreachable') return this.#backOff(failure);
    this.#failures = 0;
    if (result === 'forbidden') return this.#pauseNamespace(namespace, failure);
    failureLog.record(action, result === 'invalid' ? failure : undefined);
    if (this.#forbiddenUntil.delete(namespace)) failureLog.record(action, undefined, { namespace });
    this.#recent.names.add(nameOf(event));
    // Events that a restart finds already published do not count toward the limit.
    if (result === 'created' || published) this.#perObject.acquire(`${event.involvedObject.uid} ${event.type}`, now);
    this.#markPublished(host, state, counters[result], this.#publishedAt(host, result, now));
  }

  /** An event found at the start may be from any time of the current period: assume its beginning. */
  #publishedAt({ published }: HostEntry, result: EventCreation['result'], now: number): number {
    const isFromBefore = result === 'known' && !published && now - (this.#startedAt ?? now) < startMs;
    const time = this.#options.timeOf(now);
    return isFromBefore ? now - (time - periodOf(time) * eventPeriod) : now;
  }

  #markPublished(
    host: HostEntry,
    state: NameState,
    counter: keyof EventRecorder['counts'],
    publishedAt = this.#options.now(),
  ): void {
    this.counts[counter] += 1;
    this.#queue.markPublished(host, state, publishedAt);
  }

  #backOff(failure: string | undefined): void {
    const { now, failureLog } = this.#options;
    this.counts.failed += 1;
    this.#failures += 1;
    this.#backoffUntil = now() + backoff(this.#failures, retryAfter);
    failureLog.record(action, failure);
  }

  /** A quota or a policy may reject events in one namespace only. */
  #pauseNamespace(namespace: string, failure: string | undefined): void {
    const { now, failureLog } = this.#options;
    this.counts.failed += 1;
    this.#forbiddenUntil.set(namespace, now() + retryAfter.forbiddenMs);
    failureLog.record(action, failure, { namespace });
  }
}

/** How long after the start an event that exists is taken for one from before it. Milliseconds. */
const startMs = 2 * minute;
const periodOf = (time: number) => Math.floor(time / eventPeriod);

const counters = { created: 'created', known: 'known', gone: 'dropped', invalid: 'failed' } as const;

const unreachable = (error: unknown) => ({ result: 'unreachable' as const, failure: messageOf(error) });

const nameOf = ({ metadata }: CoreEvent) => metadata.name;
