import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from './agent.ts';
import { messageOf } from './lib/error-message.ts';
import type { FailureLog } from './lib/failure-log.ts';

export interface ReconcileLoopOptions {
  agent: Pick<Agent, 'reconcile' | 'report'>;
  failureLog: Pick<FailureLog, 'record'>;
}

/** How long after one the zones are compared again with what is declared; sooner after a failure. Milliseconds. */
const pauses = { settled: 4_000, least: 500, most: 2_000 };

/** Brings the zones to what is declared, again and again. */
export class ReconcileLoop {
  readonly #options: ReconcileLoopOptions;
  #failures = 0;
  #wake = () => {};

  constructor(options: ReconcileLoopOptions) {
    this.#options = options;
  }

  /** Says that something else is declared: the next one begins at once, or after the present one. */
  wake(): void {
    this.#wake();
  }

  async run(): Promise<never> {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const pause = await this.#next();
      await Promise.race([sleep(pause * (0.75 + Math.random() / 2)), woken]);
    }
  }

  /** Returns how long to wait after it. */
  async #next(): Promise<number> {
    const { agent, failureLog } = this.#options;
    const failure = await agent.reconcile().then(() => undefined, messageOf);
    failureLog.record('reconcile the zones', failure);
    this.#failures = failure ? this.#failures + 1 : 0;
    const isSettled = !failure && agent.report()?.zones.every(({ state }) => state !== 'Pending');
    return isSettled ? pauses.settled : Math.min(pauses.most, pauses.least * 2 ** this.#failures);
  }
}
