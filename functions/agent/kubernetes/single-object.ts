import { Informer, type InformerOptions } from './informer.ts';
import type { KubernetesObject } from './object.ts';

export interface SingleObjectOptions<T> extends Pick<InformerOptions<T>, 'client' | 'onFailure' | 'backoff'> {
  /** Of the collection, such as `/api/v1/namespaces/shop/configmaps`. */
  path: string;
  name: string;
  /** The object as it is, then after each change; undefined while it does not exist. */
  onChange: (object: T | undefined) => void;
}

/**
 * Informs about one object, for which a Role with `resourceNames` is enough:
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
 */
export function informerOf<T extends KubernetesObject>({
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
    // Again after each list: nothing else says that it still does not exist.
    onList: () => informer.store.size === 0 && onChange(undefined),
  });
  return informer;
}
