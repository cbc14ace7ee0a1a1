import type { KubernetesObject } from './object.ts';

export interface PodCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  /** RFC 3339. */
  lastTransitionTime?: string;
}

export interface Pod extends KubernetesObject {
  metadata: KubernetesObject['metadata'] & { deletionTimestamp?: string };
  status?: { podIP?: string; hostIPs?: { ip: string }[]; conditions?: PodCondition[] };
}

/** Whether Services send clients to the pod: it is ready, and not about to stop. */
export const isServing = (pod: Pod | undefined): pod is Pod =>
  pod?.metadata.deletionTimestamp === undefined &&
  (pod?.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');

/** The conditions of a pod, of which one is set. */
export const withCondition = ({ status }: Pod, condition: PodCondition): PodCondition[] => [
  ...(status?.conditions ?? []).filter(({ type }) => type !== condition.type),
  condition,
];
