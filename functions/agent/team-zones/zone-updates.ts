import { maxDelegation } from '../../contract/kinds/zone.ts';
import { printable } from '../../contract/printable.ts';
import { bounds } from '../../contract/report.ts';
import { monotonicNow, sameTime, type TimeOf } from '../lib/clock.ts';
import { MemoByKey } from '../lib/memo.ts';
import { LastUpdates } from '../machines/last-updates.ts';
import type { SeenEntries } from '../machines/seen-entries.ts';
import { brief, readyCondition, unlessSame, type ZoneEntry } from '../machines/status-entry.ts';
import type { StatusUpdate } from '../machines/status-queue.ts';
import type { ZoneOutcome } from './zone-outcomes.ts';

export interface ZoneUpdatesOptions {
  /** The name of the InternalDNS. */
  instance: () => string;
  seen: Pick<SeenEntries, 'get' | 'version'>;
  now?: () => number;
  timeOf?: TimeOf;
}

/** What the status of each Zone should say. */
export class ZoneUpdates {
  readonly #options: Required<ZoneUpdatesOptions>;
  readonly #updates = new LastUpdates();
  readonly #byOutcome = new MemoByKey<ZoneOutcome, StatusUpdate>();

  constructor(options: ZoneUpdatesOptions) {
    this.#options = { now: monotonicNow, timeOf: sameTime, ...options };
  }

  /** The same array until something changes. */
  of(outcomes: readonly ZoneOutcome[]): readonly StatusUpdate[] {
    const { instance, seen } = this.#options;
    return this.#updates.get([outcomes, instance(), seen.version], () =>
      outcomes.map((outcome) => this.#updateOf(outcome)),
    );
  }

  /** The entries of a kind that is no source any more go. */
  removals(): readonly StatusUpdate[] {
    return this.#updates.removals();
  }

  #updateOf(outcome: ZoneOutcome): StatusUpdate {
    const { instance, seen, now, timeOf } = this.#options;
    const { resource, namespace, name } = outcome.object;
    const current = seen.get(resource) as ZoneEntry | undefined;
    return this.#byOutcome.get(outcome, [instance(), current], () => ({
      kind: 'Zone',
      namespace,
      name,
      current,
      entry: zoneEntry(outcome, { instance: instance(), now: new Date(timeOf(now())).toISOString() }, current),
    }));
  }
}

const statuses = { Serving: 'True', Pending: 'Unknown', Failed: 'False', Retained: 'False', Refused: 'False' } as const;

/** The entry of an InternalDNS in a Zone's status. Returns `before` itself if there is nothing new. */
export function zoneEntry(
  { object, name, state, message, delegation, dnssec }: ZoneOutcome,
  { instance, now }: { instance: string; now: string },
  before?: ZoneEntry,
): ZoneEntry {
  const told = message === undefined ? undefined : brief(printable(message), bounds.message);
  const judged = {
    status: statuses[state],
    reason: state,
    message: told ?? (state === 'Serving' ? `${name} is served` : `${name} is about to be served`),
  };
  // What it was published with stays while it is not served: without its key, another one must not be made.
  const known = dnssec ?? (state === 'Serving' ? undefined : before?.dnssec);
  return unlessSame(before, {
    name: instance,
    observedAt: now,
    state,
    ...(told !== undefined && { message: told }),
    ...(delegation && { delegation: delegation.slice(0, maxDelegation) }),
    ...(known && { dnssec: known }),
    conditions: [readyCondition(judged, object, now, before)],
  });
}
