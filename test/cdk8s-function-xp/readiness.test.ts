import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { isReady } from '../../functions/cdk8s-function-xp/readiness.ts';

type Fields = Record<string, unknown>;

function object(apiVersion: string, kind: string, rest: Fields = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'x', generation: 2 }, ...rest };
}

describe('a Deployment', () => {
  const done = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
  test.each<[string, Fields, boolean]>([
    ['has its replicas', {}, true],
    ['is behind its spec', { observedGeneration: 1 }, false],
    ['has a pod to update', { updatedReplicas: 1 }, false],
    ['has an old pod, perhaps the ready one', { replicas: 3 }, false],
    ['has a pod that is not ready', { readyReplicas: 1 }, false],
    ['has a pod that is not available yet', { availableReplicas: 1 }, false],
    ['was just created', { ...done, ...{ updatedReplicas: undefined, readyReplicas: undefined } }, false],
  ])('that $0 is ready: $2', (_, status, ready) => {
    const deployment = object('apps/v1', 'Deployment', { spec: { replicas: 2 }, status: { ...done, ...status } });
    expect(isReady(deployment)).toBe(ready);
  });

  test('without a status is not ready, and with 0 replicas is', () => {
    expect(isReady(object('apps/v1', 'Deployment', { spec: {} }))).toBe(false);
    const one = { ...done, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
    expect(isReady(object('apps/v1', 'Deployment', { spec: {}, status: one }))).toBe(true);
    const none = { observedGeneration: 2 };
    expect(isReady(object('apps/v1', 'Deployment', { spec: { replicas: 0 }, status: none }))).toBe(true);
  });
});

describe('a StatefulSet', () => {
  const done = {
    observedGeneration: 2,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
    currentRevision: 'a',
    updateRevision: 'a',
  };
  test.each<[string, Fields, Fields, boolean]>([
    ['has its replicas', {}, {}, true],
    ['is behind its spec', {}, { observedGeneration: 1 }, false],
    ['has a pod to update', {}, { updatedReplicas: 1 }, false],
    ['has a pod that is not ready', {}, { readyReplicas: 1 }, false],
    ['has a pod that is not available yet', {}, { availableReplicas: 1 }, false],
    ['is between two revisions', {}, { updateRevision: 'b' }, false],
    ['has 0 replicas, and so never completes a revision', { replicas: 0 }, { updateRevision: 'b' }, true],
  ])('that $0 is ready: $3', (_, spec, status, ready) => {
    const fields = { spec: { replicas: 2, ...spec }, status: { ...done, ...status } };
    expect(isReady(object('apps/v1', 'StatefulSet', fields))).toBe(ready);
  });
});

describe('other kinds', () => {
  const ingress = [{ ip: '192.0.2.1' }];
  test.each<[string, KubernetesObject, boolean]>([
    ['a Service in the cluster', object('v1', 'Service', { spec: { type: 'ClusterIP' } }), true],
    [
      'a load balancer without an address',
      object('v1', 'Service', { spec: { type: 'LoadBalancer' }, status: {} }),
      false,
    ],
    [
      'a load balancer with an address',
      object('v1', 'Service', { spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress } } }),
      true,
    ],
    ["another group's Service", object('serving.knative.dev/v1', 'Service', { spec: {} }), false],
    ['a ConfigMap', object('v1', 'ConfigMap'), true],
    ['a PVC that waits for its pod', object('v1', 'PersistentVolumeClaim', { status: { phase: 'Pending' } }), true],
    ['a PodDisruptionBudget', object('policy/v1', 'PodDisruptionBudget'), true],
    ['a ClusterRoleBinding', object('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'), true],
    ['an unknown kind without a Ready condition', object('example.org/v1', 'Thing'), false],
    [
      'an unknown kind with a Ready condition that is True',
      object('example.org/v1', 'Thing', { status: { conditions: [{ type: 'Ready', status: 'True' }] } }),
      true,
    ],
    [
      'an unknown kind with a Ready condition that is False',
      object('example.org/v1', 'Thing', {
        status: {
          conditions: [
            { type: 'Synced', status: 'True' },
            { type: 'Ready', status: 'False' },
          ],
        },
      }),
      false,
    ],
  ])('$0 is ready: $2', (_, given, ready) => {
    expect(isReady(given)).toBe(ready);
  });

  test('an object that is being deleted is not ready', () => {
    const metadata = { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(isReady({ apiVersion: 'v1', kind: 'ConfigMap', metadata })).toBe(false);
  });
});
