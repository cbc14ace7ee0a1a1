import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../lib/error-message.ts';
import type { Client } from './client.ts';
import { isApiError } from './status.ts';

export interface ApiHealthOptions {
  client: Pick<Client, 'text'>;
  /** Why the API server cannot be asked or, without an argument, that it can again. */
  onReach: (failure?: string) => void;
  /** Milliseconds between two questions, and until the one that is to confirm a failure. */
  every?: number;
  soon?: number;
  /** Milliseconds to answer in. */
  timeout?: number;
}

/**
 * Asks the API server whether it is there: a watch would hear of one that froze only when the next bookmark is overdue.
 * It takes two failures, so that an API server of several may restart, and less than a minute.
 */
export class ApiHealth {
  readonly #options: ApiHealthOptions;
  readonly #stop = new AbortController();
  #failure: string | undefined;

  constructor(options: ApiHealthOptions) {
    this.#options = options;
    void this.#ask(this.#stop.signal);
  }

  stop(): void {
    this.#stop.abort();
  }

  async #ask(stopped: AbortSignal): Promise<void> {
    const { every = 15_000, soon = 5_000 } = this.#options;
    for (let failures = 0; !stopped.aborted; ) {
      const failure = await this.#failureNow(stopped);
      if (stopped.aborted) return;
      failures = failure === undefined ? 0 : failures + 1;
      if (failures !== 1) this.#say(failure);
      const wait = (failures === 1 ? soon : every) * (0.9 + Math.random() / 5);
      await sleep(wait, undefined, { signal: stopped, ref: false }).catch(() => {});
    }
  }

  async #failureNow(stopped: AbortSignal): Promise<string | undefined> {
    const { client, timeout = 10_000 } = this.#options;
    const late = AbortSignal.timeout(timeout);
    try {
      // Everybody who is authenticated may ask that:
      // https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
      await client.text('/readyz', { signal: AbortSignal.any([stopped, late]) });
      return undefined;
    } catch (error) {
      // An administrator may have taken that right away, and who is told to slow down is heard as well.
      if (isApiError(error, 403, 404, 429)) return undefined;
      return late.aborted ? 'Kubernetes does not answer' : messageOf(error);
    }
  }

  #say(failure: string | undefined): void {
    if (failure === this.#failure) return;
    this.#failure = failure;
    this.#options.onReach(failure);
  }
}
