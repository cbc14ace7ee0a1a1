import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AnticipationLoop } from '../../functions/agent/anticipation-loop.ts';
import { polling } from '../timeouts.ts';

let loop: AnticipationLoop;
let calls: number[];
let logged: string[];
let outcome: () => Promise<boolean>;
let stop: AbortController;
/** Milliseconds. */
let cpu: number;
let ended: Promise<void>;

beforeEach(() => {
  [calls, logged, stop, cpu] = [[], [], new AbortController(), 0];
  outcome = async () => true;
  loop = new AnticipationLoop({
    cpuTime: () => cpu,
    failureLog: { record: (_, failure) => void (failure === undefined || logged.push(failure)) },
  });
  const anticipate = () => {
    calls.push(performance.now());
    return outcome();
  };
  ended = loop.run({ anticipate }, stop.signal);
});
afterEach(async () => {
  stop.abort();
  await ended;
});

const called = (times: number) => vi.waitFor(() => expect(calls.length).toBeGreaterThanOrEqual(times), polling);

test('nothing is done before it is woken, and a burst is one transaction', async () => {
  await sleep(150);
  expect(calls).toEqual([]);
  for (let i = 0; i < 5; i++) {
    loop.wake();
    // By now it waits for the end of the burst.
    await Promise.resolve();
  }
  await called(1);
  await sleep(200);
  expect(calls).toHaveLength(1);
});

test.each([
  ['a single change', [0], 15],
  ['changes one after the other', [0, 10, 20], 45],
  ['changes without an end', Array.from({ length: 50 }, (_, index) => index * 10), 50],
])('it waits for the end of a burst, but not for ever: %s', async (_, changes, expected) => {
  let time = 0;
  const due = [...changes];
  const taken = Promise.withResolvers<number>();
  const virtual = new AnticipationLoop({
    failureLog: { record: () => {} },
    cpuTime: () => 0,
    now: () => time,
    async pause(ms) {
      time += ms;
      for (; due[0] !== undefined && due[0] <= time; due.shift()) virtual.wake();
    },
  });
  const stop = new AbortController();
  const anticipate = async () => {
    taken.resolve(time);
    stop.abort();
    return true;
  };
  virtual.wake();
  due.shift();
  await virtual.run({ anticipate }, stop.signal);
  // On the loop's own clock.
  expect(await taken.promise).toBe(expected);
});

test('a change while it works is not lost', async () => {
  outcome = async () => {
    if (calls.length === 1) loop.wake();
    return true;
  };
  loop.wake();
  await called(2);
});

test('it takes a fifth of a core at most', async () => {
  outcome = async () => {
    cpu += 50;
    loop.wake();
    return true;
  };
  loop.wake();
  await called(3);
  const [first = 0, , third = 0] = calls;
  expect(third - first).toBeGreaterThanOrEqual(390);
});

test('what failed, or cannot be published yet, is tried again', async () => {
  outcome = async () => {
    if (calls.length === 1) throw new Error('connection refused');
    return calls.length > 2;
  };
  loop.wake();
  await called(3);
  expect(logged).toEqual(['connection refused']);
  await sleep(300);
  expect(calls).toHaveLength(3);
});
