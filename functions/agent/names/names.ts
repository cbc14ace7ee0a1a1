import type { Claims } from '../discovery/claim.ts';
import { Memo } from '../memo.ts';
import { bounds, type Report } from '../report.ts';
import { byGravity, isCounted, type NameState, nameKey, type Verdict, verdicts } from '../verdict.ts';
import { explained, type Known } from './explanation.ts';
import type { KnownName } from './overview.ts';

export interface NamesOptions {
  /** From the last change of an object until its name answered, in milliseconds. */
  onPropagation?: ((milliseconds: number) => void) | undefined;
  now: () => number;
}

/** Loops of ExternalDNS that a name may take before anybody has to ask why, and milliseconds that it may in any case. */
const patience = { loops: 3, leastMs: 6_000 };

/** What is known of names over time. */
export class Names {
  readonly #options: NamesOptions;
  readonly #explained = new Memo<void>();
  #known = new Map<string, KnownName>();
  #histories = new Map<string, History>();
  #patienceMs = patience.leastMs;
  #list: readonly KnownName[] | undefined;
  /** When a name next ceases to be young: milliseconds since 1970. */
  #due: number | undefined;

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** Sorted by name; the same array for as long as nothing changes. Undefined before anything is known. */
  get list(): readonly KnownName[] | undefined {
    return this.#list;
  }

  follow(intervalSeconds: number): void {
    this.#patienceMs = Math.max(patience.leastMs, patience.loops * intervalSeconds * 1000);
  }

  forget(): void {
    this.#known.clear();
    this.#histories.clear();
    this.#list = undefined;
  }

  /** Says anew how names are, if anything has changed that they depend on. */
  explain(known: Omit<Known, 'isYoung'>): void {
    const { declaration, zones, claims, judged, owners } = known;
    // A name that has just ceased to be young has more to be said of it.
    if (this.#due !== undefined && this.#options.now() >= this.#due) this.#explained.forget();
    const states = owners.map(({ state }) => state);
    this.#explained.get([declaration, claims.revision, ...states, ...judged, ...zones], () => {
      this.#take(explained({ ...known, isYoung: (key) => this.#isYoung(key) }), claims);
    });
  }

  /** How many there are of each verdict, but for what may be on its way. */
  counts(): Record<Verdict, number> {
    const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
    for (const { verdict } of this.#settled()) counts[verdict]++;
    return counts;
  }

  /** For the composite's status; undefined before anything is known. */
  report(): Report['names'] {
    if (!this.#list) return undefined;
    const settled = this.#settled();
    const counted = settled.filter(({ verdict }) => isCounted(verdict));
    return {
      total: counted.length,
      resolved: counted.filter(({ verdict }) => verdict === 'Resolved').length,
      problems: settled
        .filter(({ verdict }) => verdict !== 'Resolved')
        .sort(byGravity)
        .slice(0, bounds.problems)
        .map(({ name, resource, verdict, message }) => ({
          name: name.slice(0, bounds.name),
          resource: resource.slice(0, bounds.resource),
          verdict,
          message: message.slice(0, bounds.message),
        })),
    };
  }

  /** What may be on its way is not told yet: each word of it would be taken back in a moment, and wake Crossplane twice. */
  #settled(): readonly KnownName[] {
    const longAgo = this.#options.now() - this.#patienceMs;
    return (this.#list ?? []).filter(({ verdict, since }) => verdict !== 'Pending' || since <= longAgo);
  }

  /** Whether a name, by its key, has been asked for so recently that it may still be on its way. */
  #isYoung(key: string): boolean {
    const history = this.#histories.get(key);
    return history === undefined || this.#options.now() - history.askedAt < this.#patienceMs;
  }

  #take(states: readonly NameState[], claims: Pick<Claims, 'changedAt'>): void {
    const now = this.#options.now();
    const known = new Map<string, KnownName>();
    const histories = new Map<string, History>();
    let isChanged = states.length !== this.#known.size;
    this.#due = undefined;
    for (const state of states) {
      const key = nameKey(state);
      const before = this.#known.get(key);
      const history = historyAfter(this.#histories.get(key) ?? { askedAt: now }, before);
      histories.set(key, history);
      const after = before && saysSame(before, state) ? before : this.#changed(before, state, history, claims);
      known.set(key, after);
      isChanged ||= before !== after;
      const oldAt = history.askedAt + this.#patienceMs;
      if (state.verdict === 'Pending' && oldAt > now) this.#due = Math.min(this.#due ?? oldAt, oldAt);
    }
    this.#known = known;
    this.#histories = histories;
    if (isChanged || !this.#list) this.#list = [...known.values()];
  }

  #changed(
    before: KnownName | undefined,
    state: NameState,
    { settledAt = Number.NEGATIVE_INFINITY }: History,
    claims: Pick<Claims, 'changedAt'>,
  ): KnownName {
    const now = this.#options.now();
    const since = before?.verdict === state.verdict ? before.since : now;
    const isAnswered = state.verdict === 'Resolved' && !sameAnswers(before, state);
    const changedAt = isAnswered ? claims.changedAt(state.resource) : undefined;
    // What settled since the object changed has now changed for another reason: a rival that went, or a zone that came.
    const isCause = changedAt !== undefined && changedAt > settledAt;
    const propagation = isCause ? Math.max(0, now - changedAt) : before?.propagation;
    if (isCause && propagation !== undefined) this.#options.onPropagation?.(propagation);
    return { ...state, since, ...(propagation !== undefined && { propagation }) };
  }
}

/** When a name was first asked for, and when it last came to a verdict that was not Pending: milliseconds since 1970. */
interface History {
  askedAt: number;
  settledAt?: number;
}

const historyAfter = (history: History, before: KnownName | undefined): History =>
  before && before.verdict !== 'Pending' && before.since !== history.settledAt
    ? { ...history, settledAt: before.since }
    : history;

const saysSame = (a: NameState, b: NameState) =>
  a.verdict === b.verdict && a.message === b.message && a.zone === b.zone && sameAnswers(a, b);

const sameAnswers = (a: NameState | undefined, b: NameState) =>
  a?.answers.length === b.answers.length && b.answers.every((answer, index) => answer === a.answers[index]);
