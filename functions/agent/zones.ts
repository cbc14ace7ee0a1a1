import type { Logger } from 'pino';
import { Complaints } from './complaints.ts';
import type { Database } from './database.ts';
import type { Declaration } from './declaration.ts';
import { messageOf } from './failure.ts';
import { Rejection } from './powerdns.ts';
import { reconcile } from './reconcile.ts';
import type { ZoneReport } from './report.ts';
import { absolute, withoutDot, type Zone } from './zone.ts';

export interface ZonesOptions {
  database: Pick<Database, 'zones' | 'create' | 'apply' | 'remove'>;
  /** Whether a zone's SOA is answered over DNS. */
  answers: (zone: string) => Promise<boolean>;
  log: Logger;
  now: () => number;
}

/** How long PowerDNS may be silent, as in a restart, before a zone counts as failed. Milliseconds. */
const patienceMs = 10_000;

/** A declaration, and the hash of its text. */
export interface Declared {
  hash: string;
  declaration: Declaration;
}

/** The declared zones: it brings PowerDNS to them, and says how they are. */
export class Zones {
  readonly #options: ZonesOptions;
  readonly #complaints: Complaints;
  /** What the zones were last brought to. */
  #reconciled: Declared | undefined;
  #reported: { hash: string; reports: ZoneReport[] } | undefined;
  #reachedAt: number;
  #silentSince = new Map<string, number>();
  /** What PowerDNS had against a zone, by its absolute name. */
  #failures = new Map<string, string>();

  constructor(options: ZonesOptions) {
    this.#options = options;
    this.#complaints = new Complaints(options.log);
    this.#reachedAt = options.now();
  }

  /** How the zones are, and of which declaration that is said: of a new one not before the zones follow it. */
  get reported(): { hash: string; reports: ZoneReport[] } | undefined {
    return this.#reported;
  }

  async reconcile(declared: Declared): Promise<void> {
    try {
      const reports = await this.#bringTo(declared.declaration);
      this.#reported = { hash: declared.hash, reports };
      this.#reconciled = declared;
      this.#reachedAt = this.#options.now();
    } catch (error) {
      this.#fail(declared, messageOf(error));
      throw error;
    }
  }

  /**
   * The zones as they are, and the declaration that they were last brought to. Fails while a declared one is missing:
   * a wish for a name in it would be judged against nothing.
   */
  async present(): Promise<{ declaration: Declaration; zones: Zone[] }> {
    if (!this.#reconciled) throw new Error('the declared zones are not there yet');
    const { declaration } = this.#reconciled;
    const zones = await this.#options.database.zones();
    const there = new Set(zones.map(({ name }) => name));
    const lost = declaration.zones.find(
      ({ name }) => !there.has(absolute(name)) && !this.#failures.has(absolute(name)),
    );
    if (lost) throw new Error(`the zone ${lost.name} is not there`);
    return { declaration, zones };
  }

  async #bringTo(declaration: Declaration): Promise<ZoneReport[]> {
    const { database } = this.#options;
    const { create, patch, remove, retained } = reconcile(declaration, await database.zones());
    const failures = new Map<string, string>();
    const attempt = async (name: string, action: string, work: () => Promise<string | undefined>) => {
      const failure = await work().catch(wordsOf);
      this.#complaints.note(action, failure, { zone: withoutDot(name) });
      if (failure) failures.set(name, failure);
      else this.#options.log.info({ zone: withoutDot(name) }, action);
    };
    for (const { name, rrsets } of create) {
      await attempt(name, 'create zone', () => database.create(name, rrsets).then(() => undefined));
    }
    for (const { zone, changes } of patch) {
      await attempt(zone.name, 'repair zone', async () => (await database.apply(zone, changes))[0]?.message);
    }
    for (const zone of remove) {
      await attempt(zone.name, 'remove zone', () => database.remove(zone).then(() => undefined));
    }
    const declared = await Promise.all(
      declaration.zones.map(({ name }) => this.#report(name, failures.get(absolute(name)))),
    );
    const names = new Set(declaration.zones.map(({ name }) => name));
    this.#silentSince = new Map([...this.#silentSince].filter(([name]) => names.has(name)));
    this.#failures = failures;
    const kept = retained.map(
      ({ name, message }): ZoneReport => ({ name: withoutDot(name), state: 'Retained', message }),
    );
    return [...declared, ...kept.slice(0, 32)];
  }

  async #report(name: string, failure: string | undefined): Promise<ZoneReport> {
    if (failure) return { name, state: 'Failed', message: failure.slice(0, 500) };
    if (await this.#options.answers(name)) {
      this.#silentSince.delete(name);
      return { name, state: 'Serving' };
    }
    const now = this.#options.now();
    const since = this.#silentSince.get(name) ?? now;
    this.#silentSince.set(name, since);
    if (now - since >= patienceMs) {
      const message = 'PowerDNS has the zone, and does not answer for it: see the log of the container powerdns';
      return { name, state: 'Failed', message };
    }
    const wasServing = this.#reported?.reports.some((z) => z.name === name && z.state === 'Serving');
    return { name, state: wasServing ? 'Serving' : 'Pending' };
  }

  #fail({ hash, declaration }: Declared, failure: string): void {
    if (this.#options.now() - this.#reachedAt < patienceMs) return;
    const message = `PowerDNS cannot be used (${failure}): see the log of the container powerdns`.slice(0, 500);
    this.#reported = { hash, reports: declaration.zones.map(({ name }) => ({ name, state: 'Failed', message })) };
  }
}

/** What PowerDNS has against one zone's change; whatever else fails, fails for all zones. */
function wordsOf(error: unknown): string {
  if (error instanceof Rejection && error.isFault) return error.message;
  throw error;
}
