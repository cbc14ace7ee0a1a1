import { messageOf } from '../lib/error-message.ts';
import type { Complaints } from '../lib/failure-log.ts';
import type { Cluster } from './cluster.ts';

export interface StorageClaimOptions {
  cluster: Pick<Cluster, 'growClaim'>;
  /** Why Kubernetes refuses or, without an argument, that it does not. */
  onRefusal: (refusal?: string) => void;
  complaints: Pick<Complaints, 'note'>;
}

/** The claim of the pod's volume. It grows once for each size that is declared; a refusal is for the report. */
export class StorageClaim {
  readonly #options: StorageClaimOptions;
  #grownTo: string | undefined;

  constructor(options: StorageClaimOptions) {
    this.#options = options;
  }

  /** Asks for a size that it was not grown to last; nothing is thrown. */
  async grow(size: string | undefined): Promise<void> {
    if (size === undefined || size === this.#grownTo) return;
    const { cluster, onRefusal, complaints } = this.#options;
    try {
      const refusal = await cluster.growClaim(size);
      if (refusal === undefined) this.#grownTo = size;
      onRefusal(refusal && `cannot grow the claim to ${size}: ${refusal}`.slice(0, 500));
      complaints.note('ask for the claim', undefined);
    } catch (error) {
      complaints.note('ask for the claim', messageOf(error));
    }
  }
}
