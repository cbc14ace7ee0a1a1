import { bounds, type Report } from '../../contract/report.ts';
import { bySeverity, isCounted, type NameState, nameKey, type Verdict, verdicts } from '../../contract/verdict.ts';
import { Memo } from '../lib/memo.ts';
import type { OutOfZoneNames } from '../resolver/out-of-zone-resolver.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { type ExplainInput, explainNames, type HostRef } from './explanation.ts';
import { GracePeriod } from './grace-period.ts';
import type { TrackedName } from './overview.ts';

export interface NamesOptions {
  /** From the last change of an object until its name answered, in milliseconds. */
  onPropagation?: ((milliseconds: number) => void) | undefined;
  now: () => number;
}

/** What is known of names over time. */
export class Names {
  readonly #options: NamesOptions;
  readonly #explained = new Memo<void>();
  readonly #patience = new GracePeriod();
  #known = new Map<string, TrackedName>();
  #histories = new Map<string, History>();
  #list: readonly TrackedName[] | undefined;
  #declared: { as?: ExplainInput['declaration']; at: number } = { at: Number.NEGATIVE_INFINITY };

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** Sorted by name; the same array for as long as nothing changes. Undefined before anything is known. */
  get list(): readonly TrackedName[] | undefined {
    return this.#list;
  }

  setSyncInterval(intervalSeconds: number): void {
    this.#patience.follow(intervalSeconds);
  }

  clear(): void {
    this.#known.clear();
    this.#histories.clear();
    this.#list = undefined;
  }

  /** Says anew how names are, if anything has changed that they depend on. */
  update(known: Omit<ExplainInput, 'isNew' | 'isRecentlyChanged' | 'outOfZone'>, outside?: OutOfZoneNames): void {
    const { declaration, zones, lister, snapshots, providers } = known;
    const now = this.#options.now();
    if (this.#declared.as !== declaration) this.#declared = { as: declaration, at: now };
    if (this.#patience.isOver(now)) this.#explained.forget();
    const states = providers.flatMap(({ state, failure }) => [state, failure]);
    this.#explained.get([declaration, lister.revision, outside?.version, ...states, ...snapshots, ...zones], () => {
      const led = new Set<string>();
      const outsideOf = (name: string) => {
        led.add(name);
        return outside?.stateOf(name);
      };
      const isNew = (host: HostRef) => this.#patience.isRecent(this.#askedAt(host, now), now);
      const isRecentlyChanged = (host: HostRef) => this.#patience.isRecent(this.#changedAt(host, lister, now), now);
      this.#take(explainNames({ ...known, isNew, isRecentlyChanged, outOfZone: outsideOf }), lister, now);
      outside?.watch(led);
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
        .sort(bySeverity)
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
  #settled(): readonly TrackedName[] {
    const now = this.#options.now();
    const isEarly = ({ verdict, since }: TrackedName) => verdict === 'Pending' && this.#patience.isRecent(since, now);
    return (this.#list ?? []).filter((name) => !isEarly(name));
  }

  /** When a name was first asked for. */
  #askedAt(host: HostRef, now: number): number {
    return this.#histories.get(nameKey(host))?.askedAt ?? now;
  }

  /** When anything last changed that makes ExternalDNS ask for a name: the name itself, its object or the spec. */
  #changedAt(host: HostRef, lister: ObjectLister, now: number): number {
    return Math.max(this.#askedAt(host, now), lister.changedAt(host.resource) ?? 0, this.#declared.at);
  }

  #take(states: readonly NameState[], lister: ObjectLister, now: number): void {
    const known = new Map<string, TrackedName>();
    const histories = new Map<string, History>();
    let isChanged = states.length !== this.#known.size;
    for (const state of states) {
      const key = nameKey(state);
      const before = this.#known.get(key);
      const history = historyAfter(this.#histories.get(key) ?? { askedAt: now }, before);
      histories.set(key, history);
      const after = before && saysSame(before, state) ? before : this.#changed(before, state, history, lister, now);
      known.set(key, after);
      isChanged ||= before !== after;
    }
    this.#known = known;
    this.#histories = histories;
    const pending = states.filter(({ verdict }) => verdict === 'Pending');
    const times = pending.flatMap((state) => [this.#askedAt(state, now), this.#changedAt(state, lister, now)]);
    this.#patience.wait(times, now);
    if (isChanged || !this.#list) this.#list = [...known.values()];
  }

  #changed(
    before: TrackedName | undefined,
    state: NameState,
    { settledAt = Number.NEGATIVE_INFINITY }: History,
    lister: ObjectLister,
    now: number,
  ): TrackedName {
    const since = before?.verdict === state.verdict ? before.since : now;
    const isAnswered = state.verdict === 'Resolved' && !sameAnswers(before, state);
    // What Pods or Nodes answer with may have come long after the object.
    const isOfObject = isAnswered && lister.get(state.resource)?.targets !== undefined;
    const changedAt = isOfObject ? lister.changedAt(state.resource) : undefined;
    // What settled since the object changed has now changed for another reason: a rival that went, or a zone that came.
    const isCause = changedAt !== undefined && changedAt > settledAt;
    const propagation = isCause ? Math.max(0, now - changedAt) : before?.propagation;
    if (isCause && propagation !== undefined) this.#options.onPropagation?.(propagation);
    return { ...state, since, ...(propagation !== undefined && { propagation }) };
  }
}

type ObjectLister = Pick<SourceLister, 'get' | 'changedAt'>;

/** When a name was first asked for, and when it last came to a verdict that was not Pending: milliseconds since 1970. */
interface History {
  askedAt: number;
  settledAt?: number;
}

const historyAfter = (history: History, before: TrackedName | undefined): History =>
  before && before.verdict !== 'Pending' && before.since !== history.settledAt
    ? { ...history, settledAt: before.since }
    : history;

const saysSame = (a: NameState, b: NameState) =>
  a.verdict === b.verdict && a.message === b.message && a.zone === b.zone && sameAnswers(a, b);

const sameAnswers = (a: NameState | undefined, b: NameState) =>
  a?.answers.length === b.answers.length && b.answers.every((answer, index) => answer === a.answers[index]);
