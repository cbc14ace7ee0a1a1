import { bounds, type Report, type Resolution } from '../../contract/report.ts';
import { timestamp } from '../../contract/timestamp.ts';
import { monotonicNow } from '../lib/clock.ts';
import type { TestResult } from './canary.ts';
import {
  apiUnreachable,
  type Diagnosis,
  diagnose,
  externalDNSStalled,
  isSameDiagnosis,
  type PodRef,
  webhookFailing,
} from './diagnosis.ts';

/** What the state depends on besides the tests. */
export interface HealthInputs {
  discovery: Report['discovery']['state'];
  /** Why discovery fails. */
  failure?: string | undefined;
  /** Why the API server is unreachable. */
  apiFailure?: string | undefined;
  replicas: number;
  /** Whether the Service leads to the resolver. */
  hasResolver?: boolean;
}

export interface ResolutionOptions {
  pod?: PodRef | undefined;
  now?: () => number;
}

/** Milliseconds between the starts of two tests. */
const intervals = { healthy: 30_000, unconfirmed: 5_000 };

/** How long a condition may last before it is reported. Milliseconds. */
const gracePeriods = {
  /** For PowerDNS to start. */
  start: 10_000,
  /** For the first answer through the Service: only ready replicas are behind it. */
  service: 60_000,
  /** For the first loop of ExternalDNS. */
  firstLoop: 45_000,
  /** For watches to reconnect to the API server. */
  apiServer: 15_000,
};

const serving: Diagnosis = { state: 'Serving' };

/**
 * The state of the whole chain. It turns bad only when two tests in a row fail, and good again with the first that
 * succeeds.
 */
export class ResolutionState {
  readonly #pod: PodRef | undefined;
  readonly #now: () => number;
  readonly #startedAt: number;
  #last: Diagnosis | undefined;
  #confirmed: Diagnosis | undefined;
  #reported: Resolution | undefined;
  #hasServiceAnswered = false;
  readonly #serviceSilent = new Since();
  readonly #discoveryWaiting = new Since();
  readonly #apiUnreachable = new Since();

  constructor({ pod, now = monotonicNow }: ResolutionOptions = {}) {
    this.#pod = pod;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Milliseconds from the start of the last test to the next. */
  get intervalMs(): number {
    const isStable = this.#confirmed?.state === 'Serving' && isSameDiagnosis(this.#last, this.#confirmed);
    return isStable ? intervals.healthy : intervals.unconfirmed;
  }

  /** Records a test. Returns the diagnosis of this test alone. */
  record(
    result: TestResult,
    { replicas, hasResolver = false }: Pick<HealthInputs, 'replicas' | 'hasResolver'>,
  ): Diagnosis {
    const diagnosis = diagnose(
      result,
      this.#isServiceUntestable(result, replicas === 1 && !hasResolver),
      this.#pod,
      hasResolver,
    );
    const isGood = diagnosis.state === 'Serving';
    if (!isGood && !this.#confirmed && this.#now() - this.#startedAt < gracePeriods.start) return diagnosis;
    this.#confirmed = this.#confirm(diagnosis);
    this.#last = diagnosis;
    return diagnosis;
  }

  /** The present state; undefined until a test has shown one. */
  resolution(inputs: HealthInputs): Resolution | undefined {
    const diagnosis = this.#diagnosis(inputs);
    if (!diagnosis) return undefined;
    const since = diagnosis.state === this.#reported?.state ? this.#reported.since : timestamp(new Date(this.#now()));
    const { state, message } = diagnosis;
    this.#reported = { state, since, ...(message !== undefined && { message: message.slice(0, bounds.message) }) };
    return this.#reported;
  }

  #confirm(diagnosis: Diagnosis): Diagnosis | undefined {
    const isRepeated = isSameDiagnosis(diagnosis, this.#last);
    const wasBad = this.#confirmed !== undefined && this.#confirmed.state !== 'Serving';
    if (diagnosis.state === 'Serving') {
      const isCertain = diagnosis.message === undefined || isRepeated || isSameDiagnosis(diagnosis, this.#confirmed);
      return isCertain ? diagnosis : serving;
    }
    // A cause that alternates from test to test must not change the report each time.
    if (wasBad) return isRepeated ? diagnosis : this.#confirmed;
    return this.#last && this.#last.state !== 'Serving' ? diagnosis : this.#confirmed;
  }

  /**
   * The only pod behind a Service queries itself, which fails in networks without hairpin traffic: its queries time out
   * while those of all other clients are answered. So timeouts of a Service that has never answered are no failure. That
   * hides hardly anything: without kube-proxy no report would get out either, because the API server is behind a Service
   * too, and a Service without endpoints refuses. Once the Service has answered, timeouts count.
   */
  #isServiceUntestable({ service }: TestResult, isAlone: boolean): boolean {
    this.#hasServiceAnswered ||= service.some(({ failure }) => !failure || failure.kind === 'Outdated');
    const isSilent = service.length > 0 && !this.#hasServiceAnswered;
    const silentMs = this.#serviceSilent.update(isSilent, this.#now());
    if (!isSilent) return false;
    return silentMs < gracePeriods.service || (isAlone && service.every(({ failure }) => failure?.kind === 'Timeout'));
  }

  #diagnosis({ discovery, failure, apiFailure }: HealthInputs): Diagnosis | undefined {
    const now = this.#now();
    const waitingMs = this.#discoveryWaiting.update(discovery === 'Waiting', now);
    const unreachableMs = this.#apiUnreachable.update(apiFailure !== undefined, now);
    if (this.#confirmed?.state !== 'Serving') return this.#confirmed;
    if (discovery === 'Failing') return webhookFailing(this.#pod, failure);
    const isStalled = discovery === 'Stalled';
    if (isStalled || waitingMs >= gracePeriods.firstLoop) return externalDNSStalled(this.#pod, isStalled, apiFailure);
    if (apiFailure !== undefined && unreachableMs >= gracePeriods.apiServer) {
      return apiUnreachable(this.#pod, apiFailure);
    }
    return this.#confirmed;
  }
}

/** How long a condition has been true without interruption. */
class Since {
  #since: number | undefined;

  /** Returns milliseconds; 0 while the condition is false. */
  update(isTrue: boolean, now: number): number {
    if (!isTrue) this.#since = undefined;
    else this.#since ??= now;
    return now - (this.#since ?? now);
  }
}
