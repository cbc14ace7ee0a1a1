/** One token bucket per key: a burst, then one token per refill interval. Full buckets take no memory. */
export class TokenBuckets {
  readonly #burst: number;
  readonly #refillMs: number;
  /** When each bucket is full again: milliseconds since 1970. */
  readonly #fullAt = new Map<string, number>();
  /** The number of buckets at which the full ones are deleted. */
  #pruneAt = 1000;

  /** @param refillMs until one more token is available */
  constructor({ burst, refillMs }: { burst: number; refillMs: number }) {
    this.#burst = burst;
    this.#refillMs = refillMs;
  }

  hasToken(key: string, now: number): boolean {
    return (this.#fullAt.get(key) ?? 0) - now <= (this.#burst - 1) * this.#refillMs;
  }

  /** Spends a token, whether or not there is one. */
  acquire(key: string, now: number): void {
    this.#fullAt.set(key, Math.max(this.#fullAt.get(key) ?? 0, now) + this.#refillMs);
    if (this.#fullAt.size > this.#pruneAt) this.#prune(now);
  }

  /** The number of buckets in memory. */
  get size(): number {
    return this.#fullAt.size;
  }

  #prune(now: number): void {
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key);
    this.#pruneAt = Math.max(1000, 2 * this.#fullAt.size);
  }
}
