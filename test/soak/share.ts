/** What one of the soaks has of the ten minutes. */
export interface Share {
  milliseconds: number;
  /** That draws the same cases again. */
  seed: number;
}
