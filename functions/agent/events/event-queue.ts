import { type NameState, nameKey } from '../../contract/verdict.ts';
import type { SourceObject } from '../sources/source-object.ts';
import { typeOf } from './event.ts';

export interface EventQueueOptions {
  /** What is known of an object, also of one that a filter leaves out. Without its uid there is nothing to tell on it. */
  sourceObjectOf: (resource: string) => Pick<SourceObject, 'uid'> | undefined;
  /** Called for what was news and is none any more, though nobody has heard it. */
  onOvertaken: () => void;
  now: () => number;
}

/** A host of an object. */
export interface Host {
  uid: string | undefined;
  state: NameState;
  /** When it became what it is: milliseconds since 1970. */
  since: number;
  /** What people know of it, and when they were told: milliseconds since 1970. */
  told: NameState | undefined;
  toldAt: number;
  /** Whether it is to be told again, for its object, with so many others. */
  again?: { others: number } | undefined;
  /** The last list that had it. */
  round: number;
}

/** Pure but for its memory: what people have not heard yet of the hosts, of each the latest. */
export class EventQueue {
  readonly #options: EventQueueOptions;
  readonly #hosts = new Map<string, Host>();
  readonly #waiting = new Set<Host>();
  #announced: readonly NameState[] = [];
  #round = 0;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  /** What is to be told, the oldest first. It may change while somebody goes through it. */
  get waiting(): ReadonlySet<Host> {
    return this.#waiting;
  }

  /** Takes the states of all hosts. Those of the first list that resolve are taken for known; an empty one is none. */
  announce(states: readonly NameState[]): void {
    if (states === this.#announced) return;
    this.#announced = states;
    if (states.length > 0 || this.#round > 0) this.#round += 1;
    for (const state of states) this.#hear(state);
    for (const [key, host] of this.#hosts) if (host.round !== this.#round) this.#forget(key, host);
  }

  /** Of each object one host that does not resolve is to be told again, if nothing was told on it since a time. */
  repeat(since: number): void {
    const open = [...this.#hosts.values()].filter(isOpen);
    for (const ofObject of Map.groupBy(open, ({ uid }) => uid).values()) {
      const [host, ...others] = ofObject;
      if (!host || ofObject.some((each) => each.toldAt > since || this.#waiting.has(each))) continue;
      host.again = { others: others.length };
      this.#waiting.add(host);
    }
  }

  /** Whoever told it says what it was, and when: it may be another one since, or gone. */
  settle(host: Host, told: NameState, toldAt: number): void {
    host.told = isSame(told, host.state) ? host.state : told;
    host.toldAt = toldAt;
    host.again = undefined;
    if (isNews(host) && host.round === this.#round) this.#waiting.add(host);
    else this.#waiting.delete(host);
  }

  #hear(state: NameState): void {
    const { sourceObjectOf, now } = this.#options;
    const key = nameKey(state);
    const uid = sourceObjectOf(state.resource)?.uid;
    const before = this.#hosts.get(key);
    const isAnother = before?.uid !== undefined && uid !== undefined && uid !== before.uid;
    // Another object of that name: nothing has been told on this one.
    if (isAnother) this.#forget(key, before);
    const host = this.#hosts.get(key) ?? { uid, state, since: now(), told: undefined, toldAt: 0, round: 0 };
    if (!isSame(host.state, state)) {
      host.since = now();
      host.again = undefined;
    }
    const isKnown = host.told ? isSame(host.told, state) : this.#round === 1 && state.verdict === 'Resolved';
    // An equal one instead of what it was keeps no list in memory but the last.
    if (isKnown) host.told = state;
    host.uid = uid ?? host.uid;
    host.state = state;
    host.round = this.#round;
    this.#hosts.set(key, host);
    if (isNews(host)) this.#waiting.add(host);
    else this.#drop(host);
  }

  #forget(key: string, host: Host): void {
    host.round = -1;
    this.#hosts.delete(key);
    this.#drop(host);
  }

  #drop(host: Host): void {
    if (this.#waiting.delete(host)) this.#options.onOvertaken();
  }
}

/** That something is on its way is no news: in seconds there will be some. */
const isNews = ({ uid, state, told, again }: Host) =>
  uid !== undefined &&
  (state.verdict !== 'Pending' || state.isLate === true) &&
  (told !== state || again !== undefined);

/** Whether people know that it does not resolve, and that is not as somebody wanted it. */
const isOpen = ({ uid, state, told }: Host) =>
  uid !== undefined && told === state && typeOf(state.verdict) === 'Warning';

/** Whether two states of a host are the same to people. */
function isSame(one: NameState, other: NameState): boolean {
  if (one === other) return true;
  if (one.verdict !== other.verdict) return false;
  if (one.verdict !== 'Resolved') return one.message === other.message;
  const isIn = (answer: string, index: number) => answer === other.answers[index] || other.answers.includes(answer);
  return one.answers.length === other.answers.length && one.answers.every(isIn);
}
