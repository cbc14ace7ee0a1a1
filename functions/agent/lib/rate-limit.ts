/** Counts what is started in each second of a clock, in milliseconds. */
export class RateLimit {
  readonly #perSecond: number;
  #started = { second: 0, count: 0 };

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  isReached(now: number): boolean {
    return this.#countIn(now) >= this.#perSecond;
  }

  count(now: number): void {
    const count = this.#countIn(now) + 1;
    this.#started = { second: Math.floor(now / 1_000), count };
  }

  #countIn(now: number): number {
    const { second, count } = this.#started;
    return second === Math.floor(now / 1_000) ? count : 0;
  }
}
