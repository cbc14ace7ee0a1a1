import { beforeEach, describe, expect, test } from 'vitest';
import { SyncLoops } from '../../../functions/agent/discovery/sync-loops.ts';

let now: number;
let loops: SyncLoops;
beforeEach(() => {
  now = 0;
  loops = new SyncLoops(() => now);
});

/** The beginning of a loop, two seconds after the one before. */
const begin = () => {
  now += 2000;
  loops.start();
  loops.touch();
};
/** A whole one without changes, as far as it gets. */
const pass = (verdict: 'given' | string) => {
  begin();
  const { current } = loops;
  if (verdict === 'given') loops.evaluated(current);
  else loops.fail(verdict);
};

describe('a loop is finished', () => {
  test('when the next one begins and it got its own verdict', () => {
    pass('given');
    expect(loops.completedAt).toBeUndefined();
    begin();
    expect(loops.completedAt).toBe(4000);
    // This one has asked for no verdict.
    begin();
    expect([loops.completedAt, loops.failures]).toEqual([4000, 1]);
  });

  test('when its changes are made, and not when they fail', () => {
    pass('given');
    loops.startChanges();
    loops.fail('full');
    begin();
    expect([loops.completedAt, loops.failures]).toEqual([undefined, 1]);
    loops.evaluated(loops.current);
    loops.startChanges();
    loops.complete();
    expect([loops.completedAt, loops.failures]).toEqual([4000, 0]);
  });

  test('not by a verdict that was too late for it', () => {
    begin();
    const { current } = loops;
    loops.fail('the answer takes longer than 10000 ms');
    loops.evaluated(current);
    begin();
    loops.evaluated(current);
    begin();
    expect([loops.completedAt, loops.failures]).toEqual([undefined, 2]);
  });
});

describe('that they fail is told', () => {
  test('after three in a row and ten seconds, in the words of the first, until one is finished', () => {
    for (let i = 0; i < 2; i++) pass('given');
    const told = [0, 1, 2, 3, 4, 5, 6].map((i) => {
      pass(`because ${i}`);
      return loops.failure;
    });
    expect(told).toEqual([...Array(5).fill(undefined), 'because 0', 'because 0']);
    pass('given');
    expect(loops.isFailing).toBe(true);
    begin();
    expect([loops.isFailing, loops.failures]).toEqual([false, 0]);
  });

  test('also where no verdict is asked for any more', () => {
    for (let i = 0; i < 2; i++) pass('given');
    for (let i = 0; i < 7; i++) begin();
    expect(loops.failure).toBe('no verdict was asked for');
  });

  test('after a start only when it takes longer than that', () => {
    for (; now < 30_000; ) {
      pass('the ingresses are not listed yet');
      expect(loops.isFailing).toBe(false);
    }
    for (let i = 0; i < 2; i++) pass('the ingresses are not listed yet');
    expect(loops.failure).toBe('the ingresses are not listed yet');
  });
});
