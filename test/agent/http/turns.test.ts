import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { joined, Turns } from '../../../functions/agent/http/turns.ts';

const busy = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

test('work is done one at a time, in order, also after a failure', async () => {
  const turns = new Turns(1);
  const log: string[] = [];
  const take = (name: string) =>
    turns.take(async () => {
      log.push(`${name} begins`);
      await sleep(1);
      log.push(`${name} ends`);
      if (name === 'b') throw new Error('no');
    });
  const results = await Promise.allSettled(['a', 'b', 'c'].map(take));
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('much work takes its share of the time, after a beginning at once', async () => {
  const [share, each] = [0.2, 20];
  const turns = new Turns(share);
  const began = performance.now();
  let worked = 0;
  const work = () => {
    const from = performance.now();
    busy(each);
    worked += performance.now() - from;
  };
  await Promise.all(Array.from({ length: 30 }, () => turns.take(work)));
  // What is done at once, and the last piece.
  expect(worked).toBeLessThan((performance.now() - began) * share + 250 + each);
});

test('between two pieces of work there is room for others', async () => {
  const turns = new Turns(1);
  let others = 0;
  const other = () => {
    others++;
    setImmediate(other);
  };
  setImmediate(other);
  const works = Array.from({ length: 10 }, () => turns.take(() => busy(1)));
  await Promise.all(works);
  expect(others).toBeGreaterThanOrEqual(9);
});

test('all who ask before it begins get the same, and who asks later gets it anew', async () => {
  let times = 0;
  const ask = joined(new Turns(1), async () => ++times);
  const first = ask();
  await sleep(1);
  expect(await Promise.all([first, ask(), ask(), ask()])).toEqual([1, 2, 2, 2]);
  expect(await ask()).toBe(3);
});
