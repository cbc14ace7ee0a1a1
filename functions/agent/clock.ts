/**
 * Milliseconds that only go up, whatever becomes of the clock on the wall: for intervals. They begin at what that clock
 * said when the process did, so that they can be shown as times.
 */
export const steadily = (): number => performance.timeOrigin + performance.now();
