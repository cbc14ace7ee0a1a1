import type { Agent } from './agent.ts';
import { backoff } from './lib/backoff.ts';
import { monotonicNow } from './lib/clock.ts';
import { messageOf } from './lib/error-message.ts';
import type { FailureLog } from './lib/failure-log.ts';
import { pause as pauseFor } from './lib/runnable.ts';

export interface AnticipationLoopOptions {
  failureLog: Pick<FailureLog, 'record'>;
  /** All that could be published is. */
  onEnd?: () => void;
  /** Milliseconds of CPU that the process has used. */
  cpuTime?: () => number;
  now?: () => number;
  pause?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/**
 * A burst is one transaction: it is over when nothing has changed for a moment, or after so long. An API server takes a few
 * milliseconds for each change of one client. Milliseconds.
 */
const burst = { quietMs: 15, mostMs: 50 };
const retry = { leastMs: 500, mostMs: 2_000 };
/** The share of a core that it may take: in a large zone every decision costs, and something changes every second. */
const share = 0.2;

const ownCPUTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Publishes what objects ask for, when woken. */
export class AnticipationLoop {
  readonly #failureLog: AnticipationLoopOptions['failureLog'];
  readonly #onEnd: () => void;
  readonly #cpuTime: () => number;
  readonly #now: () => number;
  readonly #pause: NonNullable<AnticipationLoopOptions['pause']>;
  #woken = Promise.withResolvers<void>();
  #wakes = 0;
  #failures = 0;

  constructor({
    failureLog,
    onEnd = () => {},
    cpuTime = ownCPUTime,
    now = monotonicNow,
    pause = pauseFor,
  }: AnticipationLoopOptions) {
    this.#failureLog = failureLog;
    this.#onEnd = onEnd;
    this.#cpuTime = cpuTime;
    this.#now = now;
    this.#pause = pause;
  }

  /** Something has changed that may have to be published. */
  wake(): void {
    this.#wakes++;
    this.#woken.resolve();
  }

  async run(agent: Pick<Agent, 'anticipate'>, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.wake(), { once: true });
    while (!signal.aborted) {
      await this.#woken.promise;
      await this.#endOfBurst(signal);
      if (signal.aborted) return;
      this.#woken = Promise.withResolvers();
      const before = this.#cpuTime();
      const isDone = await this.#anticipate(agent);
      this.#onEnd();
      await this.#pause((this.#cpuTime() - before) * (1 / share - 1), signal);
      if (isDone) continue;
      await this.#pause(backoff(Math.max(1, this.#failures), retry), signal);
      this.wake();
    }
  }

  async #endOfBurst(signal: AbortSignal): Promise<void> {
    const end = this.#now() + burst.mostMs;
    let wakes: number;
    do {
      wakes = this.#wakes;
      await this.#pause(Math.min(burst.quietMs, end - this.#now()), signal);
    } while (wakes !== this.#wakes && this.#now() < end && !signal.aborted);
  }

  /** Returns whether nothing is left to publish. */
  async #anticipate(agent: Pick<Agent, 'anticipate'>): Promise<boolean> {
    let failure: string | undefined;
    const isDone = await agent.anticipate().catch((error) => {
      failure = messageOf(error);
      return false;
    });
    this.#failureLog.record('publish what objects ask for', failure);
    this.#failures = failure ? this.#failures + 1 : 0;
    return isDone;
  }
}
