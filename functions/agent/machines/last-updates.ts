import { Memo } from '../lib/memo.ts';
import type { StatusUpdate } from './status-queue.ts';

/** What statuses should say at the moment, and how to take it back. */
export class LastUpdates {
  readonly #updates = new Memo<readonly StatusUpdate[]>();
  readonly #removals = new Memo<readonly StatusUpdate[]>();
  #last: readonly StatusUpdate[] = [];

  /** As `Memo.get`: the same array until an input changes. */
  get(of: readonly unknown[], work: () => readonly StatusUpdate[]): readonly StatusUpdate[] {
    this.#last = this.#updates.get(of, work);
    return this.#last;
  }

  /** The entries of a kind that is no source any more go. */
  removals(): readonly StatusUpdate[] {
    return this.#removals.get([this.#last], () => this.#last.map((update) => ({ ...update, entry: undefined })));
  }
}
