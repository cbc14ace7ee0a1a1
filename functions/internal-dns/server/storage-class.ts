import type { KubernetesObject, Selector } from '../../cdk8s-function-xp/composition.ts';
import type { Report } from '../../contract/report.ts';
import type { Spec } from '../spec.ts';

/** All of them, because the default one has an annotation, not a label, and a message lists those that exist. */
export const storageClasses: Selector = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' };

/**
 * Whether a pod has never run, so that it may be waiting for a volume. Only then are the StorageClasses required: a
 * Crossplane that may not list them waits for them until its reconcile times out, which must not happen to an instance
 * whose pods merely restart.
 * https://github.com/kubernetes-sigs/controller-runtime/blob/v0.23.1/pkg/cache/internal/informers.go#L329-L334
 */
export function isStarting(
  { replicas, storage }: Spec,
  pods: KubernetesObject | undefined,
  reports: (Report | undefined)[],
): boolean {
  if (storage.type !== 'Volume') return false;
  return pods !== undefined && (pods.status?.readyReplicas ?? 0) < replicas && reports.includes(undefined);
}

/**
 * Why the claims of these pods get no volume, and the cure; undefined if a StorageClass is there for them. It is the one
 * of the StatefulSet, whose claim template is immutable. Without one, a claim gets the default class as soon as there is
 * one: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#retroactive-default-storageclass-assignment
 */
export function missingStorageClass(
  { storage }: Spec,
  pods: KubernetesObject | undefined,
  classes: readonly KubernetesObject[],
): string | undefined {
  const wanted: string | undefined = pods?.spec?.volumeClaimTemplates?.[0]?.spec?.storageClassName;
  const names = classes.map(({ metadata }) => metadata.name).sort();
  if (wanted === undefined ? classes.some(isDefault) : names.includes(wanted)) return undefined;
  const claims = storage.retain ? ' and its PersistentVolumeClaims' : '';
  const another = names.length > 0 ? `storage.storageClassName set to ${oneOf(names)}, or with ` : '';
  const again = `, or delete the InternalDNS${claims} and create it again with ${another}storage.type: Ephemeral`;
  if (wanted !== undefined) return `StorageClass "${wanted}" does not exist: create it${again}`;
  if (names.length === 0)
    return `the cluster has no StorageClass: install a storage driver, with a default class${again}`;
  return `no StorageClass is the default: mark one with the annotation ${defaultAnnotations[0]}: "true"${again}`;
}

// https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/volume/util/storageclass.go#L76-L82
const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
] as const;

const isDefault = ({ metadata }: KubernetesObject) =>
  defaultAnnotations.some((annotation) => metadata.annotations?.[annotation] === 'true');

const maxNames = 3;

function oneOf(names: string[]): string {
  if (names.length === 1) return names.join();
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : '';
  return `one of: ${names.slice(0, maxNames).join(', ')}${more}`;
}
