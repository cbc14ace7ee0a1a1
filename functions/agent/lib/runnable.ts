import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Work that goes on until the process stops, like controller-runtime's Runnable. `run` settles soon after the signal, when
 * what is under way is done; a rejection is fatal.
 */
export interface Runnable {
  name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** Runs `work` over and over, with a pause of `ms` in between. */
export const every = (ms: number, name: string, work: () => unknown): Runnable => ({
  name,
  async run(signal) {
    while (!signal.aborted) {
      await work();
      await pause(ms, signal);
    }
  },
});

/** Resolves after `ms`, or at once when the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/** Starts runnables together, and stops them together. */
export class Runnables {
  readonly #stop = new AbortController();
  readonly #running = new Map<Runnable, Promise<void>>();

  /** @param onFailure called when one of them rejects */
  start(runnables: readonly Runnable[], onFailure: (error: unknown) => void): void {
    for (const runnable of runnables) {
      const end = runnable.run(this.#stop.signal).catch(onFailure);
      this.#running.set(
        runnable,
        end.finally(() => this.#running.delete(runnable)),
      );
    }
  }

  /** Stops them all. Returns the names of those that are still at work after `graceMs`. */
  async stop(graceMs: number): Promise<string[]> {
    this.#stop.abort();
    const late = new AbortController();
    await Promise.race([Promise.all(this.#running.values()), pause(graceMs, late.signal)]);
    late.abort();
    return [...this.#running.keys()].map(({ name }) => name);
  }
}
