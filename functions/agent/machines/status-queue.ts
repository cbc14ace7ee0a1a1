import { sourceResources } from '../../contract/source-kinds.ts';
import type { StatusTarget } from '../kubernetes/agent-client.ts';
import { type Entry, isSameEntry } from './status-entry.ts';

/** What the status of an object says, and should say, of this InternalDNS. */
export interface StatusUpdate extends StatusTarget {
  /** Undefined where the object does not concern the InternalDNS, or not any more: its entry is removed. */
  entry: Entry | undefined;
  /** As the agent last saw it. */
  current: Entry | undefined;
}

/** A write that is due. */
export interface Due {
  key: string;
  update: StatusUpdate;
  /** Whether nothing but the time of the entry is old. */
  isRenewal: boolean;
  /** The InternalDNS that has abandoned the entry which is to be removed; undefined for the own entry. */
  abandonedBy?: string;
  /** The last look that found it due. */
  look: number;
}

interface Settled extends Pick<StatusUpdate, 'entry' | 'current'> {
  until: number;
  look: number;
}

export interface StatusQueueOptions {
  /** Whether the time of an entry is to be renewed. */
  isOld: (entry: Entry) => boolean;
  /** The other InternalDNSes that have abandoned an entry. @param resource such as `machine/shop/nas` */
  abandonedIn: (resource: string) => readonly string[];
}

/**
 * The entries that are to be written; a newer one of an object replaces the one that waits. Does no I/O. Holds no more than
 * there are objects and entries in them, and what it has removed within a day.
 */
export class StatusQueue {
  readonly #options: StatusQueueOptions;
  /** By object, the oldest change first. */
  readonly #changes = new Map<string, Due>();
  readonly #renewals = new Map<string, Due>();
  /** By object and InternalDNS. */
  readonly #abandoned = new Map<string, Due>();
  /** Until when what was removed is left alone, by the same. */
  readonly #removed = new Map<string, number>();
  /** What an object has, although the agent has not seen it yet; or what there is no use in writing again. */
  readonly #settled = new Map<string, Settled>();
  /** Entries that were found to be the same: comparing thousands costs tens of milliseconds. */
  readonly #same = new WeakMap<Entry, Entry>();
  #look = 0;

  constructor(options: StatusQueueOptions) {
    this.#options = options;
  }

  /**
   * Replaces what is wanted of all objects. One that is missing is gone, and is not written any more; a removal stays, as
   * whoever stops reading a kind says it once.
   */
  update(updates: Iterable<StatusUpdate>, now: number): void {
    this.#look += 1;
    for (const [key, until] of this.#removed) if (now >= until) this.#removed.delete(key);
    for (const update of updates) {
      const resource = resourceOf(update);
      this.#compare(resource, update, now);
      if (update.entry) this.#findAbandoned(resource, update);
    }
    for (const [key, { update, look }] of this.#changes) {
      if (look !== this.#look && update.entry !== undefined) this.#changes.delete(key);
    }
    for (const rest of [this.#renewals, this.#abandoned, this.#settled]) {
      for (const [key, { look }] of rest) if (look !== this.#look) rest.delete(key);
    }
  }

  /** What to write: the oldest change first, then renewals, and last what others have abandoned. May change during iteration. */
  *due(): Generator<Due> {
    yield* this.#changes.values();
    yield* this.#renewals.values();
    for (const due of this.#abandoned.values()) {
      // Its InternalDNS may have come back since the last look.
      const { update, abandonedBy = '' } = due;
      if (this.#options.abandonedIn(resourceOf(update)).includes(abandonedBy)) yield due;
    }
  }

  get size(): number {
    return this.#changes.size + this.#renewals.size + this.#abandoned.size;
  }

  /** Whether an object may differ from what the agent saw of it last. */
  get isSettling(): boolean {
    return this.#settled.size > 0;
  }

  /**
   * Takes an object for up to date until the agent sees a change of it, another entry is wanted, or the time has come. An
   * abandoned entry is left alone until then in any case: who owns it may have another name, and agents whose clocks differ
   * must not write against each other.
   */
  settle({ key, update: { entry, current }, abandonedBy }: Due, until: number): void {
    if (abandonedBy !== undefined) this.#removed.set(key, until);
    else this.#settled.set(key, { entry, current, until, look: this.#look });
  }

  /** Removes a write, unless a newer one has replaced it. */
  remove(due: Due): void {
    const queue = this.#queueOf(due);
    if (queue.get(due.key) === due) queue.delete(due.key);
  }

  /** Removes what would remove entries from objects of a kind, unless somebody goes on asking for that. */
  removeRemovals(kind: StatusTarget['kind']): void {
    for (const [key, { update }] of this.#changes) {
      if (update.kind === kind && update.entry === undefined) this.#changes.delete(key);
    }
  }

  /** Lets all others go first. */
  defer(due: Due): void {
    const queue = this.#queueOf(due);
    const latest = queue.get(due.key);
    if (!latest) return;
    queue.delete(due.key);
    queue.set(due.key, latest);
  }

  #queueOf({ isRenewal, abandonedBy }: Due): Map<string, Due> {
    if (abandonedBy !== undefined) return this.#abandoned;
    return isRenewal ? this.#renewals : this.#changes;
  }

  #findAbandoned(resource: string, { kind, namespace, name }: StatusTarget): void {
    const update = { kind, namespace, name, entry: undefined, current: undefined };
    for (const abandonedBy of this.#options.abandonedIn(resource)) {
      const key = `${resource}/${abandonedBy}`;
      if (this.#removed.has(key)) continue;
      this.#abandoned.set(key, { key, update, isRenewal: false, abandonedBy, look: this.#look });
    }
  }

  #compare(key: string, update: StatusUpdate, now: number): void {
    const settled = this.#settledAs(key, update, now);
    const isChange = !this.#isSame(settled ? settled.entry : update.current, update.entry);
    const isRenewal = !isChange && !settled && update.current !== undefined && this.#options.isOld(update.current);
    this.#put(this.#changes, key, isChange && { key, update, isRenewal: false, look: this.#look });
    this.#put(this.#renewals, key, isRenewal && { key, update, isRenewal, look: this.#look });
  }

  /** One that waits already keeps its place. */
  #put(queue: Map<string, Due>, key: string, due: Due | false): void {
    if (due) queue.set(key, due);
    else queue.delete(key);
  }

  #settledAs(key: string, { current }: StatusUpdate, now: number): Settled | undefined {
    const settled = this.#settled.get(key);
    if (!settled || now >= settled.until || !this.#isSame(settled.current, current)) {
      this.#settled.delete(key);
      return undefined;
    }
    settled.look = this.#look;
    return settled;
  }

  #isSame(one: Entry | undefined, other: Entry | undefined): boolean {
    if (one === other) return true;
    if (!one || !other) return false;
    if (this.#same.get(one) === other) return true;
    const isSame = isSameEntry(one, other);
    if (isSame) this.#same.set(one, other);
    return isSame;
  }
}

const resourceOf = ({ kind, namespace, name }: StatusTarget) => `${sourceResources[kind].label}/${namespace}/${name}`;
