import type { Agent } from './agent.ts';
import { backoff } from './lib/backoff.ts';
import { messageOf } from './lib/error-message.ts';
import type { FailureLog } from './lib/failure-log.ts';
import { pause } from './lib/runnable.ts';

export interface AnticipationLoopOptions {
  failureLog: Pick<FailureLog, 'record'>;
  /** Milliseconds of CPU that the process has used. */
  cpuTime?: () => number;
}

/** What changes within this time is one transaction. Milliseconds. */
const burstMs = 50;
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
  readonly #cpuTime: () => number;
  #woken = Promise.withResolvers<void>();
  #failures = 0;

  constructor({ failureLog, cpuTime = ownCPUTime }: AnticipationLoopOptions) {
    this.#failureLog = failureLog;
    this.#cpuTime = cpuTime;
  }

  /** Something has changed that may have to be published. */
  wake(): void {
    this.#woken.resolve();
  }

  async run(agent: Pick<Agent, 'anticipate'>, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.wake(), { once: true });
    while (!signal.aborted) {
      await this.#woken.promise;
      await pause(burstMs, signal);
      if (signal.aborted) return;
      this.#woken = Promise.withResolvers();
      const before = this.#cpuTime();
      const isDone = await this.#anticipate(agent);
      await pause((this.#cpuTime() - before) * (1 / share - 1), signal);
      if (isDone) continue;
      await pause(backoff(Math.max(1, this.#failures), retry), signal);
      this.wake();
    }
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
