import { bounds, type Report, type Resolution } from '../../contract/report.ts';
import { monotonicNow } from '../lib/clock.ts';
import type { Result } from './canary.ts';
import { blind, type Diagnosis, diagnose, failing, isSame, type PodRef, stalled } from './diagnosis.ts';

/** What the agent knows besides. */
export interface HealthInputs {
  discovery: Report['discovery']['state'];
  /** Why discovery fails. */
  failure?: string | undefined;
  /** Why the API server cannot be asked. */
  reach?: string | undefined;
  replicas: number;
}

export interface ResolutionOptions {
  place?: PodRef | undefined;
  now?: () => number;
}

/** Milliseconds from one test to the next, counted from their beginnings. */
const pauses = { well: 30_000, doubtful: 5_000 };

/** How long something may last before it is told. Milliseconds. */
const patience = {
  /** For PowerDNS to come up. */
  start: 10_000,
  /** For the Service to answer for the first time: of several replicas only those that are ready are behind it. */
  service: 60_000,
  /** For ExternalDNS to finish its first loop. */
  firstLoop: 45_000,
  /** For watches to find the API server again. */
  reach: 15_000,
};

const serving: Diagnosis = { state: 'Serving' };

/**
 * What is said of the whole chain. One test that fails says nothing yet: a state is bad when the next one fails too, and
 * good again with the first that does not.
 */
export class ResolutionState {
  readonly #place: PodRef | undefined;
  readonly #now: () => number;
  readonly #startedAt: number;
  #last: Diagnosis | undefined;
  #confirmed: Diagnosis | undefined;
  #said: Resolution | undefined;
  #hasServiceAnswered = false;
  readonly #deaf = new Spell();
  readonly #waiting = new Spell();
  readonly #blind = new Spell();

  constructor({ place, now = monotonicNow }: ResolutionOptions = {}) {
    this.#place = place;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Until the next test is due: milliseconds since the last one began. */
  get pauseMs(): number {
    const isSettled = this.#confirmed?.state === 'Serving' && isSame(this.#last, this.#confirmed);
    return isSettled ? pauses.well : pauses.doubtful;
  }

  /** Takes over a test; what it says for itself. */
  note(result: Result, { replicas }: Pick<HealthInputs, 'replicas'>): Diagnosis {
    const diagnosis = diagnose(result, this.#mayBeSilent(result, replicas), this.#place);
    const isGood = diagnosis.state === 'Serving';
    if (!isGood && !this.#confirmed && this.#now() - this.#startedAt < patience.start) return diagnosis;
    this.#confirmed = this.#confirm(diagnosis);
    this.#last = diagnosis;
    return diagnosis;
  }

  /** What is so now; undefined before a test has said anything. */
  resolution(circumstances: HealthInputs): Resolution | undefined {
    const diagnosis = this.#diagnosis(circumstances);
    if (!diagnosis) return undefined;
    const since = diagnosis.state === this.#said?.state ? this.#said.since : timestamp(this.#now());
    const { state, message } = diagnosis;
    this.#said = { state, since, ...(message !== undefined && { message: message.slice(0, bounds.message) }) };
    return this.#said;
  }

  #confirm(diagnosis: Diagnosis): Diagnosis | undefined {
    const isRepeated = isSame(diagnosis, this.#last);
    const wasBad = this.#confirmed !== undefined && this.#confirmed.state !== 'Serving';
    if (diagnosis.state === 'Serving') {
      const isCertain = diagnosis.message === undefined || isRepeated || isSame(diagnosis, this.#confirmed);
      return isCertain ? diagnosis : serving;
    }
    // A cause that changes from test to test is told once.
    if (wasBad) return isRepeated ? diagnosis : this.#confirmed;
    return this.#last && this.#last.state !== 'Serving' ? diagnosis : this.#confirmed;
  }

  /**
   * A pod that is alone behind its Service asks itself, which not every network lets it do (no hairpin): its questions
   * vanish, and everybody else's are answered. So silence of a Service that never answered is no alarm. That hides hardly
   * anything: where kube-proxy does not work at all, no report gets out either, because the API server is behind a Service
   * too, and a Service without endpoints refuses. Once it has answered, silence counts.
   */
  #mayBeSilent({ service }: Result, replicas: number): boolean {
    this.#hasServiceAnswered ||= service.some(({ fault }) => !fault || fault.kind === 'Old');
    const isDeaf = service.length > 0 && !this.#hasServiceAnswered;
    const deafMs = this.#deaf.lasts(isDeaf, this.#now());
    if (!isDeaf) return false;
    return deafMs < patience.service || (replicas === 1 && service.every(({ fault }) => fault?.kind === 'Silent'));
  }

  #diagnosis({ discovery, failure, reach }: HealthInputs): Diagnosis | undefined {
    const now = this.#now();
    const waitingMs = this.#waiting.lasts(discovery === 'Waiting', now);
    const blindMs = this.#blind.lasts(reach !== undefined, now);
    if (this.#confirmed?.state !== 'Serving') return this.#confirmed;
    if (discovery === 'Failing') return failing(this.#place, failure);
    const isStalled = discovery === 'Stalled';
    if (isStalled || waitingMs >= patience.firstLoop) return stalled(this.#place, isStalled, reach);
    if (reach !== undefined && blindMs >= patience.reach) return blind(this.#place, reach);
    return this.#confirmed;
  }
}

/** How long something is so, without a break. */
class Spell {
  #since: number | undefined;

  /** Milliseconds. */
  lasts(isSo: boolean, now: number): number {
    if (!isSo) this.#since = undefined;
    else this.#since ??= now;
    return now - (this.#since ?? now);
  }
}

/** To the second, as Kubernetes writes them. */
const timestamp = (ms: number) => new Date(ms).toISOString().replace(/\.\d+/, '');
