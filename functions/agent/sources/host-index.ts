import { isDeepStrictEqual } from 'node:util';
import { parentOf } from '../../dns/name.ts';
import { isOverLimit } from './host-limit.ts';
import type { SourceObject } from './source-object.ts';

/** Claims by their object and by their hosts, and apart from them those that a filter leaves out. */
export class HostIndex {
  readonly #sourceObjects = new Map<string, SourceObject>();
  readonly #changedAt = new Map<string, number>();
  readonly #filtered = new Map<string, readonly SourceObject[]>();
  readonly #at = new ByName();
  /** By the name above those that are claimed. */
  readonly #below = new ByName();
  /** Those with more hosts than count. */
  readonly #excessive = new Set<SourceObject>();
  #version = 0;
  #revision = 0;

  get version(): number {
    return this.#version;
  }

  /** Another one also after a change of what is left out. */
  get revision(): number {
    return this.#revision;
  }

  /** Notes that something has changed beside the claims. */
  touch(): void {
    this.#version++;
    this.#revision++;
  }

  /**
   * Puts the claims of an object, of which one is not left out at the most, in the place of those that it had.
   * @param changedAt when the object became another one, in milliseconds since 1970; undefined if it is only seen now
   */
  set(resource: string, sourceObjects: readonly SourceObject[], changedAt?: number): void {
    const sourceObject = sourceObjects.find(({ filteredBy }) => filteredBy === undefined);
    this.#setLeftOut(resource, sourceObject ? sourceObjects.filter((other) => other !== sourceObject) : sourceObjects);
    const before = this.#sourceObjects.get(resource);
    if (isDeepStrictEqual(sourceObject, before)) return;
    this.touch();
    if (before) this.#remove(before);
    if (sourceObject) this.#add(sourceObject);
    if (sourceObject && changedAt !== undefined) this.#changedAt.set(resource, changedAt);
    else this.#changedAt.delete(resource);
  }

  get(resource: string): SourceObject | undefined {
    return this.#sourceObjects.get(resource);
  }

  /** Also one that a filter leaves out. */
  getAny(resource: string): SourceObject | undefined {
    return this.#sourceObjects.get(resource) ?? this.#filtered.get(resource)?.[0];
  }

  changedAt(resource: string): number | undefined {
    return this.#changedAt.get(resource);
  }

  byHost(name: string): readonly SourceObject[] {
    const above = parentOf(name);
    const beyond =
      this.#excessive.size > 0 ? [...this.#excessive].filter((sourceObject) => isOverLimit(sourceObject, name)) : [];
    const [at, below] = [this.#at.get(name), this.#below.get(above)];
    return below.length + beyond.length === 0 ? at : [...new Set([...at, ...below, ...beyond])];
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

  #setLeftOut(resource: string, sourceObjects: readonly SourceObject[]): void {
    if (isDeepStrictEqual(sourceObjects, this.#filtered.get(resource) ?? [])) return;
    this.#revision++;
    if (sourceObjects.length === 0) this.#filtered.delete(resource);
    else this.#filtered.set(resource, sourceObjects);
  }

  #add(sourceObject: SourceObject): void {
    this.#sourceObjects.set(sourceObject.resource, sourceObject);
    if (sourceObject.overflow) this.#excessive.add(sourceObject);
    for (const host of sourceObject.hosts) {
      this.#at.add(host, sourceObject);
      if (sourceObject.below) this.#below.add(host, sourceObject);
    }
  }

  #remove(sourceObject: SourceObject): void {
    this.#sourceObjects.delete(sourceObject.resource);
    this.#excessive.delete(sourceObject);
    for (const host of sourceObject.hosts) {
      this.#at.remove(host, sourceObject);
      if (sourceObject.below) this.#below.remove(host, sourceObject);
    }
  }
}

/** Nearly every name has one claim: it is kept without a list around it. */
class ByName {
  readonly #sourceObjects = new Map<string, SourceObject | SourceObject[]>();

  get(name: string): readonly SourceObject[] {
    const there = this.#sourceObjects.get(name);
    if (!there) return [];
    return Array.isArray(there) ? there : [there];
  }

  /** In place: so that a name of a thousand claims is not copied a thousand times. */
  add(name: string, sourceObject: SourceObject): void {
    const there = this.#sourceObjects.get(name);
    if (!there) this.#sourceObjects.set(name, sourceObject);
    else if (Array.isArray(there)) there.push(sourceObject);
    else this.#sourceObjects.set(name, [there, sourceObject]);
  }

  remove(name: string, sourceObject: SourceObject): void {
    const left = this.get(name).filter((other) => other !== sourceObject);
    const [first] = left;
    if (!first) this.#sourceObjects.delete(name);
    else this.#sourceObjects.set(name, left.length === 1 ? first : left);
  }
}
