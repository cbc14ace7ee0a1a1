import type { Logger } from 'pino';
import type { Database } from './database.ts';
import { type Declaration, declaration as declarationSchema, hashOf } from './declaration.ts';
import { type Endpoint, type EndpointChanges, endpointOf, rrsetOf } from './endpoint.ts';
import { judge, type Refusal, standingRRsets, type Verdict } from './judge.ts';
import { reconcile } from './reconcile.ts';
import type { Report, ZoneReport } from './report.ts';
import { absolute, answersAlike, type Change, ownershipOf, withoutDot, type Zone, zoneOf } from './zone.ts';

export interface AgentOptions {
  database: Database;
  /** Whether a zone's SOA is answered over DNS. */
  answers: (zone: string) => Promise<boolean>;
  log: Logger;
  now?: () => number;
}

/** How long PowerDNS may be silent, as in a restart, before a zone that was served counts as failed. Milliseconds. */
const patienceMs = 10_000;

/**
 * PowerDNS's only writer: it holds what is declared, hears what is wanted, and brings the zones there. Every method
 * fails while PowerDNS does not answer, and leaves nothing half-done: each zone changes in one transaction.
 */
export class Agent {
  readonly #options: Required<AgentOptions>;
  #declared: { hash: string; declaration: Declaration } | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #zones: ZoneReport[] = [];
  #reconciled: { hash: string; at: number } | undefined;
  #verdict: Verdict = { accepted: [], refused: [] };
  #refusals: Refusal[] = [];
  #heardAt: number | undefined;
  #synced = false;
  #wasReady = false;
  /** Set by the edge that grows the claim. */
  storage: string | undefined;

  constructor(options: AgentOptions) {
    this.#options = { now: Date.now, ...options };
  }

  get declaration(): Declaration | undefined {
    return this.#declared?.declaration;
  }

