import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { monotonicNow, sameTime, type TimeOf } from '../lib/clock.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { type PowerDNS, PowerDNSRejection } from '../powerdns/powerdns.ts';
import { type Change, canonicalAddress, deletion, replacement } from '../powerdns/rrset.ts';
import {
  afterAnswer,
  answeredNow,
  type Check,
  checkedIn,
  healthOf,
  inDoubt,
  type Looks,
  looksIn,
  type PublishedAnswer,
} from './health.ts';
import type { ClaimEntry, Health } from './status-entry.ts';

/** A claim with a name that its members share. */
export interface CheckedClaim {
  /** As `nameclaim/mail/smtp`. */
  resource: string;
  published: readonly PublishedAnswer[];
  /** Its status as the agent last saw it. */
  current: ClaimEntry | undefined;
}

export interface HealthWatchOptions {
  powerdns: Pick<PowerDNS, 'zone' | 'patch'>;
  /** A zone that is no user's. */
  zone: string;
  /** Creates it unless it exists. */
  createZone: () => Promise<void>;
  /** The content of a record that is answered with what passes: see zones/lua.ts. */
  contentOf: (type: PublishedAnswer['type'], addresses: string[], check: Check) => string;
  /** Asks PowerDNS in the pod. Throws if there is no answer, or one with an error. */
  ask: (name: string, type: PublishedAnswer['type'], transport: 'UDP' | 'TCP') => Promise<string[]>;
  failureLog: Pick<FailureLog, 'record'>;
  now?: () => number;
  timeOf?: TimeOf;
}

/** A record that shows what passes, for all claims with the same addresses and the same check. */
interface View {
  name: string;
  type: PublishedAnswer['type'];
  check: Check;
  checked: readonly string[];
  content: string;
  looks: Looks | undefined;
  /** Monotonic. */
  askedAt: number;
}

/** Between two questions for one view. With many it is longer: a turn has so many questions. */
const askMs = 2_000;
const mostQuestions = 50;
/** Answers of more addresses may not fit into a packet of 512 bytes. */
const mostInPacket = 12;
/** As PowerDNS's API has no other way to tell whose they are, their names do. */
const label = 'checks';

/** Watches which addresses of claims pass their checks. */
export class HealthWatch {
  readonly #options: Required<HealthWatchOptions>;
  /** By name. */
  #views = new Map<string, View>();
  #claims = new Map<string, { published: PublishedAnswer; view: View | undefined }[]>();
  #last: Iterable<CheckedClaim> | undefined;
  /** The names of the views in PowerDNS; undefined while that is not known. */
  #written: Set<string> | undefined;
  #version = {};

  constructor(options: HealthWatchOptions) {
    this.#options = { now: monotonicNow, timeOf: sameTime, ...options };
  }

  /** A new object after every change of what is known. */
  get version(): object {
    return this.#version;
  }

  get isWatching(): boolean {
    return this.#views.size > 0;
  }

