import { isDeepStrictEqual } from 'node:util';
import type { TailnetAPI } from './api.ts';
import type { Credentials } from './credentials.ts';
import { type Entries, objectOf } from './entries.ts';
import { TailnetError } from './failure.ts';
import type { Memory, Target } from './memory.ts';
import { planOf } from './plan.ts';

export interface SessionOptions {
  target: Target;
  memory: Memory;
  api: Pick<TailnetAPI, 'read' | 'change'>;
}

/** The work on one split DNS, which can go on after the spec has moved to another. */
export class Session {
  readonly target: Target;
  readonly #memory: Memory;
  readonly #api: SessionOptions['api'];
  #written: Entries | undefined;
  /** The last ones that were in the Secret. They are needed when it may be gone. */
  credentials: Credentials | undefined;

  constructor({ target, memory, api }: SessionOptions) {
    this.target = target;
    this.#memory = memory;
    this.#api = api;
  }

  /** Whether there may be entries to remove. */
  get hasWritten(): boolean {
    return (this.#written?.size ?? 0) > 0;
  }

  /** Learns what was written, for a later `remove`. */
  async recall(): Promise<void> {
    this.#written = await this.#memory.read(this.target);
  }

  /** Makes the entries of `zones` those of this server, and removes its others. Returns the ones that others have written. */
  async reconcile(zones: readonly string[], addresses: readonly string[], signal: AbortSignal): Promise<Entries> {
    const stored = await this.#memory.read(this.target);
    // A memory that was emptied is filled again.
    const written = this.#written ?? stored;
    const plan = planOf({ zones, addresses, written, current: await this.#read(signal) });
    if (plan.changes.size > 0) {
      await this.#remember(plan.before, stored);
      const current = await this.#change(plan.changes, signal);
      const left = planOf({ zones, addresses, written: plan.before, current }).changes;
      if (left.size > 0)
        throw new TailnetError(
          `${this.target.apiURL} does not keep the entries as they are written: look for who else writes them`,
        );
    }
    await this.#remember(plan.after, plan.changes.size > 0 ? plan.before : stored);
    return plan.conflicts;
  }

  /** Removes the entries of this server. Needs nothing of the cluster. */
  async remove(signal: AbortSignal): Promise<void> {
    if (!this.hasWritten || !this.credentials) return;
    const written = this.#written ?? new Map();
    const { changes } = planOf({ zones: [], addresses: [], written, current: await this.#read(signal) });
    if (changes.size > 0) await this.#change(changes, signal);
    this.#written = new Map();
  }

  #read(signal: AbortSignal): Promise<Entries> {
    return this.#api.read(this.#client, signal);
  }

  #change(changes: Parameters<TailnetAPI['change']>[0], signal: AbortSignal): Promise<Entries> {
    return this.#api.change(changes, this.#client, signal);
  }

  get #client(): Credentials {
    if (!this.credentials) throw new Error('the credentials were not read yet');
    return this.credentials;
  }

  async #remember(entries: Entries, stored: Entries): Promise<void> {
    this.#written = entries;
    if (!isDeepStrictEqual(objectOf(entries), objectOf(stored))) await this.#memory.write(this.target, entries);
  }
}
