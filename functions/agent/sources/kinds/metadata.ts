import { isIP } from 'node:net';
import { mostHosts } from '../../../contract/declaration.ts';
import { absolute } from '../../../dns/name.ts';
import { canonicalAddress } from '../../powerdns/rrset.ts';
import { firstTargets, splitAtLimit } from '../host-limit.ts';
import type { SourceObject } from '../source-object.ts';
import type { StatedTTL } from './ttl.ts';

/** What is read of any object's metadata. */
export interface Metadata {
  name: string;
  namespace?: string;
  uid?: string;
  creationTimestamp?: string;
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export type Labels = Readonly<Record<string, string>>;

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

/** What a host is to answer with: addresses and, absolute, names. Of too many only so many that they can be told. */
export const targetsOf = (targets: Iterable<string>) =>
  firstTargets(
    unique([...targets].map((text) => (isIP(text) ? canonicalAddress(text) : absolute(text))).filter((t) => t !== '.')),
  );

/** Those of some names that are not among others. */
export const without = (names: readonly string[], others: readonly string[]) => [
  ...new Set(names).difference(new Set(others)),
];

export const unique = (texts: Iterable<string>) => [...new Set(texts)];

/** What an object of `kind` claims: nothing when it names no host. */
export function toSourceObject(
  kind: string,
  metadata: Metadata,
  hosts: readonly string[],
  targets: readonly string[] | undefined,
  ttl: StatedTTL = {},
): SourceObject[] {
  if (hosts.length === 0) return [];
  return [{ ...identityOf(kind, metadata), ...splitAtLimit(hosts), ...(targets && { targets }), ...ttl }];
}

/**
 * What it asks for in vain, and why. Its hosts are all that is kept, since a cluster may be full of such objects, and of
 * very many, for all of which the same is to be said, not every one.
 */
export function toFilteredObject(
  kind: string,
  metadata: Metadata,
  hosts: readonly string[],
  filteredBy: string,
  isUnready = false,
): SourceObject[] {
  if (hosts.length === 0) return [];
  const told = hosts.slice(0, mostHosts);
  return [{ ...identityOf(kind, metadata), hosts: told, filteredBy, ...(isUnready && { isUnready }) }];
}

function identityOf(
  kind: string,
  metadata: Metadata,
): Pick<SourceObject, 'resource' | 'namespace' | 'uid' | 'created'> {
  const { namespace = '', creationTimestamp: created = '', uid } = metadata;
  return { resource: `${kind}/${keyOf(metadata)}`, namespace, created, ...(uid !== undefined && { uid }) };
}
