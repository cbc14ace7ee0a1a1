import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isServing, type Pod } from '../../../functions/agent/kubernetes/pod.ts';
import { removeFromServices } from '../../../functions/agent/peers/removal.ts';
import { MemoryPods } from './memory-pods.ts';

const [self, peer] = ['idns-corp-0', 'idns-corp-1'];
const now = () => new Date('2026-01-31T12:00:00.123Z');

const podOf = async (pods: MemoryPods, name: string) => (await pods.read(name)) as Pod;

describe('a pod that does not answer', () => {
  test('is taken out of its Services, and both pods say so', async () => {
    const pods = new MemoryPods(self, peer);
    expect(await removeFromServices({ pods, self, silent: await podOf(pods, peer), now })).toBe(true);
    const at = { reason: 'NoAnswer', lastTransitionTime: '2026-01-31T12:00:00Z' };
    expect(pods.pods.get(peer)?.status?.conditions).toEqual([
      { type: 'Ready', status: 'False', message: 'idns-corp-0 gets no answer from this pod', ...at },
    ]);
    expect(pods.pods.get(self)?.status?.conditions).toEqual([
      { type: 'Ready', status: 'True' },
      { type: 'dns.internal/TookOut', status: 'True', message: 'idns-corp-1 did not answer at version 2', ...at },
    ]);
  });

  test.for<[string, (pods: MemoryPods) => void]>([
    ['the own pod is not ready', (pods) => pods.setReady(self, 'False')],
    ['the own pod is gone', (pods) => pods.pods.delete(self)],
    ['kubelet has changed it meanwhile', (pods) => pods.setReady(peer, 'Unknown')],
    ['it was replaced meanwhile', (pods) => pods.add(peer, '192.0.2.9')],
  ])('stays when %s', async ([, change]) => {
    const pods = new MemoryPods(self, peer);
    const silent = await podOf(pods, peer);
    change(pods);
    const before = pods.pods.get(peer);
    expect(await removeFromServices({ pods, self, silent })).toBe(false);
    expect(pods.pods.get(peer)).toEqual(before);
  });
});

/** An API server whose requests arrive, and whose answers return, in any order. */
class SlowPods extends MemoryPods {
  scheduler: fc.Scheduler | undefined;
  readonly onWrite: () => void;

  constructor(onWrite: () => void, ...names: string[]) {
    super(...names);
    this.onWrite = onWrite;
  }

  override read = (name: string) => this.#later(() => super.read(name));
  override mergeStatus = (name: string, body: object) =>
    this.#later(async () => {
      const isWritten = await super.mergeStatus(name, body);
      this.onWrite();
      return isWritten;
    });

  async #later<T>(answer: () => Promise<T>): Promise<T> {
    await this.scheduler?.schedule(Promise.resolve());
    const answered = await answer();
    await this.scheduler?.schedule(Promise.resolve());
    return answered;
  }
}

test('replicas that do not reach each other never take out all of them, whatever kubelet says meanwhile', async () => {
  const attempt = fc.record({ by: fc.nat(3), of: fc.nat(3), isRestored: fc.boolean() });
  const history = fc.tuple(fc.integer({ min: 2, max: 4 }), fc.array(attempt, { minLength: 2, maxLength: 12 }));
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), history, async (scheduler, [replicas, attempts]) => {
      const names = Array.from({ length: replicas }, (_, ordinal) => `idns-corp-${ordinal}`);
      let fewest = replicas;
      const pods: SlowPods = new SlowPods(() => (fewest = Math.min(fewest, pods.serving.length)), ...names);
      pods.scheduler = scheduler;
      const name = (index: number) => names[index % replicas] as string;
      const agents = Map.groupBy(attempts, ({ by }) => name(by));
      const all = [...agents].map(async ([self, ofAgent]) => {
        for (const { of, isRestored } of ofAgent) {
          const silent = await pods.read(name(of));
          if (name(of) !== self && isServing(silent)) await removeFromServices({ pods, self, silent, now });
          if (isRestored) pods.setReady(name(of), 'True');
        }
      });
      await scheduler.waitFor(Promise.all(all));
      expect(fewest).toBeGreaterThan(0);
    }),
  );
});
