import type { Logger } from 'pino';

/** Logs each failure once, and its end: what fails in a loop would fill the log, and be overlooked in it. */
export class FailureLog {
  readonly #log: Logger;
  readonly #said = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Whatever is done repeatedly, and how it failed; no failure means that it went well. */
  record(action: string, failure: string | undefined, details: object = {}): void {
    const key = `${action} ${JSON.stringify(details)}`;
    if (failure === this.#said.get(key)) return;
    if (failure === undefined) {
      this.#said.delete(key);
      this.#log.info(details, `can ${action} again`);
    } else {
      this.#said.set(key, failure);
      this.#log.warn({ ...details, failure }, `cannot ${action}`);
    }
  }
}
