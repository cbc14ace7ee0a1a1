import type { Logger } from 'pino';

/** Logs each failure of repeated actions once, and their recovery: a loop that fails would fill the log. */
export class FailureLog {
  readonly #log: Logger;
  readonly #failures = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Records how an action went.
   * @param action completes "cannot ..."
   * @param failure undefined if it succeeded
   * @param details tell apart what the action was done to
   */
  record(action: string, failure: string | undefined, details: object = {}): void {
    const key = `${action} ${JSON.stringify(details)}`;
    if (failure === this.#failures.get(key)) return;
    if (failure === undefined) {
      this.#failures.delete(key);
      this.#log.info(details, `can ${action} again`);
    } else {
      this.#failures.set(key, failure);
      this.#log.warn({ ...details, failure }, `cannot ${action}`);
    }
  }
}
