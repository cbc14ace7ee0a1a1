import { sourceResources } from '../../contract/source-kinds.ts';

/**
 * Returns the namespace in ExternalDNS's resource label, `ingress/shop/web`. Empty for cluster-scoped objects,
 * `node/worker-1` or `kind//name` of an Unstructured, and for endpoints without a label, such as those of Pods.
 */
export function namespaceOf(resource: string): string {
  const start = resource.indexOf('/') + 1;
  const end = resource.indexOf('/', start);
  return start > 0 && end > 0 ? resource.slice(start, end) : '';
}

/** Returns the kind in a resource label, as ExternalDNS calls it: `ingress`. */
export const kindLabelOf = (resource: string): string => resource.split('/', 1)[0] ?? '';

const ownLabels: ReadonlySet<string> = new Set([sourceResources.Machine.label, sourceResources.NameClaim.label]);

/** Reports whether an object is a Machine or a claim, which ExternalDNS does not know: see `machines/`. */
export const isOwn = (resource: string): boolean => ownLabels.has(kindLabelOf(resource));

/** Reports whether a label names an object. */
export const isNamed = (resource: string) => resource.includes('/');

/** Returns the group whose objects may share a name: a namespace, or the cluster-scoped objects of one kind. */
export function sharingGroup(resource: string): string {
  const namespace = namespaceOf(resource);
  // The slash keeps a namespace apart from a kind, which never has one.
  return namespace === '' ? kindLabelOf(resource) : `/${namespace}`;
}
