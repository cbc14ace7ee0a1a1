import { monotonicNow } from '../lib/clock.ts';
import { RateLimit } from '../lib/rate-limit.ts';
import { roundRobin } from '../lib/round-robin.ts';
import { type AddressLookup, addressLookup } from './address-lookup.ts';
import {
  addressesOf,
  afterAnswer,
  type HostNameAddresses,
  type HostNameState,
  intervalAfter,
  unknownHostName,
} from './host-name-state.ts';

/** What host names stand for. A new object after each change of that. */
export interface HostNameTable {
  /** Undefined if the absolute name is not followed. */
  get(name: string): HostNameAddresses | undefined;
  /** Whether no more names are followed. */
  readonly isFull: boolean;
}

/** Host names that objects have as targets. */
export interface HostNameTargets {
  readonly table: HostNameTable;
  /**
   * Sets the absolute names that an owner needs, the most important ones first. The first ones of an owner may have been
   * published before.
   */
  follow(owner: string, names: ReadonlySet<string>): void;
  /** Keeps the names of these owners only. */
  retain(owners: ReadonlySet<string>): void;
}

export interface HostNamesOptions {
  lookUp?: AddressLookup;
  /** Other addresses are to be published. */
  onChange?: () => void;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** The maximum number of names that are followed. */
export const mostHostNames = 1_000;

// Users choose the names and who answers for them, so neither may determine the load on the resolver, or delay others.
const limits = {
  /** Names that are resolved at the same time. */
  concurrency: {
    all: 100,
    /** Of these, those that have not been resolved before. Nobody may answer for them. */
    new: 80,
    /** Those that failed the last time. */
    failing: 16,
  },
  /** Each name is two queries. */
  perSecond: 50,
};

interface Entry {
  state: HostNameState;
  addresses: HostNameAddresses;
  /** Whether records may have been published for the name before this agent has resolved it. */
  isInherited: boolean;
  /** When to resolve the name again. */
  dueAt: number;
  isResolving: boolean;
}

/** Follows the addresses of host names. */
export class HostNames implements HostNameTargets {
  readonly #lookUp: AddressLookup;
  readonly #onChange: () => void;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #owners = new Map<string, ReadonlySet<string>>();
  #table: HostNameTable | undefined;
  readonly #resolving = { all: 0, new: 0, known: 0, failing: 0 };
  readonly #rate = new RateLimit(limits.perSecond);

  constructor({ lookUp = addressLookup(), onChange = () => {}, now = monotonicNow }: HostNamesOptions = {}) {
    this.#lookUp = lookUp;
    this.#onChange = onChange;
    this.#now = now;
  }

  get table(): HostNameTable {
    this.#table ??= this.#newTable();
    return this.#table;
  }

  /** The number of names that are followed. */
  get size(): number {
    return this.#entries.size;
  }

  /** The number of names that are followed, and of those that the resolver fails for. */
  get counts(): { followed: number; failing: number } {
    const failing = [...this.#entries.values()].filter(({ state }) => state.failures > 0);
    return { followed: this.#entries.size, failing: failing.length };
  }

  follow(owner: string, names: ReadonlySet<string>): void {
    const isInherited = !this.#owners.has(owner);
    this.#owners.set(owner, names);
    const needed = this.#dropUnneeded();
    for (const name of needed) if (!this.#entries.has(name)) this.#add(name, isInherited);
  }

  retain(owners: ReadonlySet<string>): void {
    for (const owner of this.#owners.keys()) if (!owners.has(owner)) this.#owners.delete(owner);
    this.#dropUnneeded();
  }

  /** Starts to resolve names that are due, as far as the limits allow. Call it periodically. */
  resolveDue(): void {
    const now = this.#now();
    const due = [...this.#entries].filter(([, { isResolving, dueAt }]) => !isResolving && dueAt <= now);
    for (const [name, entry] of due.sort(([, a], [, b]) => a.dueAt - b.dueAt)) {
      if (this.#resolving.all >= limits.concurrency.all || this.#rate.isReached(now)) return;
      const kind = kindOf(entry);
      if (kind !== 'known' && this.#resolving[kind] >= limits.concurrency[kind]) continue;
      this.#rate.count(now);
      void this.#resolve(name, entry);
    }
  }

  async #resolve(name: string, entry: Entry): Promise<void> {
    const kind = kindOf(entry);
    entry.isResolving = true;
    this.#resolving.all += 1;
    this.#resolving[kind] += 1;
    const answer = await this.#lookUp(name);
    this.#resolving.all -= 1;
    this.#resolving[kind] -= 1;
    entry.isResolving = false;
    entry.state = afterAnswer(entry.state, answer);
    entry.dueAt = this.#now() + intervalAfter(entry.state, answer);
    const addresses = addressesOf(entry.state, entry.isInherited);
    if (JSON.stringify(addresses) === JSON.stringify(entry.addresses)) return;
    entry.addresses = addresses;
    if (this.#entries.get(name) !== entry) return;
    this.#table = undefined;
    this.#onChange();
  }

  #add(name: string, isInherited: boolean): void {
    const addresses = addressesOf(unknownHostName, isInherited);
    this.#entries.set(name, { state: unknownHostName, addresses, isInherited, dueAt: this.#now(), isResolving: false });
    this.#table = undefined;
  }

  /** Returns the names that stay or are to be added. */
  #dropUnneeded(): ReadonlySet<string> {
    const needed = new Set([...roundRobin<string>(this.#owners.values())].slice(0, mostHostNames));
    for (const name of this.#entries.keys()) {
      if (needed.has(name)) continue;
      this.#entries.delete(name);
      this.#table = undefined;
    }
    return needed;
  }

  #newTable(): HostNameTable {
    const addresses = new Map([...this.#entries].map(([name, entry]) => [name, entry.addresses]));
    return { get: (name) => addresses.get(name), isFull: addresses.size >= mostHostNames };
  }
}

function kindOf({ state }: Entry): 'new' | 'known' | 'failing' {
  if (state === unknownHostName) return 'new';
  return state.failures > 0 ? 'failing' : 'known';
}
