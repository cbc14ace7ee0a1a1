import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { monotonicNow } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import { type BackoffOptions, backoff } from './backoff.ts';
import type { Client, WatchEvent } from './client.ts';
import { type KubernetesObject, keyOf } from './object.ts';
import { isApiError } from './status.ts';

export interface InformerOptions<T> {
  client: Pick<Client, 'list' | 'watch'>;
  /** Such as `/apis/networking.k8s.io/v1/namespaces/shop/ingresses`. */
  path: string;
  labelSelector?: string;
  /** Such as `metadata.name=web`. */
  fieldSelector?: string;
  /** Returns what is stored of an object; undefined leaves it out. */
  transform: (object: never) => T | undefined;
  /** An entry was added, updated or deleted. */
  onChange?: (key: string) => void;
  /** All objects are listed; changes were reported before. */
  onList?: () => void;
  /** `hasSynced` has changed. */
  onSynced?: () => void;
  /** Why changes cannot be followed; without an argument, that they can again. Not repeated while it stays the same. */
  onFailure?: (failure?: string) => void;
  /** Waits between two attempts. */
  backoff?: BackoffOptions;
}

/** Objects to a page of a list: all of a large cluster at once would cost more memory than the rest of the agent. */
const page = 500;
const listTimeoutMs = 30_000;
/** A bookmark comes about every minute. A server that went away without a word sends nothing at all. */
const silenceMs = 100_000;
/** A watch that ends sooner is a failure: a server ends one every few minutes. */
const shortestMs = 1_000;

/**
 * Lists and watches the objects of one kind, in one namespace or in all. Entries stay while the API server is away.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export class Informer<T> {
  readonly #options: InformerOptions<T>;
  readonly #store = new Map<string, T>();
  readonly #stop = new AbortController();
  #hasSynced = false;
  #failure: string | undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    void this.#run(this.#stop.signal);
  }

  /** What `transform` returned of each object, by `namespace/name`. */
  get store(): ReadonlyMap<string, T> {
    return this.#store;
  }

  /** Whether all objects were listed once, and may still be listed and watched. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Ends it; the store stays as it is. */
  stop(): void {
    this.#report(undefined);
    this.#stop.abort();
  }

  async #run(stopped: AbortSignal): Promise<void> {
    const { backoff: waits = { leastMs: 1_000, mostMs: 3_000 } } = this.#options;
    for (let failures = 1; !stopped.aborted; failures++) {
      const began = monotonicNow();
      try {
        await this.#watch(await this.#list(stopped), stopped);
      } catch (error) {
        // What is no longer allowed, or no longer served, is not known any more.
        if (isApiError(error, 403, 404)) this.#setSynced(false);
        // 410 Gone: it was away for longer than the API server remembers.
        if (!isApiError(error, 410)) this.#report(messageOf(error));
      }
      // An attempt that lasted this long was not another failure in a row.
      if (monotonicNow() - began > silenceMs) failures = 1;
      await sleep(backoff(failures, waits), undefined, { signal: stopped }).catch(() => {});
    }
  }

  /** Returns the resourceVersion of the list. What is not in it was deleted while nothing was watched. */
  async #list(stopped: AbortSignal): Promise<string> {
    const { client, path, onList } = this.#options;
    const deleted = new Set(this.#store.keys());
    let next: string | undefined;
    for (;;) {
      const { items, metadata } = await client.list(path, {
        query: { limit: page, ...this.#selectors, continue: next },
        signal: AbortSignal.any([stopped, AbortSignal.timeout(listTimeoutMs)]),
      });
      for (const object of items ?? []) deleted.delete(this.#put(object));
      next = metadata.continue;
      if (next) continue;
      for (const key of deleted) this.#set(key, undefined);
      if (!stopped.aborted) onList?.();
      return metadata.resourceVersion;
    }
  }

  /** Ends by throwing only: a server ends a watch every few minutes, and the next one goes on where it was. */
  async #watch(from: string, stopped: AbortSignal): Promise<never> {
    for (let version = from; ; ) {
      const began = monotonicNow();
      const silent = new AbortController();
      const timer = setTimeout(() => silent.abort(new Error('Kubernetes does not answer')), silenceMs);
      let isOpen = false;
      try {
        const events = await this.#open(version, AbortSignal.any([stopped, silent.signal]));
        isOpen = true;
        this.#setSynced(true);
        this.#report(undefined);
        for await (const event of events) {
          timer.refresh();
          version = this.#take(event);
        }
      } catch (error) {
        if (!isOpen || !silent.signal.aborted) throw error;
      } finally {
        clearTimeout(timer);
      }
      if (monotonicNow() - began < shortestMs) throw new Error('Kubernetes ended the watch at once');
    }
  }

  #open(resourceVersion: string, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>> {
    const { client, path } = this.#options;
    // As long as client-go watches, and not all for the same time: seconds.
    const timeoutSeconds = 300 + Math.floor(Math.random() * 300);
    const query = { allowWatchBookmarks: true, timeoutSeconds, resourceVersion, ...this.#selectors };
    return client.watch(path, { query, signal });
  }

  get #selectors() {
    const { labelSelector, fieldSelector } = this.#options;
    return { labelSelector, fieldSelector };
  }

  /** Returns the resourceVersion of the event. */
  #take({ type, object }: WatchEvent): string {
    if (type === 'DELETED') this.#set(keyOf(object.metadata), undefined);
    else if (type !== 'BOOKMARK') this.#put(object);
    return object.metadata.resourceVersion ?? '';
  }

  #put(object: KubernetesObject): string {
    const key = keyOf(object.metadata);
    this.#set(key, this.#options.transform(object as never));
    return key;
  }

  #set(key: string, entry: T | undefined): void {
    if (this.#stop.signal.aborted || isDeepStrictEqual(this.#store.get(key), entry)) return;
    if (entry === undefined) this.#store.delete(key);
    else this.#store.set(key, entry);
    this.#options.onChange?.(key);
  }

  #setSynced(hasSynced: boolean): void {
    if (this.#stop.signal.aborted || hasSynced === this.#hasSynced) return;
    this.#hasSynced = hasSynced;
    this.#options.onSynced?.();
  }

  #report(failure: string | undefined): void {
    if (this.#stop.signal.aborted || failure === this.#failure) return;
    this.#failure = failure;
    this.#options.onFailure?.(failure);
  }
}
