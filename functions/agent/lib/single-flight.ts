/** Work by key, of which none runs twice at a time. */
export class SingleFlight {
  readonly #running = new Map<string, Promise<void>>();

  /** Starts the work, unless what was started for the key still runs. Resolves, or rejects, when that ends. */
  run(key: string, work: () => Promise<void>): Promise<void> {
    const running = this.#running.get(key) ?? work().finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }
}
