import { type NameState, nameKey } from '../../contract/verdict.ts';
import type { SourceObject } from '../sources/source-object.ts';
import { eventType } from './event.ts';

export interface EventQueueOptions {
  /** Looks up an object, including one that a filter leaves out. Without its uid no event can refer to it. */
  sourceObjectOf: (resource: string) => Pick<SourceObject, 'uid'> | undefined;
  /** Called when a pending event becomes obsolete before it was published. */
  onObsolete: () => void;
  now: () => number;
}

/** A host of an object. */
export interface HostEntry {
  uid: string | undefined;
  state: NameState;
  /** When the state last changed: milliseconds since 1970. */
  since: number;
  /** The state that was last published, and when: milliseconds since 1970. */
  published: NameState | undefined;
  publishedAt: number;
  /** Set while the state is to be published again, on behalf of this many other hosts of the object. */
  repeat?: { otherHosts: number } | undefined;
  /** The last update that contained the host; -1 once it has been removed. */
  generation: number;
}

/** The hosts whose state has not been published yet; a newer state of a host replaces the pending one. Does no I/O. */
export class EventQueue {
  readonly #options: EventQueueOptions;
  readonly #hosts = new Map<string, HostEntry>();
  readonly #pending = new Set<HostEntry>();
  #states: readonly NameState[] = [];
  #generation = 0;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  /** The hosts to publish, oldest first. May change during iteration. */
  get pending(): ReadonlySet<HostEntry> {
    return this.#pending;
  }

  /** Replaces the states of all hosts. Hosts that resolve in the first list are not published: they may have done so for long. */
  update(states: readonly NameState[]): void {
    if (states === this.#states) return;
    this.#states = states;
    this.#generation += 1;
    for (const state of states) this.#updateHost(state);
    for (const [key, host] of this.#hosts) if (host.generation !== this.#generation) this.#remove(key, host);
  }

  /** Queues one unresolved host of each object again, unless an event on the object was published after a time. */
  requeueOlderThan(time: number): void {
    const unresolved = [...this.#hosts.values()].filter(isPublishedProblem);
    for (const ofObject of Map.groupBy(unresolved, ({ uid }) => uid).values()) {
      const [host, ...others] = ofObject;
      if (!host || ofObject.some((each) => each.publishedAt > time || this.#pending.has(each))) continue;
      host.repeat = { otherHosts: others.length };
      this.#pending.add(host);
    }
  }

  /** Records that a state of a host was published. Meanwhile the host may have another one, or be gone. */
  markPublished(host: HostEntry, state: NameState, publishedAt: number): void {
    host.published = isEquivalent(state, host.state) ? host.state : state;
    host.publishedAt = publishedAt;
    host.repeat = undefined;
    if (needsEvent(host) && host.generation === this.#generation) this.#pending.add(host);
    else this.#pending.delete(host);
  }

  #updateHost(state: NameState): void {
    const { sourceObjectOf, now } = this.#options;
    const key = nameKey(state);
    const uid = sourceObjectOf(state.resource)?.uid;
    const previous = this.#hosts.get(key);
    // The object was deleted and created again under the same name.
    if (previous?.uid !== undefined && uid !== undefined && uid !== previous.uid) this.#remove(key, previous);
    const host = this.#hosts.get(key) ?? newHost(uid, state, now());
    if (!isEquivalent(host.state, state)) {
      host.since = now();
      host.repeat = undefined;
    }
    const isPublished = host.published
      ? isEquivalent(host.published, state)
      : this.#generation === 1 && state.verdict === 'Resolved';
    // Holding the equivalent new state instead of the old one lets the previous list be collected.
    if (isPublished) host.published = state;
    host.uid = uid ?? host.uid;
    host.state = state;
    host.generation = this.#generation;
    this.#hosts.set(key, host);
    if (needsEvent(host)) this.#pending.add(host);
    else this.#dequeue(host);
  }

  #remove(key: string, host: HostEntry): void {
    host.generation = -1;
    this.#hosts.delete(key);
    this.#dequeue(host);
  }

  #dequeue(host: HostEntry): void {
    if (this.#pending.delete(host)) this.#options.onObsolete();
  }
}

const newHost = (uid: string | undefined, state: NameState, since: number): HostEntry => ({
  uid,
  state,
  since,
  published: undefined,
  publishedAt: 0,
  generation: 0,
});

/** A Pending host changes within seconds, so it gets no event unless it is late. */
const needsEvent = ({ uid, state, published, repeat }: HostEntry) =>
  uid !== undefined &&
  (state.verdict !== 'Pending' || state.isLate === true) &&
  (published !== state || repeat !== undefined);

const isPublishedProblem = ({ uid, state, published }: HostEntry) =>
  uid !== undefined && published === state && eventType(state.verdict) === 'Warning';

/** Whether two states of a host read the same: the order of addresses does not matter. */
function isEquivalent(one: NameState, other: NameState): boolean {
  if (one === other) return true;
  if (one.verdict !== other.verdict) return false;
  if (one.verdict !== 'Resolved') return one.message === other.message;
  const isIn = (answer: string, index: number) => answer === other.answers[index] || other.answers.includes(answer);
  return one.answers.length === other.answers.length && one.answers.every(isIn);
}
