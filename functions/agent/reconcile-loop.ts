import type { Agent } from './agent.ts';
import { backoff } from './lib/backoff.ts';
import { messageOf } from './lib/error-message.ts';
import type { FailureLog } from './lib/failure-log.ts';
import { pause } from './lib/runnable.ts';

export interface ReconcileLoopOptions {
  failureLog: Pick<FailureLog, 'record'>;
  /** The zones follow the declaration. */
  onReconciled?: () => void;
}

/** Between two reconciles: when all zones are settled, and while one is pending. */
const intervalMs = { settled: 8_000, pending: 500 };
const retry = { leastMs: 1_000, mostMs: 2_000 };

/** Reconciles the zones periodically, and when woken. */
export class ReconcileLoop {
  readonly #failureLog: ReconcileLoopOptions['failureLog'];
  readonly #onReconciled: () => void;
  #failures = 0;
  #wake = () => {};

  constructor({ failureLog, onReconciled = () => {} }: ReconcileLoopOptions) {
    this.#failureLog = failureLog;
    this.#onReconciled = onReconciled;
  }

  /** Starts the next reconcile at once, or right after the current one. */
  wake(): void {
    this.#wake();
  }

  async run(agent: Pick<Agent, 'reconcile' | 'isSettled'>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const ms = await this.#next(agent);
      await Promise.race([pause(ms, signal), woken]);
    }
  }

  /** Returns the milliseconds to wait afterwards. */
  async #next(agent: Pick<Agent, 'reconcile' | 'isSettled'>): Promise<number> {
    const failure = await agent.reconcile().then(() => undefined, messageOf);
    this.#failureLog.record('reconcile the zones', failure);
    this.#failures = failure ? this.#failures + 1 : 0;
    if (failure) return backoff(this.#failures, retry);
    this.#onReconciled();
    return (agent.isSettled ? intervalMs.settled : intervalMs.pending) * (0.75 + Math.random() / 2);
  }
}
