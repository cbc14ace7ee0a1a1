import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { coalesced, ThrottledQueue } from '../../../functions/agent/http/throttled-queue.ts';

const busy = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

test('jobs run one at a time, in order, also after a failure', async () => {
  const queue = new ThrottledQueue(1);
  const log: string[] = [];
  const run = (name: string) =>
    queue.run(async () => {
      log.push(`${name} begins`);
      await sleep(1);
      log.push(`${name} ends`);
      if (name === 'b') throw new Error('no');
    });
  const results = await Promise.allSettled(['a', 'b', 'c'].map(run));
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('after a burst, jobs take no more than their share of the time', async () => {
  const share = 0.2;
  const queue = new ThrottledQueue(share);
  const began = performance.now();
  const times: number[] = [];
  const job = () => {
    const from = performance.now();
    busy(20);
    // A single job is charged for 200 ms at most: on a busy machine it may take longer than it works.
    times.push(Math.min(performance.now() - from, 200));
  };
  await Promise.all(Array.from({ length: 30 }, () => queue.run(job)));
  const worked = times.reduce((a, b) => a + b);
  // The burst, and the last job.
  expect(worked).toBeLessThan((performance.now() - began) * share + 250 + Math.max(...times));
});

test('the event loop runs between two jobs', async () => {
  const queue = new ThrottledQueue(1);
  let others = 0;
  const other = () => {
    others++;
    setImmediate(other);
  };
  setImmediate(other);
  const jobs = Array.from({ length: 10 }, () => queue.run(() => busy(1)));
  await Promise.all(jobs);
  expect(others).toBeGreaterThanOrEqual(9);
});

test('calls before the job starts share its result, later ones get a new one', async () => {
  let times = 0;
  const call = coalesced(new ThrottledQueue(1), async () => ++times);
  const first = call();
  await sleep(1);
  expect(await Promise.all([first, call(), call(), call()])).toEqual([1, 2, 2, 2]);
  expect(await call()).toBe(3);
});
