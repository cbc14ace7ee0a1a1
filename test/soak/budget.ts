/** The time and the seed of one soak. */
export interface Budget {
  milliseconds: number;
  /** Reproduces the same cases. */
  seed: number;
}
