import { Informer, type InformerOptions } from './informer.ts';
import type { KubernetesObject } from './object.ts';

export interface SingleObjectOptions<T> extends Pick<InformerOptions<T>, 'client' | 'onFailure' | 'backoff'> {
  /** Of the collection, such as `/api/v1/namespaces/shop/configmaps`. */
  path: string;
  name: string;
  /** Called with the object and each later version; undefined while it does not exist. */
  onChange: (object: T | undefined) => void;
}

/**
 * Returns an informer of one object, which needs no more than a Role with `resourceNames`:
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
 */
export function singleObjectInformer<T extends KubernetesObject>({
  name,
  onChange,
  ...options
}: SingleObjectOptions<T>): Informer<T> {
  const object = () => informer.store.values().next().value;
  const informer: Informer<T> = new Informer<T>({
    ...options,
    fieldSelector: `metadata.name=${name.replace(/[\\,=]/g, '\\$&')}`,
    transform: (object) => object,
    onChange: () => onChange(object()),
    // After each list: there is no event for an object that still does not exist.
    onList: () => informer.store.size === 0 && onChange(undefined),
  });
  return informer;
}
