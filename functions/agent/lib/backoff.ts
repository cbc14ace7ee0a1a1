export interface BackoffOptions {
  /** Milliseconds. */
  leastMs: number;
  mostMs: number;
}

/**
 * Milliseconds to wait after so many failures in a row: exponential from `leastMs` to `mostMs`. Jitter takes up to half
 * away, so that clients which failed together do not come back together.
 */
export function backoff(failures: number, { leastMs, mostMs }: BackoffOptions, random = Math.random): number {
  const delay = Math.min(mostMs, leastMs * 2 ** Math.max(0, failures - 1));
  return delay * (0.5 + random() / 2);
}
