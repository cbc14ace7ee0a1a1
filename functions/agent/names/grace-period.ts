/** Loops of ExternalDNS that a name may take before anybody has to ask why, and milliseconds that it may in any case. */
const patience = { loops: 3, leastMs: 6_000 };

/** How long it is too early to ask why, and when that next ends. Times are milliseconds since 1970. */
export class GracePeriod {
  #ms = patience.leastMs;
  #end = Number.POSITIVE_INFINITY;

  follow(intervalSeconds: number): void {
    this.#ms = Math.max(patience.leastMs, patience.loops * intervalSeconds * 1000);
  }

  /** Whether what happened then may have more to come of it. */
  isRecent(at: number, now: number): boolean {
    return now - at < this.#ms;
  }

  /** Notes since when something is waited for, instead of what was before. */
  wait(times: readonly number[], now: number): void {
    this.#end = times
      .filter((at) => this.isRecent(at, now))
      .reduce((end, at) => Math.min(end, at + this.#ms), Number.POSITIVE_INFINITY);
  }

  /** Whether one of those times is no longer recent, so that there is more to be said. */
  isOver(now: number): boolean {
    return now >= this.#end;
  }
}
