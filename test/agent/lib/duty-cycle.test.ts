import { expect, test } from 'vitest';
import { limitDutyCycle } from '../../../functions/agent/lib/duty-cycle.ts';

/** Work that takes so long, asked for every half a second for a minute: how often it is done. */
function timesIn60s(duration: number): number {
  let clock = 0;
  let times = 0;
  const work = limitDutyCycle(
    () => {
      times += 1;
      clock += duration;
    },
    0.05,
    () => clock,
  );
  while (clock < 60_000) {
    work();
    clock += 500;
  }
  return times;
}

test('work that costs nothing is done each time', () => expect(timesIn60s(0)).toBe(120));

test.each([10, 50, 500, 5_000])('work of %d ms takes its share of the time and no more', (duration) => {
  const share = (timesIn60s(duration) * duration) / 60_000;
  // Less than one piece of work more: it was begun before the end.
  expect(share).toBeLessThanOrEqual(0.05 + duration / 60_000);
  expect(timesIn60s(duration)).toBeGreaterThan(0);
});
