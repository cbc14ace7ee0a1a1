import type { Resolver } from 'node:dns/promises';
import { withoutDot } from '../../dns/name.ts';
import { RateLimit } from '../lib/rate-limit.ts';
import { podResolver } from './pod-resolver.ts';

/** Whether a name outside the zones has addresses. `Failed`: the resolver answers SERVFAIL. */
export type OutOfZoneState = 'Addresses' | 'NoAddress' | 'Absent' | 'Failed';

/** What is known of names outside the zones. */
export interface OutOfZoneNames {
  /** Changes with every state. */
  readonly version: number;
  /** Undefined if unknown, as while the resolver does not answer. */
  stateOf(name: string): OutOfZoneState | undefined;
  /** Sets the names to resolve, all absolute, and drops all others. */
  watch(names: ReadonlySet<string>): void;
}

export interface OutOfZoneResolverOptions {
  /** By default the servers in /etc/resolv.conf. */
  resolver?: Pick<Resolver, 'resolve4' | 'resolve6' | 'resolveNs'>;
  /** Milliseconds of a monotonic clock. */
  now?: () => number;
}

// Users choose the names and their number, so the load on the resolver must not depend on them.
const limits = {
  /** Names beyond these are not resolved. */
  names: 2_000,
  concurrency: 4,
  perSecond: 10,
};

/** How long an answer is kept. Milliseconds. */
const lifetimes = {
  least: 30_000,
  most: 600_000,
  /** Of a negative answer, about as long as resolvers cache it (RFC 2308 section 5). */
  negative: 30_000,
  /** Until a query without an answer is repeated. */
  unknown: 15_000,
};

interface Entry {
  state?: OutOfZoneState;
  /** When to resolve the name again. */
  dueAt: number;
  isResolving?: boolean;
  /** The number of consecutive SERVFAILs. */
  failures: number;
}

interface Answer {
  state: OutOfZoneState;
  /** Milliseconds. */
  lifetime: number;
}

/** Resolves names outside the zones with the pod's resolver, at a limited rate, and caches the results. */
export class OutOfZoneResolver implements OutOfZoneNames {
  readonly #resolver: NonNullable<OutOfZoneResolverOptions['resolver']>;
  readonly #now: () => number;
  /** The entry that has waited longest comes first. */
  readonly #entries = new Map<string, Entry>();
  #version = 0;
  #resolving = 0;
  readonly #rate = new RateLimit(limits.perSecond);
  /** Whether the resolver answers at all. */
  #reachable: { answer: Promise<boolean>; until: number } | undefined;

  constructor({ resolver = podResolver(), now = () => performance.now() }: OutOfZoneResolverOptions = {}) {
    this.#resolver = resolver;
    this.#now = now;
  }

  /** The number of names that are resolved. */
  get size(): number {
    return this.#entries.size;
  }

  get version(): number {
    return this.#version;
  }

  stateOf(name: string): OutOfZoneState | undefined {
    return this.#entries.get(name)?.state;
  }

  watch(names: ReadonlySet<string>): void {
    for (const name of this.#entries.keys()) if (!names.has(name)) this.#entries.delete(name);
    for (const name of names) {
      if (this.#entries.size >= limits.names) return;
      if (!this.#entries.has(name)) this.#entries.set(name, { dueAt: 0, failures: 0 });
    }
  }

  /** Resolves names that are due, as far as the limits allow. Call it periodically; never throws. */
  async resolveDue(): Promise<void> {
    const now = this.#now();
    const started: Promise<void>[] = [];
    for (const [name, entry] of this.#entries) {
      if (this.#resolving >= limits.concurrency || this.#rate.isReached(now)) break;
      if (entry.isResolving || entry.dueAt > now) continue;
      this.#rate.count(now);
      started.push(this.#resolve(name, entry));
    }
    await Promise.all(started);
  }

  async #resolve(name: string, entry: Entry): Promise<void> {
    this.#resolving += 1;
    entry.isResolving = true;
    const answer = await this.#query(name).finally(() => {
      this.#resolving -= 1;
      entry.isResolving = false;
    });
    entry.failures = answer?.state === 'Failed' ? entry.failures + 1 : 0;
    // A single SERVFAIL may be a packet lost upstream.
    const isKnown = answer !== undefined && (answer.state !== 'Failed' || entry.failures > 1);
    entry.dueAt = this.#now() + (isKnown ? answer.lifetime : lifetimes.unknown);
    // Moves to the end, so that new names cannot starve the others.
    if (this.#entries.get(name) === entry && this.#entries.delete(name)) this.#entries.set(name, entry);
    if (!isKnown || entry.state === answer.state) return;
    entry.state = answer.state;
    this.#version += 1;
  }

  /** Undefined if no server answers. */
  async #query(name: string): Promise<Answer | undefined> {
    const hostname = withoutDot(name);
    const read = async (response: Promise<{ ttl: number }[]>): Promise<Answer> => {
      const ttls = (await response).map(({ ttl }) => ttl * 1_000);
      const lifetime = Math.min(lifetimes.most, Math.max(lifetimes.least, ...ttls));
      return { state: ttls.length > 0 ? 'Addresses' : 'NoAddress', lifetime };
    };
    const ipv4 = await read(this.#resolver.resolve4(hostname, { ttl: true })).catch((error) => this.#readError(error));
    if (ipv4?.state !== 'NoAddress') return ipv4;
    return read(this.#resolver.resolve6(hostname, { ttl: true })).catch((error) => this.#readError(error));
  }

  /** https://nodejs.org/docs/latest-v24.x/api/dns.html#error-codes */
  async #readError({ code }: NodeJS.ErrnoException): Promise<Answer | undefined> {
    if (code === 'ENOTFOUND') return { state: 'Absent', lifetime: lifetimes.negative };
    if (code === 'ENODATA') return { state: 'NoAddress', lifetime: lifetimes.negative };
    // A resolver without an upstream answers SERVFAIL for every name.
    if (code === 'ESERVFAIL' && (await this.#canResolveRoot()))
      return { state: 'Failed', lifetime: lifetimes.negative };
    return undefined;
  }

  #canResolveRoot(): Promise<boolean> {
    const now = this.#now();
    if (!this.#reachable || this.#reachable.until < now) {
      const isAnswer = ({ code }: NodeJS.ErrnoException) => code === 'ENOTFOUND' || code === 'ENODATA';
      const answer = this.#resolver.resolveNs('.').then(() => true, isAnswer);
      this.#reachable = { answer, until: now + lifetimes.unknown };
    }
    return this.#reachable.answer;
  }
}
