import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoff } from '../../../functions/agent/lib/backoff.ts';

test('waits double with each failure up to the most', () => {
  const waits = [1, 2, 3, 4, 5].map((failures) => backoff(failures, { leastMs: 100, mostMs: 500 }, () => 1));
  expect(waits).toEqual([100, 200, 400, 500, 500]);
});

test('jitter takes away up to half, however many failures there were', () => {
  const milliseconds = fc.integer({ min: 1, max: 60_000 });
  fc.assert(
    fc.property(fc.nat(5_000), milliseconds, milliseconds, (failures, one, other) => {
      const [leastMs = 0, mostMs = 0] = [one, other].sort((a, b) => a - b);
      const wait = backoff(failures, { leastMs, mostMs });
      expect(wait).toBeGreaterThanOrEqual(leastMs / 2);
      expect(wait).toBeLessThanOrEqual(mostMs);
    }),
  );
});
