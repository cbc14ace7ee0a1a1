import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pod } from '../../../functions/agent/kubernetes/pod.ts';
import { afterAnswer, afterRemoval, afterSilence, unknown } from '../../../functions/agent/peers/suspicion.ts';

const pod = (podIP: string | undefined, ready: 'True' | 'False' = 'True', deletionTimestamp?: string): Pod => ({
  metadata: { name: 'idns-corp-1', ...(deletionTimestamp && { deletionTimestamp }) },
  status: { ...(podIP && { podIP }), conditions: [{ type: 'Ready', status: ready }] },
});

const known = { ip: '192.0.2.1', hasAnswered: true };

describe('a replica that falls silent', () => {
  test('is taken out if it is ready at the address that answered', () => {
    expect(afterSilence(known, pod('192.0.2.1'), 0)).toEqual({ suspicion: known, silent: pod('192.0.2.1') });
  });

  test.for<[string, typeof known, Pod | undefined]>([
    ['has never answered', { ...known, hasAnswered: false }, pod('192.0.2.1')],
    ['is not ready anyway', known, pod('192.0.2.1', 'False')],
    ['is about to stop', known, pod('192.0.2.1', 'True', '2026-01-31T12:00:00Z')],
    ['has another address now', known, pod('192.0.2.2')],
    ['has no address yet', known, pod(undefined)],
    ['does not exist', known, undefined],
  ])('stays if it %s', ([, suspicion, found]) => {
    expect(afterSilence(suspicion, found, 0).silent).toBeUndefined();
  });

  test('is asked at its new address from then on', () => {
    const { suspicion } = afterSilence(known, pod('192.0.2.2'), 0);
    expect(suspicion).toEqual({ ip: '192.0.2.2', hasAnswered: false });
    expect(afterSilence(afterAnswer(suspicion), pod('192.0.2.2'), 0).silent).toBeDefined();
  });
});

test('each silence leads to one removal, and removals are a minute apart', () => {
  const observation = fc.record({ isAnswered: fc.boolean(), seconds: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(observation, { maxLength: 60 }), (observations) => {
      let [suspicion, now, answers] = [unknown, 0, 0];
      const removals: { at: number; answers: number }[] = [];
      for (const { isAnswered, seconds } of observations) {
        now += seconds * 1000;
        if (isAnswered && suspicion.ip) {
          suspicion = afterAnswer(suspicion);
          answers++;
          continue;
        }
        // Kubelet says every time that it is ready.
        const { suspicion: next, silent } = afterSilence(suspicion, pod('192.0.2.1'), now);
        suspicion = silent ? afterRemoval(next, now) : next;
        if (silent) removals.push({ at: now, answers });
      }
      for (const [index, removal] of removals.entries()) {
        const last = removals[index - 1] ?? { at: Number.NEGATIVE_INFINITY, answers: 0 };
        expect(removal.at - last.at).toBeGreaterThanOrEqual(60_000);
        expect(removal.answers).toBeGreaterThan(last.answers);
      }
    }),
  );
});
