import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../lib/error-message.ts';
import type { Client } from './client.ts';
import { isApiError } from './status.ts';

/** Of the resources that are followed, those with an answer. Names as in `httproutes.v1.gateway.networking.k8s.io`. */
export interface Resources {
  served: readonly string[];
  missing: readonly string[];
}

export interface ApiDiscoveryOptions {
  client: Pick<Client, 'get'>;
  onChange: (resources: Resources) => void;
  /** After each answer that settles whether some resources are served. */
  onAnswer?: (names: readonly string[]) => void;
  /** Why it cannot ask or, without an argument, that it can again. */
  onFailure?: (failure?: string) => void;
  /**
   * Milliseconds between two questions for the resources of one version of a group: while they are served, and while
   * some are missing. The answer is a page of text that the API server has at hand, and for many clusters something is
   * missing for good.
   */
  every?: number;
  soon?: number;
}

const timeout = 10_000;

/** Which resources the cluster serves, as custom resource definitions come and go. */
export class ApiDiscovery {
  readonly #options: ApiDiscoveryOptions;
  #names: readonly string[] = [];
  /** The plurals of each version of a group. */
  readonly #answers = new Map<string, ReadonlySet<string>>();
  readonly #failures = new Map<string, string>();
  readonly #stops = new Map<string, AbortController>();
  /** The versions of groups that are to be asked for without waiting, and who waits there. */
  readonly #due = new Set<string>();
  readonly #wakes = new Map<string, () => void>();
  #reported = JSON.stringify({ served: [], missing: [] } satisfies Resources);
  #failure: string | undefined;

  constructor(options: ApiDiscoveryOptions) {
    this.#options = options;
  }

  /** Asks for these and no others; for none to end. */
  follow(names: readonly string[]): void {
    this.#names = [...new Set(names)];
    const paths = new Set(this.#names.map((name) => partsOf(name).path));
    for (const [path, stop] of this.#stops) {
      if (paths.has(path)) continue;
      stop.abort();
      this.#stops.delete(path);
      this.#answers.delete(path);
      this.#note(path, undefined);
    }
    this.#report();
    for (const path of paths) {
      if (this.#stops.has(path)) continue;
      const stop = new AbortController();
      this.#stops.set(path, stop);
      void this.#ask(path, stop.signal);
    }
  }

  /** Asks for these at once: something suggests that they are being removed. */
  check(names: readonly string[]): void {
    for (const { path } of names.map(partsOf)) {
      this.#due.add(path);
      this.#wakes.get(path)?.();
    }
  }

  async #ask(path: string, stopped: AbortSignal): Promise<void> {
    const { every = 60_000, soon = 15_000 } = this.#options;
    let isDoubted = false;
    while (!stopped.aborted) {
      this.#due.delete(path);
      try {
        const plurals = await this.#pluralsAt(path, stopped);
        if (stopped.aborted) return;
        this.#note(path, undefined);
        // An API server that starts may not know its custom resources for a moment:
        // https://github.com/kubernetes/kubernetes/issues/115241
        isDoubted = !isDoubted && this.#hasLost(path, plurals);
        if (!isDoubted) {
          this.#answers.set(path, plurals);
          this.#report();
          // An answer to an earlier question settles nothing.
          if (!this.#due.has(path)) this.#options.onAnswer?.(this.#names.filter((name) => partsOf(name).path === path));
        }
      } catch (error) {
        if (stopped.aborted) return;
        this.#note(path, messageOf(error));
      }
      const isWhole = !isDoubted && this.#names.every((name) => partsOf(name).path !== path || this.#isServed(name));
      const wait = (isWhole ? every : soon) * (0.9 + Math.random() / 5);
      await this.#wait(path, wait, stopped);
    }
  }

  /** Until it is time, or due. */
  async #wait(path: string, ms: number, stopped: AbortSignal): Promise<void> {
    if (this.#due.has(path)) return;
    const woken = new AbortController();
    this.#wakes.set(path, () => woken.abort());
    await sleep(ms, undefined, { signal: AbortSignal.any([stopped, woken.signal]) }).catch(() => {});
    this.#wakes.delete(path);
  }

  async #pluralsAt(path: string, stopped: AbortSignal): Promise<ReadonlySet<string>> {
    try {
      const signal = AbortSignal.any([stopped, AbortSignal.timeout(timeout)]);
      const { resources } = await this.#options.client.get<{ resources?: ApiResource[] | null }>(path, { signal });
      return new Set((resources ?? []).filter(isLasting).map(({ name }) => name));
    } catch (error) {
      if (isApiError(error, 404)) return new Set();
      throw error;
    }
  }

  /** Whether something is missing now that was there. */
  #hasLost(path: string, plurals: ReadonlySet<string>): boolean {
    return this.#names.some((name) => {
      return partsOf(name).path === path && this.#isServed(name) === true && !plurals.has(partsOf(name).plural);
    });
  }

  /** Undefined before the first answer. */
  #isServed(name: string): boolean | undefined {
    const { plural, path } = partsOf(name);
    return this.#answers.get(path)?.has(plural);
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

  #note(path: string, failure: string | undefined): void {
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
 * Whether a resource is not being removed: its objects go first, and until they have, it takes no new ones.
 * https://github.com/kubernetes/apiextensions-apiserver/blob/v0.34.4/pkg/apiserver/customresource_discovery_controller.go
 */
const isLasting = ({ verbs }: ApiResource) =>
  verbs === undefined || !verbs.includes('delete') || verbs.includes('create');

function partsOf(name: string): { plural: string; path: string } {
  const [plural = '', version, ...group] = name.split('.');
  return { plural, path: `/apis/${group.join('.')}/${version}` };
}
