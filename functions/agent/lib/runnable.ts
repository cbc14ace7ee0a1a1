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

/**
 * Runs each work over and over, all at the same moments, so that an idle process wakes up once for all of them: that costs
 * more than the work. None waits for another one; one that takes longer misses some of the moments.
 * @param ms of the pause before the next moment
 * @param works by name, in the order in which they start
 */
export function inStep(ms: () => number, works: Readonly<Record<string, () => unknown>>): Runnable[] {
  let moment: Promise<void> | undefined;
  const nextMoment = (signal: AbortSignal) => {
    moment ??= pause(ms(), signal).then(() => {
      moment = undefined;
    });
    return moment;
  };
  return Object.entries(works).map(([name, work]) => ({
    name,
    async run(signal) {
      while (!signal.aborted) {
        await work();
        await nextMoment(signal);
      }
    },
  }));
}

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
