import { isDeepStrictEqual } from 'node:util';
import { parentOf } from '../../dns/name.ts';
import { isOverLimit } from './host-limit.ts';
import type { SourceChange, SourceObject } from './source-object.ts';

/** Source objects by object and by host, and separately those that a filter drops. */
export class HostIndex {
  readonly #sourceObjects = new Map<string, SourceObject>();
  readonly #changedAt = new Map<string, number>();
  readonly #filtered = new Map<string, readonly SourceObject[]>();
  readonly #byHost = new MultiMap();
  /** Those with `below`, by the parents of the names they own. */
  readonly #byParent = new MultiMap();
  readonly #overLimit = new Set<SourceObject>();
  readonly #onChange: (change: SourceChange) => void;
  #version = 0;
  #revision = 0;

  /** @param onChange called for objects that change after they were listed */
  constructor(onChange: (change: SourceChange) => void = () => {}) {
    this.#onChange = onChange;
  }

  get version(): number {
    return this.#version;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Increments the version after a change outside the index. */
  touch(): void {
    this.#version++;
    this.#revision++;
  }

  /**
   * Replaces the source objects of an object, of which at most one is not filtered.
   * @param changedAt milliseconds since 1970; undefined if the object is listed for the first time
   */
  set(resource: string, sourceObjects: readonly SourceObject[], changedAt?: number): void {
    const sourceObject = sourceObjects.find(({ filteredBy }) => filteredBy === undefined);
    this.#setFiltered(resource, sourceObject ? sourceObjects.filter((other) => other !== sourceObject) : sourceObjects);
    const previous = this.#sourceObjects.get(resource);
    if (isDeepStrictEqual(sourceObject, previous)) return;
    this.touch();
    if (previous) this.#remove(previous);
    if (sourceObject) this.#add(sourceObject);
    if (sourceObject && changedAt !== undefined) this.#changedAt.set(resource, changedAt);
    else this.#changedAt.delete(resource);
    if (changedAt === undefined) return;
    this.#onChange({ resource, hosts: new Set([...(previous?.hosts ?? []), ...(sourceObject?.hosts ?? [])]) });
  }

  get(resource: string): SourceObject | undefined {
    return this.#sourceObjects.get(resource);
  }

  changedAt(resource: string): number | undefined {
    return this.#changedAt.get(resource);
  }

  byHost(name: string): readonly SourceObject[] {
    const overLimit =
      this.#overLimit.size > 0 ? [...this.#overLimit].filter((sourceObject) => isOverLimit(sourceObject, name)) : [];
    const [exact, below] = [this.#byHost.get(name), this.#byParent.get(parentOf(name))];
    return below.length + overLimit.length === 0 ? exact : [...new Set([...exact, ...below, ...overLimit])];
  }

  list(): Iterable<SourceObject> {
    return this.#sourceObjects.values();
  }

  listFiltered(): Iterable<SourceObject> {
    return [...this.#filtered.values()].flat();
  }

  filteredOf(resource: string): readonly SourceObject[] {
    return this.#filtered.get(resource) ?? [];
  }

  #setFiltered(resource: string, sourceObjects: readonly SourceObject[]): void {
    if (isDeepStrictEqual(sourceObjects, this.#filtered.get(resource) ?? [])) return;
    this.#revision++;
    if (sourceObjects.length === 0) this.#filtered.delete(resource);
    else this.#filtered.set(resource, sourceObjects);
  }

  #add(sourceObject: SourceObject): void {
    this.#sourceObjects.set(sourceObject.resource, sourceObject);
    if (sourceObject.overflow) this.#overLimit.add(sourceObject);
    for (const host of sourceObject.hosts) {
      this.#byHost.add(host, sourceObject);
      if (sourceObject.below) this.#byParent.add(host, sourceObject);
    }
  }

  #remove(sourceObject: SourceObject): void {
    this.#sourceObjects.delete(sourceObject.resource);
    this.#overLimit.delete(sourceObject);
    for (const host of sourceObject.hosts) {
      this.#byHost.remove(host, sourceObject);
      if (sourceObject.below) this.#byParent.remove(host, sourceObject);
    }
  }
}

/** Stores a single source object without an array: nearly every name has just one. */
class MultiMap {
  readonly #sourceObjects = new Map<string, SourceObject | SourceObject[]>();

  get(name: string): readonly SourceObject[] {
    const current = this.#sourceObjects.get(name);
    if (!current) return [];
    return Array.isArray(current) ? current : [current];
  }

  /** Appends in place: copying the list of a name with a thousand objects a thousand times would be quadratic. */
  add(name: string, sourceObject: SourceObject): void {
    const current = this.#sourceObjects.get(name);
    if (!current) this.#sourceObjects.set(name, sourceObject);
    else if (Array.isArray(current)) current.push(sourceObject);
    else this.#sourceObjects.set(name, [current, sourceObject]);
  }

  remove(name: string, sourceObject: SourceObject): void {
    const left = this.get(name).filter((other) => other !== sourceObject);
    const [first] = left;
    if (!first) this.#sourceObjects.delete(name);
    else this.#sourceObjects.set(name, left.length === 1 ? first : left);
  }
}
