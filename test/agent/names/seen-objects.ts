/** Objects that an agent sees, and what ExternalDNS makes of them. */

import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { namespaceOf } from '../../../functions/agent/discovery/resource-label.ts';
import { typeOf } from '../../../functions/agent/discovery/target.ts';
import { hostsOf, targetsOf } from '../../../functions/agent/sources/kinds/metadata.ts';
import type { SourceLister, SourceObject } from '../../../functions/agent/sources/source-object.ts';
import { merged } from '../external-dns.ts';
import { want } from '../make.ts';

export const www = 'www.corp.internal';

/** Without a host of its own it asks for www.corp.internal. */
export interface SeenObject
  extends Partial<
    Pick<SourceObject, 'created' | 'parts' | 'unreadTTL' | 'below' | 'ofPodsOrNodes' | 'leftOut' | 'isUnready'>
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
  readonly unsynced = new Set<string>();
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
    if (isSeen) this.unsynced.delete(kind);
    else this.unsynced.add(kind);
  }

  label(namespace: string, labels: Record<string, string>): void {
    this.#version++;
    this.#labels.set(namespace, labels);
  }

  /** What the ExternalDNS of a namespace asks for, or of all. */
  wanted(namespace?: string): Endpoint[] {
    const seen = [...this.#objects].filter(
      ([resource, { leftOut }]) => !leftOut && (namespace === undefined || namespaceOf(resource) === namespace),
    );
    return merged(seen.flatMap(([resource, object]) => object.asks ?? endpointsOf(resource, object)));
  }

  sees(resource: string): boolean {
    return !this.isUnsynced(resource);
  }

  isUnsynced(resource: string): boolean {
    return this.unsynced.has(resource.split('/')[0] ?? '');
  }

  pending(): string | undefined {
    return this.missing;
  }

  of(resource: string): SourceObject | undefined {
    const object = this.sees(resource) ? this.#objects.get(resource) : undefined;
    return object && object.leftOut === undefined ? sourceObjectOf(resource, object) : undefined;
  }

  changedAt(resource: string): number | undefined {
    return this.#objects.get(resource)?.changed;
  }

  on(name: string): SourceObject[] {
    return this.all().filter(({ hosts }) => hosts.includes(name));
  }

  all(): SourceObject[] {
    return this.#lister().filter(({ leftOut }) => leftOut === undefined);
  }

  leftOut(): SourceObject[] {
    return this.#lister().filter(({ leftOut }) => leftOut !== undefined);
  }

  leftOutOf(resource: string): SourceObject[] {
    const object = this.sees(resource) ? this.#objects.get(resource) : undefined;
    return object && object.leftOut !== undefined ? [sourceObjectOf(resource, object)] : [];
  }

  labelsOf(namespace: string): Record<string, string> | undefined {
    return this.#labels.get(namespace);
  }

  #lister(): SourceObject[] {
    return [...this.#objects]
      .filter(([resource]) => this.sees(resource))
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
