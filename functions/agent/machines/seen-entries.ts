import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { StatusSink } from '../sources/source-informer.ts';
import type { Entry } from './status-entry.ts';

interface WithInstances extends KubernetesObject {
  status?: { instances?: readonly Entry[] | null };
}

/**
 * What the statuses of Machines and claims say of one InternalDNS, as they were last seen. Apart from the objects
 * themselves: what the agent writes there must not look like a change of what they ask for.
 */
export class SeenEntries implements StatusSink {
  readonly #instance: () => string;
  readonly #entries = new Map<string, Entry>();
  #version = {};

  /** @param instance the name of the InternalDNS */
  constructor(instance: () => string) {
    this.#instance = instance;
  }

  /** A new object after every change. */
  get version(): object {
    return this.#version;
  }

  /** The same object until it changes. @param resource such as `machine/shop/nas` */
  get(resource: string): Entry | undefined {
    return this.#entries.get(resource);
  }

  see(resource: string, { status }: WithInstances): void {
    const entry = status?.instances?.find(({ name }) => name === this.#instance());
    if (isDeepStrictEqual(this.#entries.get(resource), entry)) return;
    if (entry) this.#entries.set(resource, entry);
    else this.#entries.delete(resource);
    this.#version = {};
  }

  forget(resource: string): void {
    if (this.#entries.delete(resource)) this.#version = {};
  }
}
