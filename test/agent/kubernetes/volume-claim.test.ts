import { expect, test } from 'vitest';
import { VolumeClaim } from '../../../functions/agent/kubernetes/volume-claim.ts';

/** A claim, and what was asked, refused and complained of so far. */
function claimWith(growClaim: (size: string) => Promise<string | undefined>) {
  const said: string[] = [];
  const claim = new VolumeClaim({
    cluster: {
      growClaim: (size) => {
        said.push(`grow to ${size}`);
        return growClaim(size);
      },
    },
    onRefusal: (refusal) => void said.push(refusal ?? 'not refused'),
    failureLog: { record: (action, failure) => void (failure && said.push(`cannot ${action}: ${failure}`)) },
  });
  return { claim, said };
}

test('is asked for once for each size', async () => {
  const { claim, said } = claimWith(async () => undefined);
  for (const size of [undefined, '1Gi', '1Gi', '2Gi', '2Gi']) await claim.grow(size);
  expect(said).toEqual(['grow to 1Gi', 'not refused', 'grow to 2Gi', 'not refused']);
});

test('is asked for again after a refusal, which is cut where it is long', async () => {
  let refusal: string | undefined = 'x'.repeat(1000);
  const { claim, said } = claimWith(async () => refusal);
  await claim.grow('2Gi');
  refusal = undefined;
  await claim.grow('2Gi');
  const told = `cannot grow the claim to 2Gi: ${'x'.repeat(1000)}`.slice(0, 500);
  expect(said).toEqual(['grow to 2Gi', told, 'grow to 2Gi', 'not refused']);
});

test('that cannot be asked for is no refusal', async () => {
  const { claim, said } = claimWith(() => Promise.reject(new Error('nobody listens there')));
  await claim.grow('2Gi');
  expect(said).toEqual(['grow to 2Gi', 'cannot ask for the claim: nobody listens there']);
});
