import { discoverable } from '../../contract/declaration.ts';
import { keyOf } from '../powerdns/rrset.ts';
import type { HostOverflow } from './host-limit.ts';

/** What one object asks for, as far as it can be read off the object itself. */
export interface SourceObject {
  /** As ExternalDNS labels its wishes: `ingress/shop/web`. */
  resource: string;
  /** Empty for an object that has none, such as a Node. */
  namespace: string;
  /** What Kubernetes tells objects of one name apart by. Absent where the object itself is not seen. */
  uid?: string;
  /** The filter of the spec that leaves the object out, in words. Such a claim is only to be told of. */
  filteredBy?: string;
  /** Whether it is left out only until a controller has done its part, as where no Gateway has accepted a route. */
  isUnready?: boolean;
  /** When the object was made: RFC 3339 in UTC, so that texts compare like times. */
  created: string;
  /** Absolute names, in lower case. */
  hosts: readonly string[];
  /** Further hosts, which are too many: see `mostHosts`. */
  overflow?: HostOverflow;
  /**
   * What it answers with: canonical addresses and absolute names, of all its hosts together. Empty where the object
   * has none (yet). Undefined where they are somebody else's to tell, such as the Nodes or the Pods.
   */
  targets?: readonly string[];
  /** Whether they are those of the Nodes or of the Pods: there are none as long as nothing is ready. */
  ofPodsOrNodes?: boolean;
  /** What it wants by name and type, `www.corp.internal. A`, where that is not the same for all its hosts. */
  parts?: ReadonlyMap<string, Part>;
  /** Seconds; absent where it asks for none. */
  ttl?: number;
  /** What its annotation says instead of a time to live. */
  unreadTTL?: string;
  /** Whether names one label below its hosts are its own, too: those of the Pods of a headless Service. */
  below?: boolean;
}

/** What a claim wants of one name and type. */
export type Part = Pick<SourceObject, 'targets' | 'ttl'>;

/** The oldest object comes first, and of those of one second always the same. */
export const byAge = ({ created, resource }: SourceObject) => `${created} ${resource}`;

/** What a claim wants of a name, of whatever types. */
export const partsAt = (sourceObject: SourceObject, name: string): readonly Part[] =>
  sourceObject.parts
    ? discoverable.flatMap((type) => sourceObject.parts?.get(keyOf({ name, type })) ?? [])
    : [sourceObject];

/** Every object that asks for names, as the cluster has them. */
export interface SourceLister {
  /** Another one after everything that changes what the rest says. */
  readonly version: number;
  /** Another one also after every change of what a filter leaves out. */
  readonly revision: number;
  /** Whether objects of a kind, as in `ingress/shop/web`, are seen at all: all of its namespace, since the first list. */
  hasSynced(resource: string): boolean;
  /**
   * Whether objects of a kind are looked at and cannot be seen: they are not listed yet, are not served any more, or may
   * not be read.
   */
  isUnsynced(resource: string): boolean;
  /** Of which objects there is no list yet, in words; undefined when all that can be seen are. */
  unsynced(): string | undefined;
  /** The object of that name, if it asks for something. */
  get(resource: string): SourceObject | undefined;
  /** When an object was seen to change: milliseconds since 1970. Undefined for one that has not since the first list. */
  changedAt(resource: string): number | undefined;
  /** Those who ask for an absolute name. */
  byHost(name: string): readonly SourceObject[];
  list(): Iterable<SourceObject>;
  /** Those that ask for names, and that a filter leaves out. Nothing else here speaks of them. */
  listFiltered(): Iterable<SourceObject>;
  /** Those of one object. */
  filteredOf(resource: string): readonly SourceObject[];
  /** The labels of a namespace; undefined while they are not known. */
  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined;
}

/** Where nothing of the cluster is seen. */
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
