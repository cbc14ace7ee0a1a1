import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type BackoffOptions, backoff } from '../lib/backoff.ts';
import { monotonicNow } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
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
  /** Why objects cannot be listed or watched; without an argument, that they can again. Called on changes only. */
  onFailure?: (failure?: string) => void;
  /** Waits between two attempts. */
  backoff?: BackoffOptions;
}

/** Objects in a page of a list: all of a large cluster at once would take more memory than the rest of the agent. */
const page = 500;
const listTimeoutMs = 30_000;
/** A bookmark arrives about every minute; a server that went away without closing the connection sends nothing. */
const silenceMs = 100_000;
/** A watch that ends sooner counts as a failure: normally a server ends one after minutes. */
const shortestMs = 1_000;

/**
 * Lists and watches the objects of one kind, in one namespace or in all. Keeps its entries while the API server is down.
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

  /** Reports whether all objects have been listed, and may still be read. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Stops watching; the store keeps its entries. */
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
        // Forbidden, or no longer served: the entries are no longer known to be current.
        if (isApiError(error, 403, 404)) this.#setSynced(false);
        // 410 Gone: the resourceVersion is older than the API server's history.
        if (!isApiError(error, 410)) this.#report(messageOf(error));
      }
      // After an attempt that lasted this long, failures are no longer consecutive.
      if (monotonicNow() - began > silenceMs) failures = 1;
      await sleep(backoff(failures, waits), undefined, { signal: stopped }).catch(() => {});
    }
  }

  /** Returns the resourceVersion of the list. Entries that are not in it were deleted while there was no watch. */
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

  /** Never returns: a server ends a watch every few minutes, and the next one resumes there. */
  async #watch(from: string, stopped: AbortSignal): Promise<never> {
    for (let version = from; ; ) {
      const began = monotonicNow();
      const silence = new AbortController();
      const timer = setTimeout(() => silence.abort(new Error('Kubernetes does not answer')), silenceMs);
      let isOpen = false;
      try {
        const events = await this.#open(version, AbortSignal.any([stopped, silence.signal]));
        isOpen = true;
        this.#setSynced(true);
        this.#report(undefined);
        for await (const event of events) {
          timer.refresh();
          version = this.#handle(event);
        }
      } catch (error) {
        if (!isOpen || !silence.signal.aborted) throw error;
      } finally {
        clearTimeout(timer);
      }
      if (monotonicNow() - began < shortestMs) throw new Error('Kubernetes ended the watch at once');
    }
  }

  #open(resourceVersion: string, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>> {
    const { client, path } = this.#options;
    // As client-go does: 5 to 10 minutes, so that watches do not all end together.
    const timeoutSeconds = 300 + Math.floor(Math.random() * 300);
    const query = { allowWatchBookmarks: true, timeoutSeconds, resourceVersion, ...this.#selectors };
    return client.watch(path, { query, signal });
  }

  get #selectors() {
    const { labelSelector, fieldSelector } = this.#options;
    return { labelSelector, fieldSelector };
  }

  /** Returns the resourceVersion of the event. */
  #handle({ type, object }: WatchEvent): string {
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
