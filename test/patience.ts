/**
 * Milliseconds for which tests wait for a cause. They go on as soon as it is there: a quick machine waits for nothing, and a
 * busy one fails nothing.
 */
export const patience = 120_000;

/** For what is looked at again and again. */
export const soon = { timeout: patience, interval: 20 };
