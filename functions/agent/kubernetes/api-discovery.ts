import { messageOf } from '../lib/error-message.ts';
import { Sleeper } from '../lib/runnable.ts';
import type { Client } from './client.ts';
import { isApiError } from './status.ts';

/** Names such as `httproutes.v1.gateway.networking.k8s.io`; one without an answer yet is in neither list. */
export interface Resources {
  served: readonly string[];
  missing: readonly string[];
}

export interface ApiDiscoveryOptions {
  client: Pick<Client, 'get'>;
  onChange: (resources: Resources) => void;
  /** API discovery has answered for these, with no later `refresh` pending. */
  onAnswer?: (names: readonly string[]) => void;
  /** Why a request fails; without an argument, that requests succeed again. */
  onFailure?: (failure?: string) => void;
  /**
   * Between two requests for one version of a group: while all its resources are served, and while some are missing. The
   * answer is a page of text that the API server has at hand, and in many clusters something is missing for good.
   */
  intervalMs?: number;
  retryMs?: number;
}

const timeoutMs = 10_000;

/** Of one version of a group. */
interface Poll {
  stop: AbortController;
  sleeper: Sleeper;
}

/** Polls which resources the cluster serves, as CustomResourceDefinitions are created and deleted. */
export class ApiDiscovery {
  readonly #options: ApiDiscoveryOptions;
  #names: readonly string[] = [];
  /** Plurals by the path of their group and version. */
  readonly #plurals = new Map<string, ReadonlySet<string>>();
  readonly #failures = new Map<string, string>();
  readonly #polls = new Map<string, Poll>();
  #reported = JSON.stringify({ served: [], missing: [] } satisfies Resources);
  #failure: string | undefined;

  constructor(options: ApiDiscoveryOptions) {
    this.#options = options;
  }

  /** Polls for these resources and no others; none stops it. */
  setResources(names: readonly string[]): void {
    this.#names = [...new Set(names)];
    const paths = new Set(this.#names.map((name) => partsOf(name).path));
    for (const [path, poll] of this.#polls) {
      if (paths.has(path)) continue;
      poll.stop.abort();
      this.#polls.delete(path);
      this.#plurals.delete(path);
      this.#setFailure(path, undefined);
    }
    this.#report();
    for (const path of paths) {
      if (this.#polls.has(path)) continue;
      const poll = { stop: new AbortController(), sleeper: new Sleeper() };
      this.#polls.set(path, poll);
      void this.#poll(path, poll);
    }
  }

  /** Polls for these at once: they may be on their way out. */
  refresh(names: readonly string[]): void {
    for (const { path } of names.map(partsOf)) this.#polls.get(path)?.sleeper.wake();
  }

  async #poll(path: string, { stop: { signal: stopped }, sleeper }: Poll): Promise<void> {
    const { intervalMs = 60_000, retryMs = 15_000 } = this.#options;
    let isUnconfirmed = false;
    while (!stopped.aborted) {
      sleeper.forget();
      try {
        const plurals = await this.#request(path, stopped);
        if (stopped.aborted) return;
        this.#setFailure(path, undefined);
        // A starting API server may not know its custom resources for a moment, so a loss must be confirmed:
        // https://github.com/kubernetes/kubernetes/issues/115241
        isUnconfirmed = !isUnconfirmed && this.#hasLost(path, plurals);
        if (!isUnconfirmed) {
          this.#plurals.set(path, plurals);
          this.#report();
          // A `refresh` since the request needs a newer answer.
          if (!sleeper.isWoken) this.#options.onAnswer?.(this.#names.filter((name) => partsOf(name).path === path));
        }
      } catch (error) {
        if (stopped.aborted) return;
        this.#setFailure(path, messageOf(error));
      }
      const isComplete =
        !isUnconfirmed && this.#names.every((name) => partsOf(name).path !== path || this.#isServed(name));
      const mostMs = (isComplete ? intervalMs : retryMs) * (0.9 + Math.random() / 5);
      await sleeper.sleep({ leastMs: 0, mostMs }, stopped);
    }
  }

  async #request(path: string, stopped: AbortSignal): Promise<ReadonlySet<string>> {
    try {
      const signal = AbortSignal.any([stopped, AbortSignal.timeout(timeoutMs)]);
      const { resources } = await this.#options.client.get<{ resources?: ApiResource[] | null }>(path, { signal });
      return new Set((resources ?? []).filter(isEstablished).map(({ name }) => name));
    } catch (error) {
      if (isApiError(error, 404)) return new Set();
      throw error;
    }
  }

  /** Reports whether an answer lacks a resource that was served before. */
  #hasLost(path: string, plurals: ReadonlySet<string>): boolean {
    return this.#names.some((name) => {
      return partsOf(name).path === path && this.#isServed(name) === true && !plurals.has(partsOf(name).plural);
    });
  }

  /** Undefined before the first answer. */
  #isServed(name: string): boolean | undefined {
    const { plural, path } = partsOf(name);
    return this.#plurals.get(path)?.has(plural);
  }

  #report(): void {
    const resources = {
      served: this.#names.filter((name) => this.#isServed(name) === true),
      missing: this.#names.filter((name) => this.#isServed(name) === false),
    };
    const text = JSON.stringify(resources);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#options.onChange(resources);
  }

  #setFailure(path: string, failure: string | undefined): void {
    if (failure === undefined) this.#failures.delete(path);
    else this.#failures.set(path, failure);
    const [first] = this.#failures.values();
    if (first === this.#failure) return;
    this.#failure = first;
    this.#options.onFailure?.(first);
  }
}

interface ApiResource {
  name: string;
  verbs?: string[];
}

/**
 * Reports whether a resource is not terminating: while its objects are being deleted, none can be created.
 * https://github.com/kubernetes/apiextensions-apiserver/blob/v0.34.4/pkg/apiserver/customresource_discovery_controller.go
 */
const isEstablished = ({ verbs }: ApiResource) =>
  verbs === undefined || !verbs.includes('delete') || verbs.includes('create');

/** Of the name of a resource. */
export function partsOf(name: string): { plural: string; path: string } {
  const [plural = '', version, ...group] = name.split('.');
  return { plural, path: `/apis/${group.join('.')}/${version}` };
}
