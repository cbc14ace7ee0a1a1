import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds of work without a pause after idle time. */
const burst = 200;
/** Milliseconds: one slow job must not block the others for long. */
const maxPause = 1_000;

/** Runs jobs one at a time, yields to the event loop between them, and limits them to a share of CPU time (token bucket). */
export class ThrottledQueue {
  readonly #cpuShare: number;
  #idle: Promise<unknown> = Promise.resolve();
  #tokens = burst;
  #refilledAt = performance.now();

  constructor(cpuShare: number) {
    this.#cpuShare = cpuShare;
  }

  run<T>(job: () => T | Promise<T>): Promise<T> {
    const result = this.#idle.then(async () => {
      const started = performance.now();
      try {
        return await job();
      } finally {
        this.#charge(performance.now() - started);
      }
    });
    const pause = () => this.#pause();
    this.#idle = result.then(pause, pause);
    return result;
  }

  #charge(ms: number): void {
    const now = performance.now();
    const refill = (now - this.#refilledAt) * this.#cpuShare;
    this.#refilledAt = now;
    this.#tokens = Math.max(Math.min(burst, this.#tokens + refill) - ms, -maxPause * this.#cpuShare);
  }

  #pause(): Promise<unknown> {
    return this.#tokens >= 0 ? setImmediate() : sleep(-this.#tokens / this.#cpuShare, undefined, { ref: false });
  }
}

/** Request coalescing: all calls before a job starts share its result. */
export function coalesced<T>(queue: ThrottledQueue, job: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined;
  return () => {
    pending ??= queue.run(() => {
      pending = undefined;
      return job();
    });
    return pending;
  };
}