  /** Takes over a declaration; true if it is another one than before. Throws on a text that is none. */
  declare(text: string): boolean {
    const hash = hashOf(text);
    if (hash === this.#declared?.hash) return false;
    this.#declared = { hash, declaration: declarationSchema.parse(JSON.parse(text)) };
    return true;
  }

  /** Brings the zones to what is declared. */
  reconcile(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#declared) return;
      const { hash, declaration } = this.#declared;
      try {
        this.#zones = await this.#reconcileZones(declaration);
        this.#reconciled = { hash, at: this.#options.now() };
      } catch (error) {
        this.#fail(declaration, messageOf(error));
        throw error;
      }
    });
  }

  /** What ExternalDNS may change: the records that it made. */
  records(): Promise<Endpoint[]> {
    return this.#inTurn(async () => {
      const { declaration } = this.#served();
      // A second loop begins, so the one before has ended: whatever it wanted was done.
      if (this.#heardAt !== undefined) this.#synced = true;
      return standingRRsets(await this.#options.database.zones(), declaration).map(endpointOf);
    });
  }

  /** The verdict on everything that is wanted. */
  adjust(wanted: Endpoint[]): Promise<Endpoint[]> {
    return this.#inTurn(async () => {
      const { declaration } = this.#served();
      const zones = await this.#options.database.zones();
      const verdict = judge(wanted, zones, declaration, this.#refusals);
      this.#announce(verdict);
      this.#heardAt = this.#options.now();
      const standing = standingRRsets(zones, declaration);
      this.#synced ||=
        standing.length === verdict.accepted.length &&
        verdict.accepted.every((a) => standing.some((s) => answersAlike(s, a)));
      return verdict.accepted.map(endpointOf);
    });
  }

  /** Applies what ExternalDNS makes of the verdict: one transaction a zone. */
  apply({ create, updateNew, delete: deleted }: EndpointChanges): Promise<void> {
    return this.#inTurn(async () => {
      const { declaration } = this.#served();
      const ownerID = declaration.discovery?.ownerID ?? '';
      const zones = await this.#options.database.zones();
      const wanted = [...(create ?? []), ...(updateNew ?? [])].map((endpoint) => rrsetOf(endpoint, ownerID));
      const kept = new Set(wanted.map(({ name, type }) => `${name} ${type}`));
      const changes: Change[] = [
        ...(deleted ?? [])
          .map((endpoint) => rrsetOf(endpoint, ownerID))
          .filter(({ name, type }) => !kept.has(`${name} ${type}`))
          .map(({ name, type }): Change => ({ action: 'delete', rrset: { name, type } })),
        ...wanted.map((rrset): Change => ({ action: 'replace', rrset })),
      ];
      const declared = zones.filter((zone) => declaration.zones.some((z) => absolute(z.name) === zone.name));
      for (const [zone, ofZone] of Map.groupBy(changes, (change) => zoneOf(change.rrset.name, declared))) {
        if (zone) await this.#applyDiscovered(zone, ofZone);
      }
      this.#synced = true;
    });
  }

  /** What to say of it all; nothing before there is anything to say. */
  report(): Report | undefined {
    if (!this.#declared) return undefined;
    const { discovery, zones } = this.#declared.declaration;
    return {
      declaration: this.#declared.hash,
      zones:
        this.#reconciled?.hash === this.#declared.hash
          ? this.#zones
          : zones.map(({ name }) => this.#zones.find((z) => z.name === name) ?? { name, state: 'Pending' }),
      discovery: {
        state: discovery ? this.#discoveryState(discovery.intervalSeconds) : 'Off',
        refused: this.#verdict.refused.slice(0, 20).map(({ name, resource, message }) => ({
          name: name.slice(0, 255),
          resource: resource.slice(0, 400),
          message: message.slice(0, 500),
        })),
      },
      ...(this.storage && { storage: this.storage }),
    };
  }

  /** Whether the pod may be asked: everything declared answers and everything wanted was published once. Stays true. */
  get isReady(): boolean {
    const report = this.report();
    this.#wasReady ||=
      report !== undefined &&
      this.#reconciled?.hash === report.declaration &&
      report.zones.every(({ state }) => state === 'Serving' || state === 'Retained') &&
      (report.discovery.state === 'Off' || report.discovery.state === 'Synced');
    return this.#wasReady;
  }

  async #reconcileZones(declaration: Declaration): Promise<ZoneReport[]> {
    const { database, log } = this.#options;
    const zones = await database.zones();
    const { create, patch, remove, retained } = reconcile(declaration, zones);
    const failures = new Map<string, string>();
    const attempt = async (name: string, action: string, work: () => Promise<string | undefined>) => {
      const failure = await work().catch((error) => rejectionMessage(error));
      if (failure) failures.set(name, failure);
      log[failure ? 'warn' : 'info']({ zone: withoutDot(name), ...(failure && { failure }) }, action);
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
      declaration.zones.map(async ({ name }): Promise<ZoneReport> => {
        const message = failures.get(absolute(name));
        if (message) return { name, state: 'Failed', message: message.slice(0, 500) };
        return { name, state: (await this.#options.answers(name)) ? 'Serving' : 'Pending' };
      }),
    );
    const kept = retained.map(
      ({ name, message }): ZoneReport => ({ name: withoutDot(name), state: 'Retained', message }),
    );
    return [...declared, ...kept.slice(0, 32)];
  }

  async #applyDiscovered(zone: Zone, changes: Change[]): Promise<void> {
    const allowed = changes.filter(({ rrset }) => {
      const present = zone.rrsets.find((r) => r.name === rrset.name && r.type === rrset.type);
      return !present || ownershipOf(present) === 'discovered';
    });
    const rejected = await this.#options.database.apply(zone, allowed);
    for (const { change, message } of rejected) {
      if (change.action === 'delete') continue;
      const { rrset } = change;
      const beside = zone.rrsets.filter((r) => r.name === rrset.name);
      this.#refusals = [...this.#refusals.filter((r) => !answersAlike(r.rrset, rrset)), { rrset, beside, message }];
    }
    this.#options.log.info(
      { zone: withoutDot(zone.name), changes: allowed.length, refused: rejected.length },
      'apply discovered records',
    );
  }

  /** Remembers a verdict and logs what is new in it. */
  #announce(verdict: Verdict): void {
    const before = new Set(this.#verdict.refused.map((r) => JSON.stringify(r)));
    for (const refusal of verdict.refused) {
      if (!before.has(JSON.stringify(refusal))) this.#options.log.warn(refusal, 'leave a name out');
    }
    const names = new Set(verdict.refused.map((r) => absolute(r.name)));
    this.#refusals = this.#refusals.filter(({ rrset }) => names.has(rrset.name));
    this.#verdict = verdict;
  }

  #fail(declaration: Declaration, message: string): void {
    if (this.#reconciled && this.#options.now() - this.#reconciled.at < patienceMs) return;
    this.#zones = declaration.zones.map(({ name }) => ({
      name,
      state: this.#reconciled ? 'Failed' : 'Pending',
      message: `PowerDNS does not answer: ${message}`.slice(0, 500),
    }));
  }

  #discoveryState(intervalSeconds: number): Report['discovery']['state'] {
    if (this.#heardAt === undefined) return 'Waiting';
    const silentMs = this.#options.now() - this.#heardAt;
    if (silentMs > Math.max(30_000, intervalSeconds * 10_000)) return 'Stalled';
    return this.#synced ? 'Synced' : 'Waiting';
  }

  /** The declaration, once its zones are there: before that a wish would be judged against nothing. */
  #served(): { declaration: Declaration } {
    if (!this.#declared || !this.#reconciled) throw new Error('the declared zones are not there yet');
    return this.#declared;
  }

  /** One at a time: whoever judges and writes sees zones that nobody else is changing. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

function rejectionMessage(error: unknown): string {
  if (error instanceof Error && 'status' in error) return error.message;
  throw error;
}

/** Why a call failed: fetch hides it in the cause. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
