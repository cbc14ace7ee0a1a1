/** Measures how long something lasts by the times that it is told: one that is set back does not hold it up. */
export class MonotonicClock {
  #elapsed = 0;
  #toldAt: number | undefined;

  /** Milliseconds since some time of its own. */
  at(now: number): number {
    this.#elapsed += Math.max(0, now - (this.#toldAt ?? now));
    this.#toldAt = now;
    return this.#elapsed;
  }
}
