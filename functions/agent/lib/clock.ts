/**
 * Milliseconds that only go up, whatever becomes of the clock on the wall: for intervals. They are no time of day: a process
 * may begin before its machine knows that.
 */
export const monotonicNow = (): number => performance.timeOrigin + performance.now();

/** Gives the time of day of a moment: milliseconds since 1970, for what people and other processes say and read. */
export type TimeOf = (moment: number) => number;

export const timeOf: TimeOf = (moment) => Date.now() + moment - monotonicNow();

/** Where moments are times of day. */
export const sameTime: TimeOf = (moment) => moment;
