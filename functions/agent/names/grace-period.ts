/** How many syncs of ExternalDNS a name may take before it is late, and how long at least. */
const grace = { syncs: 3, leastMs: 6_000 };

/** How long to wait before a change is late, and when to look again. Times are milliseconds since 1970. */
export class GracePeriod {
  #ms = grace.leastMs;
  #endsAt = Number.POSITIVE_INFINITY;

  setSyncInterval(seconds: number): void {
    this.#ms = Math.max(grace.leastMs, grace.syncs * seconds * 1000);
  }

  /** Whether a change is within its grace period. */
  includes(changedAt: number, now: number): boolean {
    return now - changedAt < this.#ms;
  }

  /** Replaces the changes whose grace periods are watched. */
  watch(changes: readonly number[], now: number): void {
    this.#endsAt = changes
      .filter((at) => this.includes(at, now))
      .reduce((end, at) => Math.min(end, at + this.#ms), Number.POSITIVE_INFINITY);
  }

  get isWatching(): boolean {
    return this.#endsAt < Number.POSITIVE_INFINITY;
  }

  /** Whether the first of the watched grace periods has ended. */
  hasEnded(now: number): boolean {
    return now >= this.#endsAt;
  }
}