  /** Replaces all claims; costs nothing for the same iterable. */
  update(claims: Iterable<CheckedClaim>): void {
    if (claims === this.#last) return;
    this.#last = claims;
    const views = new Map<string, View>();
    this.#claims = new Map(
      Array.from(claims, (claim) => [
        claim.resource,
        claim.published.map((published) => {
          const fresh = this.#newView(published, claim);
          const view = fresh && (views.get(fresh.name) ?? this.#views.get(fresh.name) ?? fresh);
          if (view) views.set(view.name, view);
          return { published, view };
        }),
      ]),
    );
    this.#views = views;
    this.#version = {};
  }

  /** Undefined for an address that is not checked for the claim, or not yet. */
  healthOf(resource: string, address: string): Health | undefined {
    const answers = this.#claims.get(resource) ?? [];
    const { view } = answers.find(({ published }) => published.values.includes(address)) ?? {};
    return healthOf(address, view?.looks);
  }

  /** The addresses with which a claim is answered now. */
  answersOf(resource: string): string[] {
    return (this.#claims.get(resource) ?? []).flatMap(({ published, view }) => answeredNow(published, view?.looks));
  }

  /** Publishes the views, and asks for those that are due. Call it periodically; never throws. */
  async poll(): Promise<void> {
    if (this.#views.size === 0 && this.#written?.size === 0) return;
    const failure = await this.#write().then(() => undefined, messageOf);
    this.#options.failureLog.record('publish what passes the checks of claims', failure);
    const now = this.#options.now();
    const due = [...this.#views.values()]
      .filter(({ name, askedAt }) => this.#written?.has(name) && now - askedAt >= askMs)
      .sort((a, b) => a.askedAt - b.askedAt)
      .slice(0, mostQuestions);
    await Promise.all(due.map((view) => this.#ask(view)));
  }

  /** Undefined without a check. */
  #newView(published: PublishedAnswer, { resource, current }: CheckedClaim): View | undefined {
    const { zone, contentOf, now, timeOf } = this.#options;
    const { type, answer } = published;
    if (!answer.check) return undefined;
    const checked = checkedIn(published);
    const content = contentOf(type, checked, answer.check);
    const name = `${hash('sha256', content).slice(0, 16)}.${label}.${zone}`;
    const at = timeOf(now());
    // A member that comes or goes does not make the others unknown.
    const former = this.#claims.get(resource)?.find((each) => each.published.type === type)?.view;
    const isSameCheck = former && isDeepStrictEqual(former.check, answer.check);
    const looks = isSameCheck ? inDoubt(former.looks, at) : looksIn(current, at);
    return { ...{ name, type, check: answer.check, checked, content, looks }, askedAt: Number.NEGATIVE_INFINITY };
  }

  async #write(): Promise<void> {
    const { powerdns, zone, createZone } = this.#options;
    const written = this.#written ?? (await this.#readNames());
    this.#written = written;
    const views = this.#views;
    const missing = [...views.values()].filter(({ name }) => !written.has(name));
    const unneeded = [...written].filter((name) => !views.has(name));
    if (missing.length === 0 && unneeded.length === 0) return;
    const changes: Change[] = [
      ...missing.map(({ name, content }) => replacement({ name, type: 'LUA', ttl: 0, records: [content] })),
      ...unneeded.map((name) => deletion({ name, type: 'LUA' })),
    ];
    await powerdns.patch({ id: zone }, changes).catch(async (error) => {
      if (!isMissing(error)) throw error;
      await createZone();
      await powerdns.patch({ id: zone }, changes);
    });
    this.#written = new Set(views.keys());
  }

  /** Those of an agent before this one, too. */
  async #readNames(): Promise<Set<string>> {
    const { powerdns, zone } = this.#options;
    try {
      const { rrsets } = await powerdns.zone({ id: zone, name: zone });
      const names = rrsets.filter(({ name, type }) => type === 'LUA' && name.endsWith(`.${label}.${zone}`));
      return new Set(names.map(({ name }) => name));
    } catch (error) {
      if (isMissing(error)) return new Set();
      throw error;
    }
  }

  async #ask(view: View): Promise<void> {
    const { ask, now, timeOf } = this.#options;
    const { name, type, check, checked } = view;
    view.askedAt = now();
    try {
      const answers = await ask(name, type, checked.length > mostInPacket ? 'TCP' : 'UDP');
      const passing = new Set(answers.map(canonicalAddress));
      this.#learn(view, afterAnswer(view.looks, { checked, passing, check, at: timeOf(now()) }));
    } catch {
      this.#learn(view, inDoubt(view.looks, timeOf(now())));
      // With the database PowerDNS may have lost the record.
      this.#written = undefined;
    }
  }

  #learn(view: View, looks: Looks | undefined): void {
    if (looks === view.looks) return;
    view.looks = looks;
    this.#version = {};
  }
}

const isMissing = (error: unknown) => error instanceof PowerDNSRejection && error.status === 404;
