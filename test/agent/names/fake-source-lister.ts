/** Source objects as the lister returns them, and the endpoints that ExternalDNS makes of them. */
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { namespaceOf } from '../../../functions/agent/discovery/resource-label.ts';
import { hostsOf, targetsOf } from '../../../functions/agent/sources/kinds/conversion.ts';
import type { SourceLister, SourceObject } from '../../../functions/agent/sources/source-object.ts';
import { typeOf } from '../../../functions/agent/sources/target.ts';
import { merged } from '../external-dns.ts';
import { endpoint } from '../make.ts';

export const www = 'www.corp.internal';

/** Its host is www.corp.internal unless it has others. */
export interface FakeObject
  extends Partial<
    Pick<
      SourceObject,
      'created' | 'isInexact' | 'parts' | 'invalidTTL' | 'below' | 'ofPodsOrNodes' | 'filteredBy' | 'isUnready'
    >
  > {
  hosts?: string[];
  targets?: string[];
  /** Whether only ExternalDNS knows them. */
  hasUnknownTargets?: boolean;
  /** Milliseconds. */
  changedAt?: number;
  /** What ExternalDNS requests for it, by default its targets at each of its hosts. */
  endpoints?: Endpoint[];
}

export class FakeSourceLister implements SourceLister {
  /** The kinds that have not been listed yet. */
  unlisted: string | undefined;
  /** Kinds that are watched and cannot be listed. */
  readonly unsyncedKinds = new Set<string>();
  readonly #objects = new Map<string, FakeObject>();
  readonly #labels = new Map<string, Record<string, string>>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  get revision(): number {
    return this.#version;
  }

  set(resource: string, object: FakeObject | undefined): void {
    this.#version++;
    if (object) this.#objects.set(resource, object);
    else this.#objects.delete(resource);
  }

  setSynced(kind: string, isSynced: boolean): void {
    this.#version++;
    if (isSynced) this.unsyncedKinds.delete(kind);
    else this.unsyncedKinds.add(kind);
  }

  setNamespaceLabels(namespace: string, labels: Record<string, string>): void {
    this.#version++;
    this.#labels.set(namespace, labels);
  }

  /** What ExternalDNS requests, for one namespace or for all. */
  endpoints(namespace?: string): Endpoint[] {
    const requested = [...this.#objects].filter(
      ([resource, { filteredBy }]) => !filteredBy && (namespace === undefined || namespaceOf(resource) === namespace),
    );
    return merged(requested.flatMap(([resource, object]) => object.endpoints ?? endpointsOf(resource, object)));
  }

  hasSynced(resource: string): boolean {
    return !this.isUnsynced(resource);
  }

  isUnsynced(resource: string): boolean {
    return this.unsyncedKinds.has(resource.split('/')[0] ?? '');
  }

  unsynced(): string | undefined {
    return this.unlisted;
  }

  get(resource: string): SourceObject | undefined {
    const object = this.hasSynced(resource) ? this.#objects.get(resource) : undefined;
    return object && object.filteredBy === undefined ? sourceObjectOf(resource, object) : undefined;
  }

  changedAt(resource: string): number | undefined {
    return this.#objects.get(resource)?.changedAt;
  }

  byHost(name: string): SourceObject[] {
    return this.list().filter(({ hosts }) => hosts.includes(name));
  }

  list(): SourceObject[] {
    return this.#synced().filter(({ filteredBy }) => filteredBy === undefined);
  }

  listFiltered(): SourceObject[] {
    return this.#synced().filter(({ filteredBy }) => filteredBy !== undefined);
  }

  filteredOf(resource: string): SourceObject[] {
    const object = this.hasSynced(resource) ? this.#objects.get(resource) : undefined;
    return object && object.filteredBy !== undefined ? [sourceObjectOf(resource, object)] : [];
  }

  namespaceLabels(namespace: string): Record<string, string> | undefined {
    return this.#labels.get(namespace);
  }

  #synced(): SourceObject[] {
    return [...this.#objects]
      .filter(([resource]) => this.hasSynced(resource))
      .map(([resource, object]) => sourceObjectOf(resource, object));
  }
}

function sourceObjectOf(resource: string, object: FakeObject): SourceObject {
  const { hosts = [www], targets = [], hasUnknownTargets, changedAt: _, endpoints: __, ...rest } = object;
  // Those of a headless Service are its Pods'.
  const isUnknown = hasUnknownTargets || rest.below;
  return {
    resource,
    namespace: namespaceOf(resource),
    created: '2026-01-01T00:00:00Z',
    hosts: hostsOf(hosts),
    ...(!isUnknown && { targets: rest.parts ? targets : targetsOf(targets) }),
    ...rest,
  };
}

const endpointsOf = (resource: string, { hosts = [www], targets = [] }: FakeObject): Endpoint[] =>
  hosts.flatMap((host) =>
    [...Map.groupBy(targets, typeOf)].map(([type, ofType]) => endpoint(resource, host, type, ...ofType)),
  );
