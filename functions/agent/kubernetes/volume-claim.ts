import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import type { AgentClient } from './agent-client.ts';

export interface VolumeClaimOptions {
  client: Pick<AgentClient, 'expandVolume'>;
  /** Why the API server refuses; without an argument, that it has accepted. */
  onRefusal: (refusal?: string) => void;
  failureLog: Pick<FailureLog, 'record'>;
}

/** Expands the pod's PersistentVolumeClaim to the declared size. */
export class VolumeClaim {
  readonly #options: VolumeClaimOptions;
  #requested: string | undefined;

  constructor(options: VolumeClaimOptions) {
    this.#options = options;
  }

  /** Requests a size until it is accepted. Never throws. */
  async expand(size: string | undefined): Promise<void> {
    if (size === undefined || size === this.#requested) return;
    const { client, onRefusal, failureLog } = this.#options;
    try {
      const refusal = await client.expandVolume(size);
      if (refusal === undefined) this.#requested = size;
      onRefusal(refusal && `cannot expand the PersistentVolumeClaim to ${size}: ${refusal}`.slice(0, 500));
      failureLog.record('expand the PersistentVolumeClaim', undefined);
    } catch (error) {
      failureLog.record('expand the PersistentVolumeClaim', messageOf(error));
    }
  }
}
