import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ReconcileLoop } from '../../functions/agent/reconcile-loop.ts';
import { polling } from '../timeouts.ts';

let loop: ReconcileLoop;
let clock: number;
let reconciles: number;
let ended: (string | undefined)[];
let outcome: () => Promise<void>;
let stop: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  [clock, reconciles, ended, stop] = [0, 0, [], new AbortController()];
  outcome = async () => {};
  const failureLog = { record: () => {} };
  loop = new ReconcileLoop({ failureLog, onEnd: (failure) => ended.push(failure), now: () => clock });
  const reconcile = () => {
    reconciles++;
    return outcome();
  };
  running = loop.run({ reconcile, isSettled: true }, stop.signal);
  await reconciled(1);
});
afterEach(async () => {
  stop.abort();
  await running;
});

const reconciled = (times: number) => vi.waitFor(() => expect(ended).toHaveLength(times), polling);

test('it starts when it is woken, and right after the present one', async () => {
  loop.wake();
  await reconciled(2);
  const { promise, resolve } = Promise.withResolvers<void>();
  outcome = () => promise;
  loop.wake();
  await vi.waitFor(() => expect(reconciles).toBe(3), polling);
  loop.wake();
  resolve();
  await reconciled(4);
  expect(ended).toEqual([undefined, undefined, undefined, undefined]);
});

test('what has happened before it starts is in its first reconcile', async () => {
  const early = new ReconcileLoop({ failureLog: { record: () => {} } });
  let count = 0;
  early.wake();
  const stopEarly = new AbortController();
  const end = early.run({ reconcile: async () => void count++, isSettled: true }, stopEarly.signal);
  await vi.waitFor(() => expect(count).toBe(1), polling);
  await sleep(100);
  expect(count).toBe(1);
  stopEarly.abort();
  await end;
});

test('it joins what others read, but not soon after the last one', async () => {
  clock = 6_000;
  expect(loop.join()).toBe(false);
  clock = 7_000;
  const { promise, resolve } = Promise.withResolvers<void>();
  outcome = () => promise;
  expect(loop.join()).toBe(true);
  await vi.waitFor(() => expect(reconciles).toBe(2), polling);
  expect(loop.join()).toBe(false);
  resolve();
  await reconciled(2);
  expect(loop.join()).toBe(false);
});

test('whoever waits for its end hears of failures', async () => {
  outcome = () => Promise.reject(new Error('no answer'));
  loop.wake();
  await reconciled(2);
  expect(ended).toEqual([undefined, 'no answer']);
});
