import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { PeerWatch } from '../../../functions/agent/peers/peer-watch.ts';
import { MemoryPods } from './memory-pods.ts';

const self = 'idns-corp-0';

let pods: MemoryPods;
let watch: PeerWatch;
/** The addresses that answer; without a host this pod's own. */
let answering: Set<string>;
let asked: string[];
let removed: string[];
let failures: (string | undefined)[];
let replicas: number;
let now: number;

beforeEach(() => {
  pods = new MemoryPods(self, 'idns-corp-1', 'idns-corp-2');
  answering = new Set(['127.0.0.1', '192.0.2.1', '192.0.2.2']);
  [asked, removed, failures, replicas, now] = [[], [], [], 3, 0];
  watch = new PeerWatch({
    self,
    replicas: () => replicas,
    pods,
    isAnswering: async (ip = '127.0.0.1') => {
      asked.push(ip);
      return answering.has(ip);
    },
    onRemoval: ({ metadata }) => removed.push(metadata.name),
    failureLog: { record: (_, failure) => failures.push(failure) },
    now: () => now,
  });
});

/** Polls once a second. */
async function poll(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    now += 1000;
    watch.poll();
    // Everything here is in memory.
    for (let turn = 0; turn < 20; turn++) await setImmediate();
  }
}

describe('while all replicas answer', () => {
  test('each of the others is asked every second, and the API server only once, for their addresses', async () => {
    await poll(10);
    expect(asked.filter((ip) => ip === '192.0.2.1')).toHaveLength(9);
    expect(pods.requests).toEqual(['read idns-corp-1', 'read idns-corp-2']);
    expect(watch.counts).toEqual({ silent: 0, removed: 0 });
  });

  test('a single replica asks nobody', async () => {
    replicas = 1;
    await poll(3);
    expect([asked, pods.requests]).toEqual([[], []]);
  });
});

describe('a replica that falls silent', () => {
  beforeEach(async () => {
    await poll(2);
    answering.delete('192.0.2.1');
  });

  test('is taken out at once, and only once, even if kubelet says that it is ready', async () => {
    await poll(1);
    expect([removed, pods.serving]).toEqual([['idns-corp-1'], [self, 'idns-corp-2']]);
    pods.setReady('idns-corp-1', 'True');
    await poll(300);
    expect(removed).toEqual(['idns-corp-1']);
    expect(watch.counts).toEqual({ silent: 1, removed: 1 });
  });

  test('is taken out again after it has answered, and a minute has passed', async () => {
    await poll(1);
    pods.setReady('idns-corp-1', 'True');
    answering.add('192.0.2.1');
    await poll(2);
    answering.delete('192.0.2.1');
    await poll(55);
    expect(removed).toHaveLength(1);
    await poll(10);
    expect(removed).toHaveLength(2);
  });

  test('stays while this pod does not answer even itself', async () => {
    answering.delete('127.0.0.1');
    await poll(20);
    expect(removed).toEqual([]);
  });

  test('is tried again a second later if a pod has just changed', async () => {
    const { mergeStatus } = MemoryPods.prototype;
    pods.mergeStatus = async () => false;
    await poll(1);
    pods.mergeStatus = mergeStatus;
    await poll(1);
    expect(removed).toEqual(['idns-corp-1']);
  });

  test('is told if this agent may not take it out, and the API server is not asked each second', async () => {
    pods.read = async () => {
      pods.requests.push('read');
      throw new Error('pods is forbidden');
    };
    pods.requests.length = 0;
    await poll(10);
    expect(new Set(failures.slice(2))).toEqual(new Set(['pods is forbidden']));
    expect(pods.requests).toHaveLength(2);
  });

  test('is asked at the address of its next pod', async () => {
    pods.add('idns-corp-1', '192.0.2.7');
    answering.add('192.0.2.7');
    asked.length = 0;
    await poll(3);
    expect(asked.filter((ip) => ip === '192.0.2.7')).toHaveLength(2);
    expect(watch.counts).toEqual({ silent: 0, removed: 0 });
  });

  test('is known at the address of its next pod a second after that has one', async () => {
    pods.pods.delete('idns-corp-1');
    await poll(20);
    pods.add('idns-corp-1', '192.0.2.7');
    await poll(2);
    answering.add('192.0.2.7');
    await poll(1);
    answering.delete('192.0.2.7');
    await poll(1);
    expect(removed).toEqual(['idns-corp-1']);
  });

  test('is forgotten when it is no longer declared', async () => {
    replicas = 1;
    await poll(5);
    expect([removed, watch.counts.silent]).toEqual([[], 0]);
  });
});
