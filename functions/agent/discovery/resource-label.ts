/**
 * Returns the namespace in ExternalDNS's resource label, `ingress/shop/web`. Empty for cluster-scoped objects,
 * `node/worker-1` or `kind//name` of an Unstructured, and for endpoints without a label, such as those of Pods.
 */
export function namespaceOf(resource: string): string {
  const start = resource.indexOf('/') + 1;
  const end = resource.indexOf('/', start);
  return start > 0 && end > 0 ? resource.slice(start, end) : '';
}

/** Reports whether a label names an object. */
export const isNamed = (resource: string) => resource.includes('/');

/** Returns the group whose objects may share a name: a namespace, or the cluster-scoped objects of one kind. */
export function sharingGroup(resource: string): string {
  const namespace = namespaceOf(resource);
  // The slash keeps a namespace apart from a kind, which never has one.
  return namespace === '' ? (resource.split('/')[0] as string) : `/${namespace}`;
}
