import { Requirements, type RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject, Observed, Required } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { internalDNS } from '../../functions/internal-dns/composition.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { defaulted } from '../crossplane.ts';
import { running } from '../golden/cluster.ts';
import { internalDNSOf } from './refusals.ts';

const composite = defaulted(
  internalDNSOf({ zones: [{ name: 'corp.internal' }], replicas: 2, storage: { storageClassName: 'fast' } }),
);
const slow = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'slow' } };

const answer = (observed: Observed = {}, required: Required = {}) =>
  run(requestFor(composite, observed, required), internalDNS);

const serverReadyIn = ({ conditions }: RunFunctionResponse) => {
  const { reason, message } = conditions.find(({ type }) => type === 'ServerReady')!;
  return [reason, message?.replace(/(?<=:).*/, '')];
};

/** A cluster in which so many pods are ready, and the pods with these ordinals have reported. */
function clusterWith(readyReplicas: number, reported: number[]): Observed {
  const observed: Record<string, KubernetesObject> = { ...running(composite, answer()) };
  const pods = observed['server/pods']!;
  const mailbox = observed['mailboxes/status']!;
  const data = Object.fromEntries(
    reported.map((ordinal) => `idns-corp-${ordinal}`).map((pod) => [pod, mailbox.data[pod]]),
  );
  return {
    ...observed,
    'server/pods': { ...pods, status: { ...pods.status, readyReplicas } },
    'mailboxes/status': { ...mailbox, data },
  };
}

describe('the StorageClasses are', () => {
  test.each([
    ['no pod exists yet', {}],
    ['all pods are ready', clusterWith(2, [0, 1])],
    ['all pods are ready, and one has not reported', clusterWith(2, [0])],
    ['a pod that has run is not ready', clusterWith(1, [0, 1])],
  ])('not required when %s', (_, observed) => {
    expect(answer(observed).requirements).toBeUndefined();
  });

  test.each([
    ['no pod has run yet', clusterWith(0, [])],
    ['a new replica has not run yet', clusterWith(1, [0])],
  ])('all required when %s, before and after they are known', (_, observed) => {
    const [first, second] = [answer(observed), answer(observed, { storageClasses: [slow] })];
    expect(Requirements.toJSON(first.requirements!)).toEqual({
      resources: { storageClasses: { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', matchLabels: {} } },
    });
    expect(second.requirements).toEqual(first.requirements);
    expect(serverReadyIn(first)).toEqual(['PodsNotReady', 'not every pod is ready; if this lasts:']);
    expect(serverReadyIn(second)).toEqual([
      'NoStorageClass',
      'not every pod is ready, and StorageClass "fast" does not exist:',
    ]);
  });

  test('not required without volumes', () => {
    const composite = defaulted(internalDNSOf({ zones: [{ name: 'corp.internal' }], storage: { type: 'Ephemeral' } }));
    const observed = running(composite, run(requestFor(composite), internalDNS));
    const starting = { ...observed, 'mailboxes/status': { ...observed['mailboxes/status']!, data: {} } };
    const pods = { ...observed['server/pods']!, status: { readyReplicas: 0 } };
    const response = run(requestFor(composite, { ...starting, 'server/pods': pods }), internalDNS);
    expect(serverReadyIn(response)[0]).toBe('PodsNotReady');
    expect(response.requirements).toBeUndefined();
  });

  test('not considered once the pods have run, although Crossplane still sends them', () => {
    const response = answer(clusterWith(1, [0, 1]), { storageClasses: [slow] });
    expect(serverReadyIn(response)[0]).toBe('PodsNotReady');
  });
});

test('the class that counts is that of the StatefulSet in the cluster', () => {
  const observed = clusterWith(0, []);
  const pods = structuredClone(observed['server/pods']!);
  pods.spec.volumeClaimTemplates[0].spec.storageClassName = 'slow';
  const response = answer({ ...observed, 'server/pods': pods }, { storageClasses: [slow] });
  expect(serverReadyIn(response)[0]).toBe('PodsNotReady');
});
