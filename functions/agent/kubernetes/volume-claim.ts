import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import type { Cluster } from './cluster.ts';

export interface VolumeClaimOptions {
  cluster: Pick<Cluster, 'growClaim'>;
  /** Why Kubernetes refuses or, without an argument, that it does not. */
  onRefusal: (refusal?: string) => void;
  failureLog: Pick<FailureLog, 'record'>;
}

/** The claim of the pod's volume. It grows once for each size that is declared; a refusal is for the report. */
export class VolumeClaim {
  readonly #options: VolumeClaimOptions;
  #grownTo: string | undefined;

  constructor(options: VolumeClaimOptions) {
    this.#options = options;
  }

  /** Asks for a size that it was not grown to last; nothing is thrown. */
  async grow(size: string | undefined): Promise<void> {
    if (size === undefined || size === this.#grownTo) return;
    const { cluster, onRefusal, failureLog } = this.#options;
    try {
      const refusal = await cluster.growClaim(size);
      if (refusal === undefined) this.#grownTo = size;
      onRefusal(refusal && `cannot grow the claim to ${size}: ${refusal}`.slice(0, 500));
      failureLog.record('ask for the claim', undefined);
    } catch (error) {
      failureLog.record('ask for the claim', messageOf(error));
    }
  }
}
