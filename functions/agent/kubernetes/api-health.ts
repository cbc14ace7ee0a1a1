import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../lib/error-message.ts';
import type { Client } from './client.ts';
import { isApiError } from './status.ts';

export interface ApiHealthOptions {
  client: Pick<Client, 'text'>;
  /** Why the API server is unhealthy; without an argument, that it is healthy again. */
  onChange: (failure?: string) => void;
  /** Between two requests, and until the one that confirms a failure. */
  intervalMs?: number;
  retryMs?: number;
  timeoutMs?: number;
}

/**
 * Polls the health of the API server: a watch of a frozen one fails only when the next bookmark is overdue. Two failures in
 * a row count, so that one of several API servers may restart; that takes less than a minute.
 */
export class ApiHealth {
  readonly #options: ApiHealthOptions;
  readonly #stop = new AbortController();
  #failure: string | undefined;

  constructor(options: ApiHealthOptions) {
    this.#options = options;
    void this.#poll(this.#stop.signal);
  }

  stop(): void {
    this.#stop.abort();
  }

  async #poll(stopped: AbortSignal): Promise<void> {
    const { intervalMs = 15_000, retryMs = 5_000 } = this.#options;
    for (let failures = 0; !stopped.aborted; ) {
      const failure = await this.#check(stopped);
      if (stopped.aborted) return;
      failures = failure === undefined ? 0 : failures + 1;
      if (failures !== 1) this.#setFailure(failure);
      const wait = (failures === 1 ? retryMs : intervalMs) * (0.9 + Math.random() / 5);
      await sleep(wait, undefined, { signal: stopped, ref: false }).catch(() => {});
    }
  }

  async #check(stopped: AbortSignal): Promise<string | undefined> {
    const { client, timeoutMs = 10_000 } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      // Every authenticated user may:
      // https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
      await client.text('/readyz', { signal: AbortSignal.any([stopped, timeout]) });
      return undefined;
    } catch (error) {
      // Any answer will do: an administrator may have revoked that right, or the server may ask to slow down.
      if (isApiError(error, 403, 404, 429)) return undefined;
      return timeout.aborted ? 'Kubernetes does not answer' : messageOf(error);
    }
  }

  #setFailure(failure: string | undefined): void {
    if (failure === this.#failure) return;
    this.#failure = failure;
    this.#options.onChange(failure);
  }
}
