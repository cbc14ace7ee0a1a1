import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { monotonicNow } from '../lib/clock.ts';
import { kubernetesWords, messageOf } from '../lib/error-message.ts';
import { keyOf, type Metadata } from '../sources/kinds/metadata.ts';
import { ApiError, connect, type Get, isApiError, type Query } from './api-server.ts';
import { linesOf } from './lines.ts';

export interface InformerOptions<T> {
  config: KubeConfig;
  /** Such as `/apis/networking.k8s.io/v1/namespaces/shop/ingresses`. */
  path: string;
  labelSelector?: string;
  /** What is kept of an object; undefined for one that is of no interest. */
  project: (object: never) => T | undefined;
  /** An entry came, went or is another one now. */
  onChange?: (key: string) => void;
  /** `isComplete` has changed. */
  onComplete?: () => void;
  /** Why it cannot hear of changes or, without an argument, that it can again. Silent while that is the same. */
  onFailure?: (failure?: string) => void;
  /** Milliseconds until the next try. */
  pause?: () => number;
}

/** Objects to a page of a list: all of a large cluster at once would cost more memory than the rest of the agent. */
const page = 500;
const listTimeout = 30_000;
/** A bookmark comes every minute or so, and nothing at all from a server that went without a word. */
const silence = 100_000;

/**
 * Follows the objects of one kind, in one namespace or in all. What was seen stays while Kubernetes is away.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export class Informer<T> {
  readonly #options: InformerOptions<T>;
  readonly #entries = new Map<string, T>();
  readonly #stop = new AbortController();
  #isComplete = false;
  #failure: string | undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    void this.#follow(this.#stop.signal);
  }

  /** What was made of the objects, by `namespace/name`. */
  get entries(): ReadonlyMap<string, T> {
    return this.#entries;
  }

  /** Whether all objects were listed once, and still may be. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Ends it; the entries stay as they are. */
  stop(): void {
    this.#say(undefined);
    this.#stop.abort();
  }

  async #follow(stopped: AbortSignal): Promise<void> {
    const { config, pause = () => 1000 + Math.random() * 2000 } = this.#options;
    while (!stopped.aborted) {
      try {
        await this.#watch(await this.#list(await connect(config), stopped), stopped);
      } catch (error) {
        // What is no longer allowed, or no longer served, is not known any more.
        if (isApiError(error, 403, 404)) this.#setComplete(false);
        // 410 Gone: it was away for longer than the API server remembers.
        if (!isApiError(error, 410)) this.#say(messageOf(error));
      }
      await sleep(pause(), undefined, { signal: stopped }).catch(() => {});
    }
  }

  /** Returns the version of the list. What is not in it went while nobody listened. */
  async #list(get: Get, stopped: AbortSignal): Promise<string> {
    const { path, labelSelector } = this.#options;
    const gone = new Set(this.#entries.keys());
    const query: Query = { limit: page, labelSelector };
    for (;;) {
      const body = await get(path, query, AbortSignal.any([stopped, AbortSignal.timeout(listTimeout)]));
      const { items, metadata } = JSON.parse(await body.text());
      for (const object of items ?? []) gone.delete(this.#take(object));
      query.continue = metadata.continue || undefined;
      if (query.continue) continue;
      for (const key of gone) this.#set(key, undefined);
      return metadata.resourceVersion;
    }
  }

  /** Ends by throwing only: a server ends a watch every few minutes, and the next one goes on where it was. */
  async #watch(from: string, stopped: AbortSignal): Promise<never> {
    for (let version = from; ; ) {
      const began = monotonicNow();
      const silent = new AbortController();
      const timer = setTimeout(() => silent.abort(new Error('Kubernetes does not answer')), silence);
      let isOpen = false;
      try {
        const lines = await this.#open(version, AbortSignal.any([stopped, silent.signal]));
        isOpen = true;
        this.#setComplete(true);
        this.#say(undefined);
        for await (const line of lines) {
          timer.refresh();
          version = this.#hear(line);
        }
      } catch (error) {
        if (!isOpen || !silent.signal.aborted) throw error;
      } finally {
        clearTimeout(timer);
      }
      if (monotonicNow() - began < 1000) throw new Error('Kubernetes ended the watch at once');
    }
  }

  async #open(resourceVersion: string, signal: AbortSignal): Promise<AsyncIterable<string>> {
    const { config, path, labelSelector } = this.#options;
    const get = await connect(config);
    // As long as Kubernetes' own clients watch, and not all for the same time: seconds.
    const timeoutSeconds = 300 + Math.floor(Math.random() * 300);
    const query = { watch: true, allowWatchBookmarks: true, timeoutSeconds, resourceVersion, labelSelector };
    return linesOf((await get(path, query, signal)).stream());
  }

  /** Returns the version that the event brings. */
  #hear(line: string): string {
    const { type, object } = JSON.parse(line);
    if (type === 'ERROR') throw new ApiError(object.code, kubernetesWords(object.code, object));
    if (type === 'DELETED') this.#set(keyOf(object.metadata), undefined);
    else if (type !== 'BOOKMARK') this.#take(object);
    return object.metadata.resourceVersion;
  }

  #take(object: { metadata: Metadata }): string {
    const key = keyOf(object.metadata);
    this.#set(key, this.#options.project(object as never));
    return key;
  }

  #set(key: string, entry: T | undefined): void {
    if (this.#stop.signal.aborted || isDeepStrictEqual(this.#entries.get(key), entry)) return;
    if (entry === undefined) this.#entries.delete(key);
    else this.#entries.set(key, entry);
    this.#options.onChange?.(key);
  }

  #setComplete(isComplete: boolean): void {
    if (this.#stop.signal.aborted || isComplete === this.#isComplete) return;
    this.#isComplete = isComplete;
    this.#options.onComplete?.();
  }

  #say(failure: string | undefined): void {
    if (this.#stop.signal.aborted || failure === this.#failure) return;
    this.#failure = failure;
    this.#options.onFailure?.(failure);
  }
}
