import { bounds, type Report } from '../../contract/report.ts';
import { bySeverity, isCounted, type NameState, nameKey, type Verdict, verdicts } from '../../contract/verdict.ts';
import { Memo } from '../lib/memo.ts';
import type { OutOfZoneNames } from '../resolver/out-of-zone-resolver.ts';
import type { SourceLister } from '../sources/source-object.ts';
import type { ExplainInput, HostRef } from './explain-input.ts';
import { explainNames } from './explanation.ts';
import { GracePeriod } from './grace-period.ts';
import type { TrackedName } from './overview.ts';

export interface NamesOptions {
  /** Called when a changed object is answered, with the milliseconds since its change. */
  onPropagation?: ((milliseconds: number) => void) | undefined;
  now: () => number;
}

const none: readonly TrackedName[] = [];

const isPending = ({ verdict }: NameState) => verdict === 'Pending';

function reportOf(settled: readonly TrackedName[]): Report['names'] {
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

/** The verdicts on all names, and their history. */
export class Names {
  readonly #options: NamesOptions;
  readonly #explained = new Memo<void>();
  readonly #gracePeriod = new GracePeriod();
  readonly #hasPending = new Memo<boolean>();
  readonly #report = new Memo<Report['names']>();
  #tracked = new Map<string, TrackedName>();
  #histories = new Map<string, History>();
  #list: readonly TrackedName[] | undefined;
  #spec: { declaration?: ExplainInput['declaration']; changedAt: number } = { changedAt: Number.NEGATIVE_INFINITY };

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** Sorted by name; the same array while nothing changes. Undefined before the first update. */
  get list(): readonly TrackedName[] | undefined {
    return this.#list;
  }

  /** Whether a name may be late before anything else happens. */
  get areSettling(): boolean {
    return this.#gracePeriod.isWatching;
  }

  /** Sets the interval at which ExternalDNS syncs. */
  setSyncInterval(seconds: number): void {
    this.#gracePeriod.setSyncInterval(seconds);
  }

  clear(): void {
    this.#tracked.clear();
    this.#histories.clear();
    this.#list = undefined;
  }

  /** Recomputes the verdicts if an input changed or a grace period ended. */
  update(input: Omit<ExplainInput, 'isNew' | 'isRecentlyChanged' | 'outOfZone'>, outOfZone?: OutOfZoneNames): void {
    const { declaration, zones, lister, decisions, providers } = input;
    const now = this.#options.now();
    if (this.#spec.declaration !== declaration) this.#spec = { declaration, changedAt: now };
    if (this.#gracePeriod.hasEnded(now)) this.#explained.forget();
    const states = providers.flatMap(({ state, failure }) => [state, failure]);
    this.#explained.get([declaration, lister.revision, outOfZone?.version, ...states, ...decisions, ...zones], () => {
      const targets = new Set<string>();
      const outOfZoneState = (name: string) => {
        targets.add(name);
        return outOfZone?.stateOf(name);
      };
      const isWithinGrace = (at: number) => this.#gracePeriod.includes(at, now);
      const isNew = (host: HostRef) => isWithinGrace(this.#requestedAt(host, now));
      const isRecentlyChanged = (host: HostRef) => isWithinGrace(this.#changedAt(host, lister, now));
      this.#track(explainNames({ ...input, isNew, isRecentlyChanged, outOfZone: outOfZoneState }), lister, now);
      outOfZone?.watch(targets);
    });
  }

  /** The number of names of each verdict, without those that are Pending within their grace period. */
  counts(): Record<Verdict, number> {
    const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
    for (const { verdict } of this.#settled()) counts[verdict]++;
    return counts;
  }

  /** The composite's status; undefined before the first update. */
  report(): Report['names'] {
    if (!this.#list) return undefined;
    const settled = this.#settled();
    return this.#report.get([settled], () => reportOf(settled));
  }

  /** Without what will change in a moment: each change of the status wakes Crossplane. The list itself if that is nothing. */
  #settled(): readonly TrackedName[] {
    const list = this.#list ?? none;
    if (!this.#hasPending.get([list], () => list.some(isPending))) return list;
    const now = this.#options.now();
    return list.filter((name) => !(isPending(name) && this.#gracePeriod.includes(name.since, now)));
  }

  /** When a name was first requested. */
  #requestedAt(host: HostRef, now: number): number {
    return this.#histories.get(nameKey(host))?.requestedAt ?? now;
  }

  /** When the name, its object or the spec last changed, so that ExternalDNS has to sync. */
  #changedAt(host: HostRef, lister: ObjectLister, now: number): number {
    return Math.max(this.#requestedAt(host, now), lister.changedAt(host.resource) ?? 0, this.#spec.changedAt);
  }

  #track(states: readonly NameState[], lister: ObjectLister, now: number): void {
    const tracked = new Map<string, TrackedName>();
    const histories = new Map<string, History>();
    let isChanged = states.length !== this.#tracked.size;
    for (const state of states) {
      const key = nameKey(state);
      const before = this.#tracked.get(key);
      const history = nextHistory(this.#histories.get(key) ?? { requestedAt: now }, before);
      histories.set(key, history);
      const after = before && isEqual(before, state) ? before : this.#changed(before, state, history, lister, now);
      tracked.set(key, after);
      isChanged ||= before !== after;
    }
    this.#tracked = tracked;
    this.#histories = histories;
    const pending = states.filter(isPending);
    const changes = pending.flatMap((state) => [this.#requestedAt(state, now), this.#changedAt(state, lister, now)]);
    this.#gracePeriod.watch(changes, now);
    if (isChanged || !this.#list) this.#list = [...tracked.values()];
  }

  #changed(
    before: TrackedName | undefined,
    state: NameState,
    { settledAt = Number.NEGATIVE_INFINITY }: History,
    lister: ObjectLister,
    now: number,
  ): TrackedName {
    const since = before?.verdict === state.verdict ? before.since : now;
    const isAnswered = state.verdict === 'Resolved' && !hasEqualAnswers(before, state);
    // Pods and Nodes may become ready long after their Service changed.
    const hasOwnTargets = isAnswered && lister.get(state.resource)?.targets !== undefined;
    const changedAt = hasOwnTargets ? lister.changedAt(state.resource) : undefined;
    // A name that settled after the change of its object changes for another reason, such as a new zone.
    const isPropagation = changedAt !== undefined && changedAt > settledAt;
    const propagation = isPropagation ? Math.max(0, now - changedAt) : before?.propagation;
    if (isPropagation && propagation !== undefined) this.#options.onPropagation?.(propagation);
    return { ...state, since, ...(propagation !== undefined && { propagation }) };
  }
}

type ObjectLister = Pick<SourceLister, 'get' | 'changedAt'>;

/** Times in milliseconds since 1970. */
interface History {
  /** When the name was first requested. */
  requestedAt: number;
  /** When it last got a verdict other than Pending. */
  settledAt?: number;
}

const nextHistory = (history: History, before: TrackedName | undefined): History =>
  before && before.verdict !== 'Pending' && before.since !== history.settledAt
    ? { ...history, settledAt: before.since }
    : history;

const isEqual = (a: NameState, b: NameState) =>
  a.verdict === b.verdict && a.message === b.message && a.zone === b.zone && hasEqualAnswers(a, b);

const hasEqualAnswers = (a: NameState | undefined, b: NameState) =>
  a?.answers.length === b.answers.length && b.answers.every((answer, index) => answer === a.answers[index]);
