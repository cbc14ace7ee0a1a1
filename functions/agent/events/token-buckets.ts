/** Token buckets, one for each key: so many at once, then one in a while. Those that are full take no memory. */
export class TokenBuckets {
  readonly #burst: number;
  readonly #refillMs: number;
  /** When each bucket is full again: milliseconds since 1970. */
  readonly #fullAt = new Map<string, number>();
  #tidyAt = 1000;

  /** @param refillMs until there is one token more */
  constructor({ burst, refillMs }: { burst: number; refillMs: number }) {
    this.#burst = burst;
    this.#refillMs = refillMs;
  }

  has(key: string, now: number): boolean {
    return (this.#fullAt.get(key) ?? 0) - now <= (this.#burst - 1) * this.#refillMs;
  }

  take(key: string, now: number): void {
    this.#fullAt.set(key, Math.max(this.#fullAt.get(key) ?? 0, now) + this.#refillMs);
    if (this.#fullAt.size > this.#tidyAt) this.#tidy(now);
  }

  /** How many buckets are not full, or have not been since the last look. */
  get size(): number {
    return this.#fullAt.size;
  }

  #tidy(now: number): void {
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key);
    this.#tidyAt = Math.max(1000, 2 * this.#fullAt.size);
  }
}
