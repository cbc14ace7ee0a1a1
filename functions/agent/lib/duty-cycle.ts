import { monotonicNow } from './clock.ts';

/**
 * Limits repeated work to a share of the time by skipping calls: a look at thousands of names costs tens of
 * milliseconds, and one of them changes every second.
 */
export class DutyCycle {
  readonly #work: () => void;
  readonly #share: number;
  readonly #now: () => number;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #isOwed = false;

  /**
   * @param share of one core
   * @param now milliseconds on a monotonic clock
   */
  constructor(work: () => void, share: number, now = monotonicNow) {
    this.#work = work;
    this.#share = share;
    this.#now = now;
  }

  /** Whether the last call was skipped. */
  get isOwed(): boolean {
    return this.#isOwed;
  }

  run(): void {
    const startedAt = this.#now();
    this.#isOwed = startedAt < this.#restsUntil;
    if (this.#isOwed) return;
    this.#work();
    const endedAt = this.#now();
    this.#restsUntil = endedAt + (endedAt - startedAt) * (1 / this.#share - 1);
  }
}
