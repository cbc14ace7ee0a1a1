import { isIP } from 'node:net';
import { absolute } from '../../dns/name.ts';
import type { Claim } from '../discovery/claim.ts';
import { canonicalAddress } from '../zone.ts';

/** What is read of any object's metadata. */
export interface Metadata {
  name: string;
  namespace?: string;
  creationTimestamp?: string;
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** Lists may be null as well as left out: Go writes an empty one so where a schema allows it. */
export type List<T> = readonly T[] | null | undefined;

/** An object's name within its kind: `shop/web`, or `worker-1` for one without a namespace. */
export const keyOf = ({ namespace, name }: Metadata) => (namespace ? `${namespace}/${name}` : name);

/**
 * Names as they are compared, each once. An annotation that ends in a comma names nothing after it; of dots at the end
 * ExternalDNS takes up to two. What is too long is nobody's name (RFC 1035 section 2.3.4).
 */
export const hostsOf = (names: Iterable<string>) =>
  unique([...names].map((name) => absolute(name.replace(/\.{1,2}$/, '')))).filter(
    (name) => name !== '.' && name.length <= 254,
  );

/** What a host is to answer with: addresses and, absolute, names. */
export const targetsOf = (targets: Iterable<string>) =>
  unique([...targets].map((text) => (isIP(text) ? canonicalAddress(text) : absolute(text))).filter((t) => t !== '.'));

export const unique = (texts: Iterable<string>) => [...new Set(texts)];

/** What an object of `kind` claims; undefined when it names no host. */
export function claimOf(
  kind: string,
  metadata: Metadata,
  hosts: readonly string[],
  targets: readonly string[] | undefined,
  ttl?: number,
): Claim | undefined {
  if (hosts.length === 0) return undefined;
  const { namespace = '', creationTimestamp: created = '' } = metadata;
  const resource = `${kind}/${keyOf(metadata)}`;
  return { resource, namespace, created, hosts, ...(targets && { targets }), ...(ttl && { ttl }) };
}
