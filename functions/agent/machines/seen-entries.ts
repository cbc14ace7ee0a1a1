import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { StatusSink } from '../sources/source-informer.ts';
import type { Entry } from './status-entry.ts';

interface WithInstances extends KubernetesObject {
  status?: { instances?: readonly Entry[] | null };
}

/** What is kept of an entry of another InternalDNS. */
export interface OtherEntry {
  /** Of the InternalDNS. */
  name: string;
  /** Milliseconds since 1970; NaN if it does not say. */
  observedAt: number;
}

/**
 * What the statuses of Machines, claims and Zones say of one InternalDNS, as they were last seen, and when others wrote
 * there. Apart from the objects themselves: what the agent writes there must not look like a change of what they ask for.
 */
export class SeenEntries implements StatusSink {
  readonly #instance: () => string;
  readonly #entries = new Map<string, Entry>();
  readonly #others = new Map<string, readonly OtherEntry[]>();
  #version = {};

  /** @param instance the name of the InternalDNS */
  constructor(instance: () => string) {
    this.#instance = instance;
  }

  /** A new object after every change, and when another InternalDNS has its first entry in an object; not when it renews that. */
  get version(): object {
    return this.#version;
  }

  /** The same object until it changes. @param resource such as `machine/shop/nas` */
  get(resource: string): Entry | undefined {
    return this.#entries.get(resource);
  }

  /**
   * The entries of other InternalDNSes that can be done without. With what DS records a zone was published is nowhere else:
   * the parent may still have them, and an InternalDNS that comes back must not make another key.
   */
  others(resource: string): readonly OtherEntry[] {
    return this.#others.get(resource) ?? none;
  }

  see(resource: string, { status }: WithInstances): void {
    const entry = status?.instances?.find(({ name }) => name === this.#instance());
    const others = status?.instances?.filter((each) => each !== entry && !('dnssec' in each)) ?? none;
    this.#seeOthers(resource, others);
    if (isDeepStrictEqual(this.#entries.get(resource), entry)) return;
    if (entry) this.#entries.set(resource, entry);
    else this.#entries.delete(resource);
    this.#version = {};
  }

  forget(resource: string): void {
    this.#others.delete(resource);
    if (this.#entries.delete(resource)) this.#version = {};
  }

  #seeOthers(resource: string, entries: readonly Entry[]): void {
    const known = new Set(this.others(resource).map(({ name }) => name));
    if (entries.some(({ name }) => !known.has(name))) this.#version = {};
    if (entries.length === 0) return void this.#others.delete(resource);
    const others = entries.map(({ name, observedAt = '' }) => ({ name, observedAt: Date.parse(observedAt) }));
    this.#others.set(resource, others);
  }
}

const none: readonly never[] = [];
