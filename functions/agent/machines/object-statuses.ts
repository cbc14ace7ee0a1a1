import { Memo } from '../lib/memo.ts';
import type { HealthWatch } from './health-watch.ts';
import type { ObjectOutcome } from './outcomes.ts';
import type { StatusUpdate } from './status-queue.ts';
import type { StatusUpdates } from './status-updates.ts';
import type { StatusWriter } from './status-writer.ts';

export interface ObjectStatusesOptions {
  updates: StatusUpdates;
  health: Pick<HealthWatch, 'update' | 'poll' | 'isWatching'>;
  writer: Pick<StatusWriter, 'update' | 'drain' | 'counts' | 'pending'>;
}

/** What became of the objects of this project. A member is undefined while it is not known. */
export interface ObjectsFound {
  outcomes: readonly ObjectOutcome[] | undefined;
  /** What the statuses of Zones should say: see `team-zones/`. */
  zones: readonly StatusUpdate[] | undefined;
}

/** Keeps the statuses of Machines, claims and Zones up to date: what became of them, and which members of a claim are healthy. */
export class ObjectStatuses {
  readonly #options: ObjectStatusesOptions;
  readonly #all = new Memo<readonly StatusUpdate[]>();

  constructor(options: ObjectStatusesOptions) {
    this.#options = options;
  }

  /** Writes what has changed, as far as limits allow. Call it periodically; never throws. */
  async write({ outcomes, zones }: ObjectsFound): Promise<void> {
    const { updates, health, writer } = this.#options;
    if (outcomes) health.update(updates.claims(outcomes));
    if (outcomes || zones) writer.update(this.#together(outcomes && updates.of(outcomes), zones));
    await writer.drain();
  }

  /** Removes what was written: none of the kinds is a source any more. */
  async remove(zones?: ObjectsFound['zones']): Promise<void> {
    const { updates, health, writer } = this.#options;
    health.update(noClaims);
    writer.update(this.#together(updates.removals(), zones));
    await writer.drain();
  }

  #together(objects: readonly StatusUpdate[] = none, zones: readonly StatusUpdate[] = none): readonly StatusUpdate[] {
    if (zones.length === 0) return objects;
    return this.#all.get([objects, zones], () => [...objects, ...zones]);
  }

  /** Whether statuses or answers of checks are waited for. */
  get isWaiting(): boolean {
    const { health, writer } = this.#options;
    return writer.pending > 0 || health.isWatching;
  }

  /** How often a status was written, by result, and how many wait. */
  get counts(): { counts: Readonly<Record<string, number>>; waiting: number } {
    const { counts, pending } = this.#options.writer;
    return { counts, waiting: pending };
  }

  /** Asks which members are healthy. Call it periodically; never throws. */
  check(): Promise<void> {
    return this.#options.health.poll();
  }
}

const noClaims: readonly never[] = [];
const none: readonly never[] = [];
