/** Objects that an agent sees, and what ExternalDNS makes of them. */

import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { namespaceOf } from '../../../functions/agent/discovery/resource-label.ts';
import { typeOf } from '../../../functions/agent/discovery/target.ts';
import { hostsOf, targetsOf } from '../../../functions/agent/sources/kinds/conversion.ts';
import type { SourceLister, SourceObject } from '../../../functions/agent/sources/source-object.ts';
import { merged } from '../external-dns.ts';
import { want } from '../make.ts';

export const www = 'www.corp.internal';

/** Without a host of its own it asks for www.corp.internal. */
export interface SeenObject
  extends Partial<
    Pick<SourceObject, 'created' | 'parts' | 'invalidTTL' | 'below' | 'ofPodsOrNodes' | 'filteredBy' | 'isUnready'>
  > {
  hosts?: string[];
  targets?: string[];
  /** Whether only ExternalDNS has them. */
  areTargetsUnknown?: boolean;
  /** Milliseconds. */
  changed?: number;
  /** What ExternalDNS asks for it, where that is not its targets at each of its hosts. */
  asks?: Endpoint[];
}

export class SeenObjects implements SourceLister {
  /** What is not listed yet. */
  missing: string | undefined;
  /** Kinds that cannot be seen, though they are looked at. */
  readonly hiddenKinds = new Set<string>();
  readonly #objects = new Map<string, SeenObject>();
  readonly #labels = new Map<string, Record<string, string>>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  get revision(): number {
    return this.#version;
  }

  set(resource: string, object: SeenObject | undefined): void {
    this.#version++;
    if (object) this.#objects.set(resource, object);
    else this.#objects.delete(resource);
  }

  see(kind: string, isSeen: boolean): void {
    this.#version++;
    if (isSeen) this.hiddenKinds.delete(kind);
    else this.hiddenKinds.add(kind);
  }

  label(namespace: string, labels: Record<string, string>): void {
    this.#version++;
    this.#labels.set(namespace, labels);
  }

  /** What the ExternalDNS of a namespace asks for, or of all. */
  wanted(namespace?: string): Endpoint[] {
    const seen = [...this.#objects].filter(
      ([resource, { filteredBy }]) => !filteredBy && (namespace === undefined || namespaceOf(resource) === namespace),
    );
    return merged(seen.flatMap(([resource, object]) => object.asks ?? endpointsOf(resource, object)));
  }

  hasSynced(resource: string): boolean {
    return !this.isUnsynced(resource);
  }

  isUnsynced(resource: string): boolean {
    return this.hiddenKinds.has(resource.split('/')[0] ?? '');
  }

  unsynced(): string | undefined {
    return this.missing;
  }

  get(resource: string): SourceObject | undefined {
    const object = this.hasSynced(resource) ? this.#objects.get(resource) : undefined;
    return object && object.filteredBy === undefined ? sourceObjectOf(resource, object) : undefined;
  }

  changedAt(resource: string): number | undefined {
    return this.#objects.get(resource)?.changed;
  }

  byHost(name: string): SourceObject[] {
    return this.list().filter(({ hosts }) => hosts.includes(name));
  }

  list(): SourceObject[] {
    return this.#known().filter(({ filteredBy }) => filteredBy === undefined);
  }

  listFiltered(): SourceObject[] {
    return this.#known().filter(({ filteredBy }) => filteredBy !== undefined);
  }

  filteredOf(resource: string): SourceObject[] {
    const object = this.hasSynced(resource) ? this.#objects.get(resource) : undefined;
    return object && object.filteredBy !== undefined ? [sourceObjectOf(resource, object)] : [];
  }

  namespaceLabels(namespace: string): Record<string, string> | undefined {
    return this.#labels.get(namespace);
  }

  #known(): SourceObject[] {
    return [...this.#objects]
      .filter(([resource]) => this.hasSynced(resource))
      .map(([resource, object]) => sourceObjectOf(resource, object));
  }
}

function sourceObjectOf(resource: string, object: SeenObject): SourceObject {
  const { hosts = [www], targets = [], areTargetsUnknown, changed: _, asks: __, ...rest } = object;
  // Of a headless Service the Pods have them.
  const isUnknown = areTargetsUnknown || rest.below;
  return {
    resource,
    namespace: namespaceOf(resource),
    created: '2026-01-01T00:00:00Z',
    hosts: hostsOf(hosts),
    ...(!isUnknown && { targets: rest.parts ? targets : targetsOf(targets) }),
    ...rest,
  };
}

const endpointsOf = (resource: string, { hosts = [www], targets = [] }: SeenObject): Endpoint[] =>
  hosts.flatMap((host) =>
    [...Map.groupBy(targets, typeOf)].map(([type, ofType]) => want(resource, host, type, ...ofType)),
  );
