import { expect, test } from 'vitest';
import { DutyCycle } from '../../../functions/agent/lib/duty-cycle.ts';

/** Calls work of some duration every half second for a minute. Returns how often it ran. */
function timesIn60s(duration: number): number {
  let clock = 0;
  let times = 0;
  const cycle = new DutyCycle(
    () => {
      times += 1;
      clock += duration;
    },
    0.05,
    () => clock,
  );
  while (clock < 60_000) {
    cycle.run();
    clock += 500;
  }
  return times;
}

test('work that costs nothing is never skipped', () => expect(timesIn60s(0)).toBe(120));

test.each([10, 50, 500, 5_000])('work of %d ms takes no more than its share of the time', (duration) => {
  const share = (timesIn60s(duration) * duration) / 60_000;
  // One call may have started just before the end.
  expect(share).toBeLessThanOrEqual(0.05 + duration / 60_000);
  expect(timesIn60s(duration)).toBeGreaterThan(0);
});

test('it says whether a call was skipped', () => {
  let clock = 0;
  const cycle = new DutyCycle(
    () => {
      clock += 10;
    },
    0.5,
    () => clock,
  );
  const isOwedAt = [10, 25, 30].map((at) => {
    clock = at;
    cycle.run();
    return cycle.isOwed;
  });
  expect(isOwedAt).toEqual([false, true, false]);
});
