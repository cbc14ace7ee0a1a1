import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TokenBuckets } from '../../../functions/agent/lib/token-buckets.ts';

test('a bucket has a burst of tokens, then one more per refill interval', () => {
  const attempts = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 30 })), { maxLength: 60 });
  fc.assert(
    fc.property(attempts, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20 }), (list, burst, refillMs) => {
      const buckets = new TokenBuckets({ burst, refillMs });
      const tokens = new Map<string, number>();
      let now = 1_000_000;
      for (const [key, pause] of list) {
        now += pause;
        for (const each of ['a', 'b']) {
          tokens.set(each, Math.min(burst * refillMs, (tokens.get(each) ?? burst * refillMs) + pause));
        }
        const left = tokens.get(key) as number;
        expect(buckets.hasToken(key, now)).toBe(left >= refillMs);
        if (left < refillMs) continue;
        buckets.acquire(key, now);
        tokens.set(key, left - refillMs);
      }
    }),
  );
});

test('full buckets are deleted', () => {
  const buckets = new TokenBuckets({ burst: 1, refillMs: 10 });
  for (let i = 0; i < 100_000; i++) buckets.acquire(`${i}`, i);
  expect(buckets.size).toBeLessThan(2000);
  expect(buckets.hasToken('99999', 100_000)).toBe(false);
});
