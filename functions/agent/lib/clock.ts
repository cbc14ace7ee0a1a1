/**
 * Milliseconds on a clock that never goes back, whatever happens to the wall clock: for intervals. It is not the time
 * of day: the process may start before its machine knows that.
 */
export const monotonicNow = (): number => performance.timeOrigin + performance.now();

/** Converts a time on the monotonic clock to milliseconds since 1970, for people and other processes. */
export type TimeOf = (moment: number) => number;

export const timeOf: TimeOf = (moment) => Date.now() + moment - monotonicNow();

/** For a clock that is the time of day already. */
export const sameTime: TimeOf = (moment) => moment;
