import { Resolver } from 'node:dns/promises';
import { withoutDot } from '../../dns/name.ts';
import type { OutOfZoneNames, OutOfZoneState } from './out-of-zone-names.ts';

export interface OutOfZoneResolverOptions {
  /** Whom to ask; by default whom /etc/resolv.conf names. */
  resolver?: Pick<Resolver, 'resolve4' | 'resolve6' | 'resolveNs'>;
  /** Milliseconds of a clock that nobody sets. */
  now?: () => number;
}

// Objects choose the names, and how many: none of that is to be work for anybody else.
const bounds = {
  /** Of more names nothing is known. */
  names: 2_000,
  /** Names that are asked for at a time, and begun in a second. */
  atOnce: 4,
  perSecond: 10,
};

/** How long an answer holds. Milliseconds. */
const lives = {
  least: 30_000,
  most: 600_000,
  /** That there is none: resolvers remember it for about as long (RFC 2308 section 5). */
  negative: 30_000,
  /** Until a question without an answer is asked again. */
  unknown: 15_000,
};

interface Known {
  state?: OutOfZoneState;
  /** When to ask again. */
  dueAt: number;
  isAsked?: boolean;
  /** How often it was SERVFAIL in a row. */
  failures: number;
}

/** What a question came to, and for how many milliseconds that holds. */
interface Answer {
  state: OutOfZoneState;
  life: number;
}

/** Asks the pod's resolver for names that are in none of the zones, slowly, and keeps what it says. */
export class OutOfZoneResolver implements OutOfZoneNames {
  readonly #resolver: NonNullable<OutOfZoneResolverOptions['resolver']>;
  readonly #now: () => number;
  readonly #names = new Map<string, Known>();
  #version = 0;
  #asking = 0;
  #begun = { second: 0, count: 0 };
  /** Whether the resolver answers at all, and until when that holds. */
  #isThere: { answer: Promise<boolean>; until: number } | undefined;

  constructor({
    resolver = new Resolver({ timeout: 2_000, tries: 2 }),
    now = () => performance.now(),
  }: OutOfZoneResolverOptions = {}) {
    this.#resolver = resolver;
    this.#now = now;
  }

  get version(): number {
    return this.#version;
  }

  of(name: string): OutOfZoneState | undefined {
    return this.#names.get(name)?.state;
  }

  follow(names: ReadonlySet<string>): void {
    for (const name of this.#names.keys()) if (!names.has(name)) this.#names.delete(name);
    for (const name of names) {
      if (this.#names.size >= bounds.names) return;
      if (!this.#names.has(name)) this.#names.set(name, { dueAt: 0, failures: 0 });
    }
  }

  /** Asks for what is due, as far as it may by now. To be called again and again; nothing is thrown. */
  async look(): Promise<void> {
    const now = this.#now();
    const second = Math.floor(now / 1_000);
    if (this.#begun.second !== second) this.#begun = { second, count: 0 };
    const asked: Promise<void>[] = [];
    for (const [name, known] of this.#names) {
      if (this.#asking >= bounds.atOnce || this.#begun.count >= bounds.perSecond) break;
      if (known.isAsked || known.dueAt > now) continue;
      this.#begun.count += 1;
      asked.push(this.#ask(name, known));
    }
    await Promise.all(asked);
  }

  async #ask(name: string, known: Known): Promise<void> {
    this.#asking += 1;
    known.isAsked = true;
    const answer = await this.#answerFor(name).finally(() => {
      this.#asking -= 1;
      known.isAsked = false;
    });
    known.failures = answer?.state === 'Failed' ? known.failures + 1 : 0;
    // One that failed may have been lost on its way.
    const isKnown = answer !== undefined && (answer.state !== 'Failed' || known.failures > 1);
    known.dueAt = this.#now() + (isKnown ? answer.life : lives.unknown);
    // Who is due first comes first: nobody waits for ever behind those that are new.
    if (this.#names.get(name) === known && this.#names.delete(name)) this.#names.set(name, known);
    if (!isKnown || known.state === answer.state) return;
    known.state = answer.state;
    this.#version += 1;
  }

  /** Undefined when nobody answers. */
  async #answerFor(name: string): Promise<Answer | undefined> {
    const asked = withoutDot(name);
    const addresses = async (resolve: Promise<{ ttl: number }[]>): Promise<Answer> => {
      const ttls = (await resolve).map(({ ttl }) => ttl * 1_000);
      const life = Math.min(lives.most, Math.max(lives.least, ...ttls));
      return { state: ttls.length > 0 ? 'Addresses' : 'NoAddress', life };
    };
    const ipv4 = await addresses(this.#resolver.resolve4(asked, { ttl: true })).catch((error) => this.#meaning(error));
    if (ipv4?.state !== 'NoAddress') return ipv4;
    return addresses(this.#resolver.resolve6(asked, { ttl: true })).catch((error) => this.#meaning(error));
  }

  /** https://nodejs.org/docs/latest-v24.x/api/dns.html#error-codes */
  async #meaning({ code }: NodeJS.ErrnoException): Promise<Answer | undefined> {
    if (code === 'ENOTFOUND') return { state: 'Absent', life: lives.negative };
    if (code === 'ENODATA') return { state: 'NoAddress', life: lives.negative };
    // A resolver that is cut off says so of every name.
    if (code === 'ESERVFAIL' && (await this.#answersRoot())) return { state: 'Failed', life: lives.negative };
    return undefined;
  }

  #answersRoot(): Promise<boolean> {
    const now = this.#now();
    if (!this.#isThere || this.#isThere.until < now) {
      const isAnswer = ({ code }: NodeJS.ErrnoException) => code === 'ENOTFOUND' || code === 'ENODATA';
      const answer = this.#resolver.resolveNs('.').then(() => true, isAnswer);
      this.#isThere = { answer, until: now + lives.unknown };
    }
    return this.#isThere.answer;
  }
}
