import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';

/** Adds the metadata that an API server adds to stored objects, which is half of a function's input. Pure. */
export function stored(object: KubernetesObject): KubernetesObject {
  const time = '2026-01-01T00:00:00Z';
  const { apiVersion, kind, metadata, status, ...fields } = object;
  const entry = { apiVersion, time, fieldsType: 'FieldsV1' };
  const managedFields = [
    {
      ...entry,
      manager: 'apiextensions.crossplane.io/composed/0123456789abcdef',
      operation: 'Apply',
      fieldsV1: fieldsOf({ metadata, ...fields }),
    },
    ...(status
      ? [{ ...entry, manager: 'kube-controller-manager', operation: 'Update', fieldsV1: fieldsOf({ status }) }]
      : []),
  ];
  const added = {
    uid: metadata.uid ?? '5bd46f8e-5c7b-4b0e-9c1f-0a4d2a1c9f10',
    resourceVersion: '123456',
    creationTimestamp: time,
  };
  return { ...object, metadata: { ...metadata, ...added, managedFields } as KubernetesObject['metadata'] };
}

export const storedAll = (observed: Observed): Observed =>
  Object.fromEntries(Object.entries(observed).map(([key, object]) => [key, stored(object)]));

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
function fieldsOf(value: unknown): object {
  if (typeof value !== 'object' || value === null) return {};
  const members = Array.isArray(value)
    ? value.map((element, index) => [`k:{"name":"${element?.name ?? index}"}`, element])
    : Object.entries(value).map(([name, member]) => [`f:${name}`, member]);
  return Object.fromEntries(members.map(([name, member]) => [name, fieldsOf(member)]));
}
