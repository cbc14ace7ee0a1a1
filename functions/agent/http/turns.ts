import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

/** What may be done at once after a rest. Milliseconds. */
const burst = 200;
/** The longest rest: one slow answer of another must not stop it all. Milliseconds. */
const longestRest = 1_000;

/** Work that is done one at a time, with a pause for others in between, and that in the long run takes at most a share of the time. */
export class Turns {
  readonly #share: number;
  #free: Promise<unknown> = Promise.resolve();
  #credit = burst;
  #countedAt = performance.now();

  constructor(share: number) {
    this.#share = share;
  }

  take<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#free.then(async () => {
      const began = performance.now();
      try {
        return await work();
      } finally {
        this.#count(performance.now() - began);
      }
    });
    const rest = () => this.#rest();
    this.#free = result.then(rest, rest);
    return result;
  }

  #count(took: number): void {
    const now = performance.now();
    const earned = (now - this.#countedAt) * this.#share;
    this.#countedAt = now;
    this.#credit = Math.max(Math.min(burst, this.#credit + earned) - took, -longestRest * this.#share);
  }

  #rest(): Promise<unknown> {
    return this.#credit >= 0 ? setImmediate() : sleep(-this.#credit / this.#share, undefined, { ref: false });
  }
}

/** The same work for all who ask before it begins. */
export function joined<T>(turns: Turns, work: () => Promise<T>): () => Promise<T> {
  let waiting: Promise<T> | undefined;
  return () => {
    waiting ??= turns.take(() => {
      waiting = undefined;
      return work();
    });
    return waiting;
  };
}
