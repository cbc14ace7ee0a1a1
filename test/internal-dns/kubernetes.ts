/** The schemas of Kubernetes from two libraries: one validates fields, the other detects unknown ones. */
import * as client from '@kubernetes/client-node';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ValidatingAdmissionPolicy } from 'kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy';
import { ValidatingAdmissionPolicyBinding } from 'kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ClusterRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding';
import { Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role';
import { RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';

type Model = new (object: never) => { validate(): void };

/** All kinds that may be composed, and whether they are namespaced. */
export const kinds: Readonly<Record<string, { model: Model; namespaced: boolean; plural: string }>> = {
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': {
    model: ValidatingAdmissionPolicy,
    namespaced: false,
    plural: 'validatingadmissionpolicies',
  },
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding': {
    model: ValidatingAdmissionPolicyBinding,
    namespaced: false,
    plural: 'validatingadmissionpolicybindings',
  },
  'v1/ConfigMap': { model: ConfigMap, namespaced: true, plural: 'configmaps' },
  'v1/Secret': { model: Secret, namespaced: true, plural: 'secrets' },
  'v1/Service': { model: Service, namespaced: true, plural: 'services' },
  'v1/ServiceAccount': { model: ServiceAccount, namespaced: true, plural: 'serviceaccounts' },
  'apps/v1/Deployment': { model: Deployment, namespaced: true, plural: 'deployments' },
  'apps/v1/StatefulSet': { model: StatefulSet, namespaced: true, plural: 'statefulsets' },
  'monitoring.coreos.com/v1/PodMonitor': { model: PodMonitor, namespaced: true, plural: 'podmonitors' },
  'monitoring.coreos.com/v1/PrometheusRule': { model: PrometheusRule, namespaced: true, plural: 'prometheusrules' },
  'networking.k8s.io/v1/NetworkPolicy': { model: NetworkPolicy, namespaced: true, plural: 'networkpolicies' },
  'policy/v1/PodDisruptionBudget': { model: PodDisruptionBudget, namespaced: true, plural: 'poddisruptionbudgets' },
  'rbac.authorization.k8s.io/v1/Role': { model: Role, namespaced: true, plural: 'roles' },
  'rbac.authorization.k8s.io/v1/RoleBinding': { model: RoleBinding, namespaced: true, plural: 'rolebindings' },
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': {
    model: ClusterRoleBinding,
    namespaced: false,
    plural: 'clusterrolebindings',
  },
};

export const kindOf = ({ apiVersion, kind }: KubernetesObject) => kinds[`${apiVersion}/${kind}`];

/** Returns what Kubernetes would reject in an object: wrong types, missing fields and unknown fields. */
export function faultsOf(object: KubernetesObject): string[] {
  const model = kindOf(object)?.model;
  if (!model) return [`${object.apiVersion} ${object.kind} is of no kind that is composed`];
  return [...invalid(object, model), ...unknown(object, `V1${object.kind}`, object.kind)];
}

function invalid(object: KubernetesObject, model: Model): string[] {
  try {
    new model(object as never).validate();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

interface Attribute {
  baseName: string;
  type: string;
}
const classes = client as unknown as Record<string, { getAttributeTypeMap?: () => Attribute[] } | undefined>;

/**
 * Types are written as in TypeScript: `V1PodSpec`, `Array<V1Container>`, `{ [key: string]: V1Volume; }`. The client lacks
 * the Prometheus operator's: ../monitoring/published-types.test.ts finds their unknown fields.
 */
function unknown(value: unknown, type: string, path: string): string[] {
  const element = /^Array<(.*)>$/.exec(type)?.[1];
  if (element !== undefined) {
    return (value as unknown[]).flatMap((item, index) => unknown(item, element, `${path}[${index}]`));
  }
  const attributes = classes[type]?.getAttributeTypeMap?.();
  if (!attributes) return [];
  return Object.entries(value as object).flatMap(([name, member]) => {
    const attribute = attributes.find(({ baseName }) => baseName === name);
    return attribute ? unknown(member, attribute.type, `${path}.${name}`) : [`${path}.${name} does not exist`];
  });
}
