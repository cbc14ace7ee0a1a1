import { isIP } from 'node:net';
import { mostHosts } from '../../../contract/declaration.ts';
import { absolute } from '../../../dns/name.ts';
import { keyOf, type ObjectMeta } from '../../kubernetes/object.ts';
import { canonicalAddress, keyOf as rrsetKey } from '../../powerdns/rrset.ts';
import { firstTargets, splitAtLimit } from '../host-limit.ts';
import type { Part, SourceObject } from '../source-object.ts';
import type { AnnotatedTTL } from './annotation.ts';

/**
 * Returns host names in absolute form, without duplicates. A list that ends in a comma has an empty last name, which is
 * dropped; ExternalDNS trims up to two trailing dots. A name that is too long is dropped (RFC 1035 section 2.3.4).
 */
export const hostsOf = (names: Iterable<string>) =>
  unique([...names].map((name) => absolute(name.replace(/\.{1,2}$/, '')))).filter(
    (name) => name !== '.' && name.length <= 254,
  );

/** Returns targets in canonical form: addresses and absolute names, at most one more than a host may have. */
export const targetsOf = (targets: Iterable<string>) =>
  firstTargets(
    unique([...targets].map((text) => (isIP(text) ? canonicalAddress(text) : absolute(text))).filter((t) => t !== '.')),
  );

/** Returns `names` without those in `others`. */
export const without = (names: readonly string[], others: readonly string[]) => [
  ...new Set(names).difference(new Set(others)),
];

export const unique = (texts: Iterable<string>) => [...new Set(texts)];

/** Returns the source object of an object whose hosts all have the same targets; empty if it names no host. */
export function toSourceObject(
  label: string,
  metadata: ObjectMeta,
  hosts: readonly string[],
  targets: readonly string[] | undefined,
  ttl: AnnotatedTTL = {},
): SourceObject[] {
  if (hosts.length === 0) return [];
  return [{ ...identityOf(label, metadata), ...splitAtLimit(hosts), ...(targets && { targets }), ...ttl }];
}

/** Returns the source object of an object whose hosts may differ in their targets. Parts are kept only if they do. */
export function toSourceObjectPerHost(
  label: string,
  metadata: ObjectMeta,
  targetsByHost: ReadonlyMap<string, readonly string[]>,
  ttl: AnnotatedTTL,
): SourceObject[] {
  const all = unique([...targetsByHost.values()].flat());
  const sourceObjects = toSourceObject(label, metadata, [...targetsByHost.keys()], all, ttl);
  if ([...targetsByHost.values()].every(({ length }) => length === all.length)) return sourceObjects;
  return sourceObjects.map((sourceObject) => ({ ...sourceObject, parts: partsOf(sourceObject, targetsByHost) }));
}

/**
 * Returns the source object of hosts that a filter drops. Only the hosts are kept, up to the limit: a cluster may be full
 * of such objects, and the message is the same for all of them.
 */
export function toFilteredObject(
  label: string,
  metadata: ObjectMeta,
  hosts: readonly string[],
  filteredBy: string,
  isUnready = false,
): SourceObject[] {
  if (hosts.length === 0) return [];
  const kept = hosts.slice(0, mostHosts);
  return [{ ...identityOf(label, metadata), hosts: kept, filteredBy, ...(isUnready && { isUnready }) }];
}

function partsOf(
  { hosts, ttl }: SourceObject,
  targetsByHost: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, Part> {
  return new Map(
    hosts.flatMap((name) => {
      const part = { targets: targetsByHost.get(name) ?? [], ...(ttl && { ttl }) };
      return ['A', 'AAAA', 'CNAME'].map((type): [string, Part] => [rrsetKey({ name, type }), part]);
    }),
  );
}

function identityOf(
  label: string,
  metadata: ObjectMeta,
): Pick<SourceObject, 'resource' | 'namespace' | 'uid' | 'created'> {
  const { namespace = '', creationTimestamp: created = '', uid } = metadata;
  return { resource: `${label}/${keyOf(metadata)}`, namespace, created, ...(uid !== undefined && { uid }) };
}
