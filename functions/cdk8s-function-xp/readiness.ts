import type { KubernetesObject } from './composition.ts';

type Rule = (object: KubernetesObject) => boolean;

/**
 * When an observed object is ready, by kind and group. A kind that is not here is ready when it says so in a condition
 * `Ready`, and never without one: a kind that says nothing has to be listed, so that nobody waits on a guess.
 */
const rules: Readonly<Record<string, Rule>> = {
  'Deployment.apps': deploymentIsReady,
  'StatefulSet.apps': statefulSetIsReady,
  Service: serviceIsReady,
  ConfigMap: exists,
  Namespace: exists,
  // Bound would be wrong: with WaitForFirstConsumer a claim waits for its pod.
  PersistentVolumeClaim: exists,
  Secret: exists,
  ServiceAccount: exists,
  'ClusterRole.rbac.authorization.k8s.io': exists,
  'ClusterRoleBinding.rbac.authorization.k8s.io': exists,
  'CronJob.batch': exists,
  'HorizontalPodAutoscaler.autoscaling': exists,
  'NetworkPolicy.networking.k8s.io': exists,
  'PodDisruptionBudget.policy': exists,
  'PodMonitor.monitoring.coreos.com': exists,
  'PrometheusRule.monitoring.coreos.com': exists,
  'Role.rbac.authorization.k8s.io': exists,
  'RoleBinding.rbac.authorization.k8s.io': exists,
  'ServiceMonitor.monitoring.coreos.com': exists,
  'ValidatingAdmissionPolicy.admissionregistration.k8s.io': exists,
  'ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io': exists,
};

/** Whether an observed object does what it is there for. */
export function isReady(object: KubernetesObject): boolean {
  if (object.metadata.deletionTimestamp !== undefined) return false;
  return (rules[kindOf(object)] ?? saysReady)(object);
}

/**
 * Whether an observed object of this kind can be anything but ready. Where it cannot, an edit does not take Ready away for a
 * moment, which would cost some of the composite's tokens: Crossplane writes conditions several times.
 */
export const canBeUnready = (object: KubernetesObject): boolean => rules[kindOf(object)] !== exists;

/** An object's kind and group, as kubectl writes it: `Deployment.apps`, `Service`. */
export function kindOf({ apiVersion, kind }: KubernetesObject): string {
  const [group, version] = apiVersion.split('/');
  return version === undefined ? kind : `${kind}.${group}`;
}

function exists(): boolean {
  return true;
}

function saysReady({ status }: KubernetesObject): boolean {
  const conditions: unknown = status?.conditions;
  return Array.isArray(conditions) && conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function serviceIsReady({ spec, status }: KubernetesObject): boolean {
  return spec?.type !== 'LoadBalancer' || (status?.loadBalancer?.ingress ?? []).length > 0;
}

// readyReplicas counts pods of the old revision too, so none of those may be left:
// https://github.com/kubernetes/kubectl/blob/v0.34.4/pkg/polymorphichelpers/rollout_status.go
function deploymentIsReady(object: KubernetesObject): boolean {
  const { replicas = 0, updatedReplicas = 0 } = object.status ?? {};
  return hasItsReplicas(object) && replicas <= updatedReplicas;
}

function statefulSetIsReady(object: KubernetesObject): boolean {
  const { currentRevision, updateRevision } = object.status ?? {};
  return hasItsReplicas(object) && (currentRevision === updateRevision || object.spec?.replicas === 0);
}

function hasItsReplicas({ metadata, spec, status }: KubernetesObject): boolean {
  const wanted = spec?.replicas ?? 1;
  const { observedGeneration = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status ?? {};
  const seen = observedGeneration >= (metadata.generation ?? 1);
  return seen && Math.min(updatedReplicas, readyReplicas, availableReplicas) >= wanted;
}
