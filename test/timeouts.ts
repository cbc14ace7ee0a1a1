/**
 * Milliseconds that tests wait for a condition. They go on as soon as it holds, so a long timeout costs a fast machine
 * nothing and keeps tests from failing on a busy one.
 */
export const waitTimeoutMs = 120_000;

/** Options of `vi.waitFor` and `expect.poll`. */
export const polling = { timeout: waitTimeoutMs, interval: 20 };
