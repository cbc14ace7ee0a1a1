import { kinds } from './kind.ts';

/** What an Event says it is about. */
export interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  uid: string;
}

/**
 * @param resource as ExternalDNS labels its wishes: `ingress/shop/web`
 * @returns undefined for an object of a kind that is not seen
 */
export function referenceOf(resource: string, uid: string): ObjectReference | undefined {
  const [label, ...path] = resource.split('/');
  const [kind, { api }] = Object.entries(kinds).find(([, each]) => each.label === label) ?? ['', { api: '' }];
  const [name, namespace] = path.reverse();
  if (kind === '' || !name) return undefined;
  return { apiVersion: api.replace(/^\/apis?\//, ''), kind, ...(namespace && { namespace }), name, uid };
}
