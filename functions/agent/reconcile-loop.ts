import type { Agent } from './agent.ts';
import { backoff } from './lib/backoff.ts';
import { monotonicNow } from './lib/clock.ts';
import { messageOf } from './lib/error-message.ts';
import type { FailureLog } from './lib/failure-log.ts';
import { Sleeper } from './lib/runnable.ts';

export interface ReconcileLoopOptions {
  failureLog: Pick<FailureLog, 'record'>;
  /** Without a failure the zones follow the declaration. */
  onEnd?: (failure: string | undefined) => void;
  now?: () => number;
}

/**
 * Between two reconciles: when all zones are settled, and while one is pending. What is read for ExternalDNS costs nothing to
 * compare, so that a settled one follows its loops.
 */
const intervalMs = { settled: 12_000, joining: 7_000, pending: 500 };
const retry = { leastMs: 1_000, mostMs: 2_000 };

/** Reconciles the zones periodically, and when woken. */
export class ReconcileLoop {
  readonly #failureLog: ReconcileLoopOptions['failureLog'];
  readonly #onEnd: NonNullable<ReconcileLoopOptions['onEnd']>;
  readonly #sleeper = new Sleeper();
  readonly #now: () => number;
  #failures = 0;
  #startedAt = Number.NEGATIVE_INFINITY;

  constructor({ failureLog, onEnd = () => {}, now = monotonicNow }: ReconcileLoopOptions) {
    this.#now = now;
    this.#failureLog = failureLog;
    this.#onEnd = onEnd;
  }

  /** Starts the next reconcile at once, or right after the current one. */
  wake(): void {
    this.#sleeper.wake();
  }

  /** Starts the next reconcile now if it is not long until then. Returns whether it does. */
  join(): boolean {
    const isNear = this.#now() - this.#startedAt >= intervalMs.joining;
    if (isNear) this.wake();
    return isNear;
  }

  async run(agent: Pick<Agent, 'reconcile' | 'isSettled'>, signal: AbortSignal): Promise<void> {
    this.#sleeper.forget();
    while (!signal.aborted) {
      const mostMs = await this.#next(agent);
      await this.#sleeper.sleep({ leastMs: 0, mostMs }, signal);
    }
  }

  /** Returns the milliseconds to wait afterwards. */
  async #next(agent: Pick<Agent, 'reconcile' | 'isSettled'>): Promise<number> {
    this.#startedAt = this.#now();
    const failure = await agent.reconcile().then(() => undefined, messageOf);
    this.#failureLog.record('reconcile the zones', failure);
    this.#failures = failure ? this.#failures + 1 : 0;
    this.#onEnd(failure);
    if (failure) return backoff(this.#failures, retry);
    return (agent.isSettled ? intervalMs.settled : intervalMs.pending) * (1 + Math.random() / 4);
  }
}
