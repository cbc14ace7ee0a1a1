import type { NameState } from '../../contract/verdict.ts';
import type { EventCreation } from '../kubernetes/agent-client.ts';
import type { CoreEvent, ObjectReference } from '../kubernetes/object.ts';
import { backoff } from '../lib/backoff.ts';
import { monotonicNow, sameTime, type TimeOf } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { eventOf, eventPeriod, typeOf } from './event.ts';
import { EventQueue, type EventQueueOptions, type Host } from './event-queue.ts';
import { TokenBuckets } from './token-buckets.ts';

export interface EventsOptions {
  /** Throws where nobody answers, or with nothing that says more. */
  create: (event: CoreEvent) => Promise<EventCreation>;
  sourceObjectOf: EventQueueOptions['sourceObjectOf'];
  /** Undefined for a kind that nothing more is known of: there is no event on it. */
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
/** Milliseconds: after what may be over soon, and after a refusal that somebody has to look at. */
const retryAfter = { leastMs: 1_000, mostMs: 30_000, forbiddenMs: 5 * minute };

/**
 * As client-go has it for every component: on an object 25 of a type at once, then one in five minutes.
 * https://github.com/kubernetes/client-go/blob/v0.34.4/tools/record/events_cache.go#L43
 */
const perObject = { burst: 25, refillMs: 5 * minute };
/** As kubelet has it: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ (eventRecordQPS, eventBurst) */
const together = { burst: 100, refillMs: 20 };

/** Tells people on an object itself what has become of its hosts, when that changes, and only then. */
export class Events {
  /** Of events: made; there already; overtaken or without a namespace before they were made; refused or not answered. */
  readonly counts = { created: 0, known: 0, dropped: 0, failed: 0 };
  readonly #options: Required<EventsOptions>;
  readonly #news: EventQueue;
  readonly #perObject = new TokenBuckets(perObject);
  readonly #together = new TokenBuckets(together);
  /** Until when nothing is asked of the API server, or nothing in a namespace: milliseconds since 1970. */
  #restsUntil = 0;
  readonly #forbiddenUntil = new Map<string, number>();
  #failures = 0;
  #startedAt: number | undefined;
  #repeatedAt = 0;
  /** The names of the events of this minute. */
  #recent = { minute: 0, names: new Set<string>() };
  #run: Promise<void> | undefined;

  constructor(options: EventsOptions) {
    const { sourceObjectOf, now = monotonicNow, timeOf = sameTime } = options;
    const onOvertaken = () => {
      this.counts.dropped += 1;
    };
    this.#options = { now, timeOf, ...options };
    this.#news = new EventQueue({ sourceObjectOf, now, onOvertaken });
  }

  /**
   * Takes the states of all hosts; the same list again costs nothing. Those that resolve in the first one that is not
   * empty are taken for known, so there must be none before all objects and zones are known.
   */
  announce(states: readonly NameState[]): void {
    this.#news.announce(states);
  }

  /** How many hosts have news that are not told yet. */
  get waiting(): number {
    return this.#news.waiting.size;
  }

  /** Sends what may be sent by now. To be called again and again; nothing is thrown. */
  drain(): Promise<void> {
    this.#run ??= this.#send().finally(() => {
      this.#run = undefined;
    });
    return this.#run;
  }

  async #send(): Promise<void> {
    this.#repeat(this.#options.now());
    for (const host of this.#news.waiting) {
      const now = this.#options.now();
      if (now < this.#restsUntil || !this.#together.has('', now)) return;
      const event = this.#eventOf(host, now);
      if (event) await this.#tell(host, event, now);
    }
  }

  /** Looks once a minute what has to be told again. */
  #repeat(now: number): void {
    this.#startedAt ??= now;
    if (now >= this.#repeatedAt && now - this.#repeatedAt < minute) return;
    this.#repeatedAt = now;
    this.#news.repeat(now - eventPeriod);
  }

  /** Undefined while it may not be sent, or ever. */
  #eventOf(host: Host, now: number): CoreEvent | undefined {
    const { referenceOf, instance, reporter, timeOf } = this.#options;
    const { uid, state, since, told, again } = host;
    const object = uid === undefined ? undefined : referenceOf(state.resource, uid);
    if (!object) return void this.#settle(host, state, 'dropped');
    if (now < (this.#forbiddenUntil.get(object.namespace ?? '') ?? 0)) return undefined;
    if (!this.#perObject.has(`${uid} ${typeOf(state.verdict)}`, now)) return undefined;
    const thisMinute = Math.floor(timeOf(now) / minute);
    // What is first said of a host others may say, too, and this process before it was restarted; and what is said again.
    const occasion = told && !again ? thisMinute : periodOf(timeOf(now));
    const who = { object, instance: instance(), reporter };
    const event = eventOf({ state, ...who, since: timeOf(since), occasion, ...again });
    if (this.#recent.minute !== thisMinute) this.#recent = { minute: thisMinute, names: new Set() };
    // What comes back within the minute would be taken for the first time, and the last that people see be wrong.
    return this.#recent.names.has(nameOf(event)) ? undefined : event;
  }

  async #tell(host: Host, event: CoreEvent, now: number): Promise<void> {
    const { create, failureLog } = this.#options;
    const { state, told } = host;
    const namespace = event.involvedObject.namespace ?? '';
    this.#together.take('', now);
    const { result, failure } = await create(event).catch(away);
    if (result === 'away') return this.#rest(failure);
    this.#failures = 0;
    if (result === 'forbidden') return this.#leave(namespace, failure);
    failureLog.record(action, result === 'invalid' ? failure : undefined);
    if (this.#forbiddenUntil.delete(namespace)) failureLog.record(action, undefined, { namespace });
    this.#recent.names.add(nameOf(event));
    // That a restart finds everything said already is no reason to say less from then on.
    if (result === 'created' || told) this.#perObject.take(`${event.involvedObject.uid} ${event.type}`, now);
    this.#settle(host, state, counters[result], this.#toldAt(host, result, now));
  }

  /** What was there when this process began may have been told at any time of this period. */
  #toldAt({ told }: Host, result: EventCreation['result'], now: number): number {
    const isOfBefore = result === 'known' && !told && now - (this.#startedAt ?? now) < startMs;
    const time = this.#options.timeOf(now);
    return isOfBefore ? now - (time - periodOf(time) * eventPeriod) : now;
  }

  #settle(host: Host, told: NameState, counter: keyof Events['counts'], toldAt = this.#options.now()): void {
    this.counts[counter] += 1;
    this.#news.settle(host, told, toldAt);
  }

  #rest(failure: string | undefined): void {
    const { now, failureLog } = this.#options;
    this.counts.failed += 1;
    this.#failures += 1;
    this.#restsUntil = now() + backoff(this.#failures, retryAfter);
    failureLog.record(action, failure);
  }

  /** A quota or a policy may be against it in one namespace, while all is well in the others. */
  #leave(namespace: string, failure: string | undefined): void {
    const { now, failureLog } = this.#options;
    this.counts.failed += 1;
    this.#forbiddenUntil.set(namespace, now() + retryAfter.forbiddenMs);
    failureLog.record(action, failure, { namespace });
  }
}

/** So long after its start it tells what it finds, and not what happens. Milliseconds. */
const startMs = 2 * minute;
const periodOf = (time: number) => Math.floor(time / eventPeriod);

const counters = { created: 'created', known: 'known', gone: 'dropped', invalid: 'failed' } as const;

const away = (error: unknown) => ({ result: 'away' as const, failure: messageOf(error) });

const nameOf = ({ metadata }: CoreEvent) => metadata.name;
