/**
 * The namespace of an object as ExternalDNS labels it, `ingress/shop/web`; empty for one that has none: `node/worker-1`,
 * `kind//name` of a cluster-scoped Unstructured, and wishes that carry no label, as those of Pods.
 */
export function namespaceOf(resource: string): string {
  const start = resource.indexOf('/') + 1;
  const end = resource.indexOf('/', start);
  return start > 0 && end > 0 ? resource.slice(start, end) : '';
}

/** Whether it is said at all which object wants something. */
export const isNamed = (resource: string) => resource.includes('/');

/** Those who may share a name: one namespace, or objects of one kind that has none. */
export function sharingGroup(resource: string): string {
  const namespace = namespaceOf(resource);
  // No kind has a slash, so that no namespace is taken for one.
  return namespace === '' ? (resource.split('/')[0] as string) : `/${namespace}`;
}
