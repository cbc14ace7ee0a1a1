import { discoverable } from '../../contract/declaration.ts';
import { keyOf } from '../powerdns/rrset.ts';
import type { HostOverflow } from './host-limit.ts';
import type { Inventory } from './own-object.ts';

/** The hosts, targets and TTL that one object asks for, as far as the object itself shows them. */
export interface SourceObject {
  /** Its name in ExternalDNS's label `resource`: `ingress/shop/web`. */
  resource: string;
  /** Empty for an object without one, such as a Node. */
  namespace: string;
  /** Absent if the object itself has not been read. */
  uid?: string;
  /** Why a filter of the spec drops the hosts, and what to change. Such a source object is only reported. */
  filteredBy?: string;
  /** Whether it is dropped because the object itself is wrong. */
  isRefused?: boolean;
  /** Whether it is dropped only until a controller has acted, as when no Gateway has accepted a route yet. */
  isUnready?: boolean;
  /** Creation time: RFC 3339 in UTC, so that texts compare like times. */
  created: string;
  /** Absolute names, in lower case. */
  hosts: readonly string[];
  /** Further hosts, over the host limit: see `mostHosts`. */
  overflow?: HostOverflow;
  /**
   * Canonical addresses and absolute names, of all its hosts together. Empty if the object has none (yet). Undefined if
   * they come from other objects, such as Nodes or Pods.
   */
  targets?: readonly string[];
  /**
   * Whether ExternalDNS may read something else out of the object. What it asks for is known only when it has asked.
   */
  isInexact?: boolean;
  /** Whether the targets are those of Nodes or Pods: there are none until one is ready. */
  ofPodsOrNodes?: boolean;
  /** By name and type, `www.corp.internal. A`, if they are not the same for all hosts. */
  parts?: ReadonlyMap<string, Part>;
  /** Seconds; absent for the default. */
  ttl?: number;
  /** Its ttl annotation, if ExternalDNS cannot parse it. */
  invalidTTL?: string;
  /** Whether it also owns names one label below its hosts: those of the Pods of a headless Service. */
  below?: boolean;
}

/** An object asks for something else than before. */
export interface SourceChange {
  resource: string;
  /** The absolute names that it asked for before, or does now. */
  hosts: ReadonlySet<string>;
}

/** Targets and TTL of one name and type. */
export type Part = Pick<SourceObject, 'targets' | 'ttl'>;

/** Returns the parts of a name, of all types. */
export const partsAt = (sourceObject: SourceObject, name: string): readonly Part[] =>
  sourceObject.parts
    ? discoverable.flatMap((type) => sourceObject.parts?.get(keyOf({ name, type })) ?? [])
    : [sourceObject];

/** Lists the source objects of the cluster. */
export interface SourceLister {
  /** Incremented after every change of what this lister returns, filtered objects aside. */
  readonly version: number;
  /** Also incremented after changes of filtered objects. */
  readonly revision: number;
  /** Reports whether all objects of the kind and namespace of a resource, such as `ingress/shop/web`, have been listed. */
  hasSynced(resource: string): boolean;
  /**
   * Reports whether objects of its kind are selected by the declaration but cannot be read: they are not listed yet, no
   * longer served, or forbidden.
   */
  isUnsynced(resource: string): boolean;
  /** Returns a plural whose objects have not been listed yet; undefined if all have. */
  unsynced(): string | undefined;
  /** Returns a source object that no filter drops. */
  get(resource: string): SourceObject | undefined;
  /** Returns when an object last changed, in milliseconds since 1970; undefined if not since the first list. */
  changedAt(resource: string): number | undefined;
  /** Returns the source objects with an absolute host name. */
  byHost(name: string): readonly SourceObject[];
  list(): Iterable<SourceObject>;
  /** Returns the source objects that a filter drops; no other method returns them. */
  listFiltered(): Iterable<SourceObject>;
  /** Returns those of one object. */
  filteredOf(resource: string): readonly SourceObject[];
  /** Returns the labels of a namespace; undefined while unknown. */
  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined;
  /** The Machines and claims; absent if the declaration has neither. No other method returns them. */
  readonly inventory?: Inventory | undefined;
}

/** A lister without a cluster. */
export const noSources: SourceLister = {
  version: 0,
  revision: 0,
  hasSynced: () => false,
  isUnsynced: () => false,
  unsynced: () => undefined,
  get: () => undefined,
  changedAt: () => undefined,
  byHost: () => [],
  list: () => [],
  listFiltered: () => [],
  filteredOf: () => [],
  namespaceLabels: () => undefined,
};
