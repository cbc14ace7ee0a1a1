import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { DnsdistEviction } from '../../../functions/agent/dnsdist/eviction.ts';
import type { DnsdistPod } from '../../../functions/agent/dnsdist/pods.ts';

let pods: DnsdistPod[];
let eviction: DnsdistEviction;
/** What is known of the addresses that do not answer. */
let silent: Map<string, false | undefined>;
let evicted: string[];
let attempts: number;
let failures: (string | undefined)[];
let refusal: string | undefined;
let now: number;

beforeEach(() => {
  pods = ['a', 'b'].map((name, index) => ({ name, ip: `192.0.2.${index}` }));
  [silent, evicted, attempts, failures, refusal, now] = [new Map(), [], 0, [], undefined, 0];
  eviction = new DnsdistEviction({
    pods: () => pods,
    isAnswering: async (ip) => !silent.has(ip) || silent.get(ip),
    evict: async () => {
      attempts++;
      if (refusal) throw new Error(refusal);
    },
    onEviction: (pod) => evicted.push(pod),
    failureLog: { record: (_, failure) => failures.push(failure) },
    now: () => now,
  });
});

/** Polls once a second. */
async function poll(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    now += 1000;
    eviction.poll();
    // Everything here is in memory.
    for (let turn = 0; turn < 20; turn++) await setImmediate();
  }
}

test('while all pods answer, none is evicted', async () => {
  await poll(10);
  expect([evicted, eviction.count, failures]).toEqual([[], 0, []]);
});

describe('a pod that falls silent', () => {
  beforeEach(async () => {
    await poll(2);
    silent.set('192.0.2.1', false);
  });

  test('is evicted once, however long it takes to end', async () => {
    await poll(60);
    expect([evicted, attempts, eviction.count, failures]).toEqual([['b'], 1, 1, [undefined]]);
  });

  test('is evicted again once it has answered in between', async () => {
    await poll(2);
    silent.clear();
    await poll(5);
    silent.set('192.0.2.1', false);
    await poll(2);
    expect(evicted).toEqual(['b', 'b']);
  });

  test('stays while no other one answers', async () => {
    silent.set('192.0.2.0', false);
    await poll(20);
    expect(evicted).toEqual([]);
    silent.delete('192.0.2.0');
    await poll(2);
    expect(evicted).toEqual(['b']);
  });

  test('stays while it is unknown whether it answers', async () => {
    silent.set('192.0.2.1', undefined);
    await poll(20);
    expect(evicted).toEqual([]);
  });

  test('is tried again each second, and told, if its disruption budget forbids it', async () => {
    refusal = 'Cannot evict pod as it would violate the disruption budget.';
    await poll(3);
    expect([attempts, new Set(failures)]).toEqual([3, new Set([refusal])]);
    refusal = undefined;
    await poll(1);
    expect(evicted).toEqual(['b']);
  });
});

test('a pod that has never answered is not evicted', async () => {
  silent.set('192.0.2.1', false);
  await poll(20);
  expect(evicted).toEqual([]);
});

test('a single pod is never evicted', async () => {
  pods.pop();
  await poll(2);
  silent.set('192.0.2.0', false);
  await poll(20);
  expect(evicted).toEqual([]);
});

test('a pod that the Service no longer has is forgotten', async () => {
  await poll(2);
  const [first, second] = pods as [DnsdistPod, DnsdistPod];
  pods = [first];
  await poll(1);
  silent.set(second.ip, false);
  pods = [first, second];
  await poll(20);
  expect(evicted).toEqual([]);
});
