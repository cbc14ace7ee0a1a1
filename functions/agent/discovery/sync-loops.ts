import { bounds, failedLoops } from '../../contract/report.ts';

/** Milliseconds. A restart of PowerDNS takes less and is not worth a report. */
const gracePeriodMs = 10_000;
/** Milliseconds before the first loop completes: zones are created and objects listed meanwhile. */
const startupMs = 30_000;

/**
 * Follows the loops of one ExternalDNS. It does not report how a loop ended, so that is concluded from its requests:
 *
 *     GET /records           POST /adjustendpoints      POST /records
 *         start -----> started -----> evaluated -----> changing
 *           ^                             |                |
 *           |                             | start          | complete
 *           |                             v                v
 *           +-------------------------- completed <--------+
 *
 * A loop that is evaluated and sends no changes is completed when the next one starts. One that starts before the last
 * is completed counts that as failed: ExternalDNS got an error (`fail`), gave up waiting, or sent no request for a
 * verdict.
 */
export class SyncLoops {
  readonly #now: () => number;
  #touchedAt: number | undefined;
  #firstTouchedAt: number | undefined;
  #completedAt: number | undefined;
  /** Identifies the current loop. A failure begins another one, so that a late verdict does not count. */
  #current = 0;
  #startedAt = Number.NEGATIVE_INFINITY;
  #isStarted = false;
  #isEvaluated = false;
  #isChanging = false;
  /** Failed loops in a row, when the first of them started, and its error. */
  #failures = 0;
  #failingSince = 0;
  #failure: string | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Records a request of ExternalDNS. */
  touch(): void {
    this.#touchedAt = this.#now();
    this.#firstTouchedAt ??= this.#touchedAt;
  }

  /** Records that a loop starts, which ends the last one. */
  start(): void {
    if (this.#isEvaluated && !this.#isChanging) this.complete();
    else if (this.#isStarted) this.#failures++;
    if (this.#failures === 0) this.#failingSince = this.#now();
    this.#current++;
    this.#startedAt = this.#now();
    this.#isStarted = true;
    this.#isEvaluated = false;
    this.#isChanging = false;
  }

  /**
   * Records that the desired endpoints were evaluated.
   * @param loop `current` when the request came in
   */
  evaluated(loop: number): void {
    if (loop === this.#current) this.#isEvaluated = true;
  }

  get current(): number {
    return this.#current;
  }

  /** When the current loop started, on the agent's clock. Long ago before the first. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Records that ExternalDNS sent changes: the loop is completed when they are applied. */
  startChanges(): void {
    this.#isChanging = true;
  }

  /** Records an error in the answer to ExternalDNS. What finishes later does not count for this loop. */
  fail(failure: string): void {
    if (this.#failures < failedLoops) this.#failure ??= failure.slice(0, bounds.message);
    this.#isEvaluated = false;
    this.#current++;
  }

  complete(): void {
    this.#completedAt = this.#now();
    this.#isStarted = false;
    this.#isChanging = false;
    this.#failures = 0;
    this.#failure = undefined;
  }

  /** Failed loops in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** The first error; undefined unless `isFailing`. */
  get failure(): string | undefined {
    return this.isFailing ? (this.#failure ?? 'it did not call /adjustendpoints') : undefined;
  }

  /** Reports whether loops fail often enough, and for long enough, to be reported. */
  get isFailing(): boolean {
    const now = this.#now();
    if (this.#failures < failedLoops || now - this.#failingSince < gracePeriodMs) return false;
    return this.#completedAt !== undefined || now - (this.#firstTouchedAt ?? now) >= startupMs;
  }

  /** Milliseconds since the last request of ExternalDNS; undefined before the first. */
  get silentMs(): number | undefined {
    return this.#touchedAt === undefined ? undefined : this.#now() - this.#touchedAt;
  }

  /** When a loop was last completed, on the agent's clock. */
  get completedAt(): number | undefined {
    return this.#completedAt;
  }
}
