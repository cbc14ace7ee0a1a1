import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { atMostEvery, InStep, type Runnable, Runnables, Sleeper } from '../../../functions/agent/lib/runnable.ts';
import { polling } from '../../timeouts.ts';

const every = (ms: number, name: string, work: () => unknown): Runnable =>
  new InStep().runnables({ [name]: work }, () => ({ leastMs: ms, mostMs: ms }))[0]!;

const never = (error: unknown) => expect.unreachable(`${error}`);

describe('runnables', () => {
  test('run until they are stopped, and no further', async () => {
    let runs = 0;
    const runnables = new Runnables();
    runnables.start([every(1, 'count', () => void runs++)], never);
    await vi.waitFor(() => expect(runs).toBeGreaterThan(2), polling);
    expect(await runnables.stop(10_000)).toEqual([]);
    const last = runs;
    await sleep(20);
    expect(runs).toBe(last);
  });

  test('finish what is under way before a stop resolves', async () => {
    const steps: string[] = [];
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const work = async () => {
      begin();
      await released;
      steps.push('written');
    };
    const runnables = new Runnables();
    runnables.start([every(0, 'write', work)], never);
    await begun;
    const stopped = runnables.stop(10_000).then(() => steps.push('stopped'));
    release();
    await stopped;
    expect(steps).toEqual(['written', 'stopped']);
  });

  test('that do not finish within the grace period are named', async () => {
    const runnables = new Runnables();
    const stuck = { name: 'stuck', run: () => new Promise<void>(() => {}) };
    runnables.start([stuck, every(1, 'fine', () => {})], never);
    expect(await runnables.stop(20)).toEqual(['stuck']);
  });

  test('a pause does not delay a stop', async () => {
    const runnables = new Runnables();
    runnables.start([every(3_600_000, 'rare', () => {})], never);
    expect(await runnables.stop(3_600_000)).toEqual([]);
  });

  test('in step wake up together, and none waits for another one', async () => {
    const runs = { quick: 0, slow: 0, last: 0 };
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const order: string[] = [];
    const work = (name: keyof typeof runs) => () => {
      runs[name]++;
      order.push(name);
    };
    const slow = () => {
      work('slow')();
      return released;
    };
    const runnables = new Runnables();
    runnables.start(
      new InStep().runnables({ quick: work('quick'), slow, last: work('last') }, () => ({ leastMs: 1, mostMs: 1 })),
      never,
    );
    await vi.waitFor(() => expect(runs.last).toBeGreaterThan(2), polling);
    expect(runs.slow).toBe(1);
    release();
    await vi.waitFor(() => expect(runs.slow).toBeGreaterThan(2), polling);
    expect(await runnables.stop(10_000)).toEqual([]);
    expect(order.slice(0, 5)).toEqual(['quick', 'slow', 'last', 'quick', 'last']);
    expect(Math.abs(runs.quick - runs.last)).toBeLessThan(2);
  });

  test('in step start early when they are woken, and not more often than they may', async () => {
    const starts: number[] = [];
    const inStep = new InStep();
    const runnables = new Runnables();
    const works = { count: () => void starts.push(performance.now()) };
    runnables.start(
      inStep.runnables(works, () => ({ leastMs: 40, mostMs: 3_600_000 })),
      never,
    );
    await vi.waitFor(() => expect(starts).toHaveLength(1), polling);
    for (let wakes = 0; wakes < 10; wakes++) inStep.wake();
    await vi.waitFor(() => expect(starts).toHaveLength(2), polling);
    expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(39);
    await sleep(100);
    expect(starts).toHaveLength(2);
    inStep.wake();
    await vi.waitFor(() => expect(starts).toHaveLength(3), polling);
    expect(await runnables.stop(10_000)).toEqual([]);
  });

  test('a failure is reported, and the others go on', async () => {
    const failures: unknown[] = [];
    let runs = 0;
    const runnables = new Runnables();
    const failing = every(1, 'fail', () => {
      throw new Error('broken');
    });
    runnables.start([failing, every(1, 'count', () => void runs++)], (error) => failures.push(error));
    await vi.waitFor(() => expect(runs).toBeGreaterThan(3), polling);
    expect(failures).toEqual([new Error('broken')]);
    await runnables.stop(10_000);
  });
});

describe('a sleeper', () => {
  const long = { leastMs: 0, mostMs: 3_600_000 };

  test('wakes up when somebody wakes it, whether or not it sleeps by then', async () => {
    const sleeper = new Sleeper();
    const { signal } = new AbortController();
    const sleeping = sleeper.sleep(long, signal);
    sleeper.wake();
    await sleeping;
    sleeper.wake();
    await sleeper.sleep(long, signal);
    await sleeper.sleep({ leastMs: 3_600_000, mostMs: 1 }, signal);
  });

  test('does not outlive its process', async () => {
    const stop = new AbortController();
    const sleeping = new Sleeper().sleep(long, stop.signal);
    stop.abort();
    await sleeping;
    await new Sleeper().sleep(long, stop.signal);
  });
});

test('work that is rarer than its calls is left out in between', () => {
  let clock = 0;
  const ranAt: number[] = [];
  const work = atMostEvery(
    5,
    () => ranAt.push(clock),
    () => clock,
  );
  for (; clock < 14; clock += 2) work();
  expect(ranAt).toEqual([0, 6, 12]);
});
