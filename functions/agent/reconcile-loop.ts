import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from './agent.ts';
import { backoff } from './lib/backoff.ts';
import { messageOf } from './lib/error-message.ts';
import type { FailureLog } from './lib/failure-log.ts';

export interface ReconcileLoopOptions {
  agent: Pick<Agent, 'reconcile' | 'report'>;
  failureLog: Pick<FailureLog, 'record'>;
}

/** Between two reconciles: when all zones are settled, and while one is pending. */
const intervalMs = { settled: 4_000, pending: 500 };
const retry = { leastMs: 1_000, mostMs: 2_000 };

/** Reconciles the zones periodically, and when woken. */
export class ReconcileLoop {
  readonly #options: ReconcileLoopOptions;
  #failures = 0;
  #wake = () => {};

  constructor(options: ReconcileLoopOptions) {
    this.#options = options;
  }

  /** Starts the next reconcile at once, or right after the current one. */
  wake(): void {
    this.#wake();
  }

  async run(): Promise<never> {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const pause = await this.#next();
      await Promise.race([sleep(pause), woken]);
    }
  }

  /** Returns the milliseconds to wait afterwards. */
  async #next(): Promise<number> {
    const { agent, failureLog } = this.#options;
    const failure = await agent.reconcile().then(() => undefined, messageOf);
    failureLog.record('reconcile the zones', failure);
    this.#failures = failure ? this.#failures + 1 : 0;
    if (failure) return backoff(this.#failures, retry);
    const isSettled = agent.report()?.zones.every(({ state }) => state !== 'Pending');
    return (isSettled ? intervalMs.settled : intervalMs.pending) * (0.75 + Math.random() / 2);
  }
}
