import { expect, test } from 'vitest';
import { VolumeClaim } from '../../../functions/agent/kubernetes/volume-claim.ts';

/** A claim, and a log of its requests, refusals and failures. */
function claimWith(expandVolume: (size: string) => Promise<string | undefined>) {
  const log: string[] = [];
  const claim = new VolumeClaim({
    client: {
      expandVolume: (size) => {
        log.push(`expand to ${size}`);
        return expandVolume(size);
      },
    },
    onRefusal: (refusal) => void log.push(refusal ?? 'not refused'),
    failureLog: { record: (action, failure) => void (failure && log.push(`cannot ${action}: ${failure}`)) },
  });
  return { claim, log };
}

test('requests each size once', async () => {
  const { claim, log } = claimWith(async () => undefined);
  for (const size of [undefined, '1Gi', '1Gi', '2Gi', '2Gi']) await claim.expand(size);
  expect(log).toEqual(['expand to 1Gi', 'not refused', 'expand to 2Gi', 'not refused']);
});

test('retries after a refusal, whose message is truncated', async () => {
  let refusal: string | undefined = 'x'.repeat(1000);
  const { claim, log } = claimWith(async () => refusal);
  await claim.expand('2Gi');
  refusal = undefined;
  await claim.expand('2Gi');
  const message = `cannot expand the PersistentVolumeClaim to 2Gi: ${'x'.repeat(1000)}`.slice(0, 500);
  expect(log).toEqual(['expand to 2Gi', message, 'expand to 2Gi', 'not refused']);
});

test('a failed request is not a refusal', async () => {
  const { claim, log } = claimWith(() => Promise.reject(new Error('connect ECONNREFUSED')));
  await claim.expand('2Gi');
  expect(log).toEqual(['expand to 2Gi', 'cannot expand the PersistentVolumeClaim: connect ECONNREFUSED']);
});
