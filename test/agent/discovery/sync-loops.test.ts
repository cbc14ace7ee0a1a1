import { beforeEach, describe, expect, test } from 'vitest';
import { SyncLoops } from '../../../functions/agent/discovery/sync-loops.ts';

let now: number;
let loops: SyncLoops;
beforeEach(() => {
  now = 0;
  loops = new SyncLoops(() => now);
});

/** Starts a loop two seconds after the last one. */
const start = () => {
  now += 2000;
  loops.start();
  loops.touch();
};
/** Runs a loop without changes. */
const run = (outcome: 'evaluated' | string) => {
  start();
  const { current } = loops;
  if (outcome === 'evaluated') loops.evaluated(current);
  else loops.fail(outcome);
};

describe('a loop is completed', () => {
  test('when it was evaluated and the next one starts', () => {
    run('evaluated');
    expect(loops.completedAt).toBeUndefined();
    start();
    expect(loops.completedAt).toBe(4000);
    // This one was not evaluated.
    start();
    expect([loops.completedAt, loops.failures]).toEqual([4000, 1]);
  });

  test('when its changes are applied, and not when they fail', () => {
    run('evaluated');
    loops.startChanges();
    loops.fail('full');
    start();
    expect([loops.completedAt, loops.failures]).toEqual([undefined, 1]);
    loops.evaluated(loops.current);
    loops.startChanges();
    loops.complete();
    expect([loops.completedAt, loops.failures]).toEqual([4000, 0]);
  });

  test('not by an evaluation that was too late', () => {
    start();
    const { current } = loops;
    loops.fail('the answer takes longer than 10000 ms');
    loops.evaluated(current);
    start();
    loops.evaluated(current);
    start();
    expect([loops.completedAt, loops.failures]).toEqual([undefined, 2]);
  });
});

describe('loops count as failing', () => {
  test('after three failures in a row and ten seconds, with the first error, until one is completed', () => {
    for (let i = 0; i < 2; i++) run('evaluated');
    const failures = [0, 1, 2, 3, 4, 5, 6].map((i) => {
      run(`because ${i}`);
      return loops.failure;
    });
    expect(failures).toEqual([...Array(5).fill(undefined), 'because 0', 'because 0']);
    run('evaluated');
    expect(loops.isFailing).toBe(true);
    start();
    expect([loops.isFailing, loops.failures]).toEqual([false, 0]);
  });

  test('also when they are never evaluated', () => {
    for (let i = 0; i < 2; i++) run('evaluated');
    for (let i = 0; i < 7; i++) start();
    expect(loops.failure).toBe('it did not call /adjustendpoints');
  });

  test('during startup only after 30 seconds', () => {
    for (; now < 30_000; ) {
      run('the ingresses are not listed yet');
      expect(loops.isFailing).toBe(false);
    }
    for (let i = 0; i < 2; i++) run('the ingresses are not listed yet');
    expect(loops.failure).toBe('the ingresses are not listed yet');
  });
});
