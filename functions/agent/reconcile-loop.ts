import type { Agent } from './agent.ts';
import { messageOf } from './lib/error-message.ts';
import type { FailureLog } from './lib/failure-log.ts';
import { pause } from './lib/runnable.ts';

export interface ReconcileLoopOptions {
  failureLog: Pick<FailureLog, 'record'>;
}

/** The pause until the zones are compared again with what is declared; shorter after a failure. Milliseconds. */
const pauses = { settled: 4_000, least: 500, most: 2_000 };

/** Reconciles the zones with what is declared, over and over. */
export class ReconcileLoop {
  readonly #failureLog: ReconcileLoopOptions['failureLog'];
  #failures = 0;
  #wake = () => {};

  constructor({ failureLog }: ReconcileLoopOptions) {
    this.#failureLog = failureLog;
  }

  /** Starts the next run at once, or right after the present one. */
  wake(): void {
    this.#wake();
  }

  async run(agent: Pick<Agent, 'reconcile' | 'report'>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const ms = await this.#next(agent);
      await Promise.race([pause(ms * (0.75 + Math.random() / 2), signal), woken]);
    }
  }

  /** Returns the pause after it. */
  async #next(agent: Pick<Agent, 'reconcile' | 'report'>): Promise<number> {
    const failure = await agent.reconcile().then(() => undefined, messageOf);
    this.#failureLog.record('reconcile the zones', failure);
    this.#failures = failure ? this.#failures + 1 : 0;
    const isSettled = !failure && agent.report()?.zones.every(({ state }) => state !== 'Pending');
    return isSettled ? pauses.settled : Math.min(pauses.most, pauses.least * 2 ** this.#failures);
  }
}
