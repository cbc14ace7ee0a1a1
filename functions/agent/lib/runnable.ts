import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicNow } from './clock.ts';

/**
 * Work that goes on until the process stops, like controller-runtime's Runnable. `run` settles soon after the signal, when
 * what is under way is done; a rejection is fatal.
 */
export interface Runnable {
  name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** Milliseconds between two moments: `leastMs` if somebody asks for the next one, `mostMs` if nobody does. */
export interface Pace {
  leastMs: number;
  mostMs: number;
}

/**
 * Works that run over and over, all at the same moments, so that an idle process wakes up once for all of them: that costs
 * more than the work. None waits for another one; one that takes longer misses some of the moments.
 */
export class InStep {
  readonly #sleeper = new Sleeper();
  #moment: Promise<void> | undefined;

  /** Something has happened that a work may have to follow. */
  wake(): void {
    this.#sleeper.wake();
  }

  /**
   * @param works by name, in the order in which they start
   * @param pace read at every moment, when all works have started
   */
  runnables(works: Readonly<Record<string, () => unknown>>, pace: () => Pace): Runnable[] {
    return Object.entries(works).map(([name, work]) => ({
      name,
      run: async (signal) => {
        while (!signal.aborted) {
          await work();
          await this.#nextMoment(pace, signal);
        }
      },
    }));
  }

  #nextMoment(pace: () => Pace, signal: AbortSignal): Promise<void> {
    this.#moment ??= this.#sleeper.sleep(pace(), signal).then(() => {
      this.#moment = undefined;
    });
    return this.#moment;
  }
}

/** Returns work that is left out if it last began less than `ms` ago. */
export function atMostEvery(ms: number, work: () => unknown, now = monotonicNow): () => unknown {
  let next = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() < next) return undefined;
    next = now() + ms;
    return work();
  };
}

/** A pause that may be cut short. */
export class Sleeper {
  #isWoken = false;
  #hurry = () => {};

  /** Whether the next pause is cut short. */
  get isWoken(): boolean {
    return this.#isWoken;
  }

  /** Ends the pause, or the next one if there is none now. */
  wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    this.#hurry();
  }

  /** What has happened until now does not end the next pause: whoever starts to work sees it. */
  forget(): void {
    this.#isWoken = false;
  }

  /** Resolves after `mostMs`, or, once woken, after `leastMs`; at once when the signal aborts. */
  async sleep({ leastMs, mostMs }: Pace, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const startedAt = monotonicNow();
    const endAfter = (ms: number) => setTimeout(resolve, Math.max(0, startedAt + ms - monotonicNow()));
    let timer = endAfter(this.#isWoken ? leastMs : mostMs);
    this.#hurry = () => {
      clearTimeout(timer);
      timer = endAfter(leastMs);
    };
    const abort = () => resolve();
    signal.addEventListener('abort', abort, { once: true });
    await promise;
    signal.removeEventListener('abort', abort);
    clearTimeout(timer);
    this.#hurry = () => {};
    this.forget();
  }
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
