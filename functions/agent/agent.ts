import type { Logger } from 'pino';
import { absolute, withoutDot, zoneOf } from '../dns/name.ts';
import { declaration as declarationSchema, hashOf } from './declaration.ts';
import { type Endpoint, type EndpointChanges, endpointOf, rrsetOf } from './discovery/endpoint.ts';
import { judge, type Refusal, type Refused, standingRRsets } from './discovery/judge.ts';
import { parse } from './parse.ts';
import { isServing, type Report } from './report.ts';
import { answerOf, type Change, deletion, ownershipOf, replacement, type Zone } from './zone.ts';
import type { ZoneFiles } from './zone-file.ts';
import { type Declared, Zones, type ZonesOptions } from './zones.ts';

export type AgentOptions = Omit<ZonesOptions, 'now'> & { now?: () => number };

/**
 * PowerDNS's only writer: it holds what is declared, hears what is wanted, and brings the zones there. Every method
 * fails while PowerDNS does not answer, and leaves nothing half-done: each zone changes in one transaction.
 */
export class Agent {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #database: AgentOptions['database'];
  readonly #zones: Zones;
  #declared: Declared | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Wishes that are not published, by what they would answer. */
  #refused = new Map<string, Refused>();
  /** Those of them that PowerDNS refused. */
  #refusals = new Map<string, Refusal>();
  #heardAt: number | undefined;
  #hasJudged = false;
  #isSynced = false;
  #wasReady = false;
  /** Set by the edge that grows the claim. */
  storage: string | undefined;

  constructor({ now = Date.now, ...options }: AgentOptions) {
    this.#log = options.log;
    this.#now = now;
    this.#database = options.database;
    this.#zones = new Zones({ now, ...options });
  }

  get declaration(): Declared['declaration'] | undefined {
    return this.#declared?.declaration;
  }

  /** Takes over a declaration; true if it is another one than before. Throws on a text that is none. */
  declare(text: string): boolean {
    const hash = hashOf(text);
    if (hash === this.#declared?.hash) return false;
    const files = this.#declared?.files ?? new Map();
    this.#declared = { hash, declaration: parse(text, declarationSchema), files };
    return true;
  }

  /** Takes over the zone files as they are now. */
  takeFiles(files: ZoneFiles): void {
    if (this.#declared) this.#declared = { ...this.#declared, files: new Map(files) };
  }

  /** Brings the zones to what is declared. */
  reconcile(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#declared) await this.#zones.reconcile(this.#declared);
    });
  }

  /** What ExternalDNS may change: the records that it made. */
  records(): Promise<Endpoint[]> {
    this.#heardAt = this.#now();
    return this.#inTurn(async () => {
      const { declaration, zones } = await this.#zones.present();
      // A second loop begins, so the one before has ended, and needed no change.
      if (this.#hasJudged) this.#isSynced = true;
      return standingRRsets(zones, declaration).map(endpointOf);
    });
  }

  /** The verdict on everything that is wanted. */
  adjust(wanted: Endpoint[]): Promise<Endpoint[]> {
    this.#heardAt = this.#now();
    return this.#inTurn(async () => {
      const { declaration, zones } = await this.#zones.present();
      const { accepted, refused } = judge(wanted, zones, declaration, this.#refusals);
      this.#remember(refused);
      this.#hasJudged = true;
      if (!this.#isSynced) {
        const standing = new Set(standingRRsets(zones, declaration).map(answerOf));
        this.#isSynced = standing.size === accepted.length && accepted.every((a) => standing.has(answerOf(a)));
      }
      return accepted.map(endpointOf);
    });
  }

  /** Applies what ExternalDNS makes of the verdict: one transaction a zone. */
  apply({ create = [], updateNew = [], delete: deleted = [] }: EndpointChanges): Promise<void> {
    // It counts as done when it is.
    this.#hasJudged = false;
    return this.#inTurn(async () => {
      const { declaration, zones } = await this.#zones.present();
      const ownerID = declaration.discovery?.ownerID ?? '';
      const wanted = [...create, ...updateNew].map((endpoint) => rrsetOf(endpoint, ownerID));
      const kept = new Set(wanted.map(({ name, type }) => `${name} ${type}`));
      const changes: Change[] = [
        ...deleted
          .map((endpoint) => rrsetOf(endpoint, ownerID))
          .filter(({ name, type }) => !kept.has(`${name} ${type}`))
          .map(deletion),
        ...wanted.map(replacement),
      ];
      const present = new Map(zones.map((zone) => [zone.name, zone]));
      const declared = new Map(declaration.zones.map(({ name }) => [absolute(name), present.get(absolute(name))]));
      for (const [zone, ofZone] of Map.groupBy(changes, ({ rrset }) => zoneOf(rrset.name, declared))) {
        if (zone) await this.#applyDiscovered(zone, ofZone);
      }
      this.#isSynced = true;
      // The addresses that were published have names to be found by.
      if (this.#declared && declaration.discovery?.reverse) await this.#zones.reconcile(this.#declared);
    });
  }

  /** What to say of it all; nothing before the zones were brought to what is declared, or could not be. */
  report(): Report | undefined {
    const { reported } = this.#zones;
    if (!this.#declared || !reported) return undefined;
    const { discovery } = this.#declared.declaration;
    return {
      declaration: reported.hash,
      zones: reported.reports,
      ...(reported.warnings.length > 0 && { warnings: reported.warnings }),
      discovery: {
        state: discovery ? this.#discoveryState(discovery.intervalSeconds) : 'Off',
        refused: [...this.#refused.values()].slice(0, 20).map(({ rrset, message }) => ({
          name: withoutDot(rrset.name).slice(0, 255),
          resource: (rrset.mark?.content ?? '').slice(0, 400),
          message: message.slice(0, 500),
        })),
      },
      ...(this.storage && { storage: this.storage }),
    };
  }

  /** Whether the pod may be asked: everything declared answers and everything wanted was published once. Stays true. */
  get isReady(): boolean {
    const report = this.report();
    this.#wasReady ||= report !== undefined && report.declaration === this.#declared?.hash && isServing(report);
    return this.#wasReady;
  }

  async #applyDiscovered(zone: Zone, changes: Change[]): Promise<void> {
    const names = Map.groupBy(zone.rrsets, (rrset) => rrset.name);
    const at = (name: string) => names.get(name) ?? [];
    const allowed = changes.filter(({ rrset }) => {
      const present = at(rrset.name).find(({ type }) => type === rrset.type);
      return !present || ownershipOf(present) === 'discovered';
    });
    const rejected = await this.#database.apply(zone, allowed);
    for (const { change, message } of rejected) {
      if (change.action === 'delete') continue;
      const { rrset } = change;
      this.#refusals.set(answerOf(rrset), { rrset, beside: at(rrset.name), message });
    }
    const counts = { changes: allowed.length, refused: rejected.length };
    this.#log.info({ zone: withoutDot(zone.name), ...counts }, 'apply discovered records');
  }

  /** Takes over what is refused and logs what is new in it; forgets what PowerDNS refused and nobody wants any more. */
  #remember(refused: Refused[]): void {
    const before = this.#refused;
    this.#refused = new Map();
    for (const refusal of refused) {
      const { rrset, message } = refusal;
      const key = answerOf(rrset);
      const known = before.get(key);
      // ExternalDNS names one of the objects that want the same, and not always the same one: the first stays.
      const isKnown = known?.message === message;
      this.#refused.set(key, isKnown ? known : refusal);
      if (isKnown) continue;
      this.#log.warn({ name: withoutDot(rrset.name), resource: rrset.mark?.content, message }, 'leave a name out');
    }
    for (const key of this.#refusals.keys()) if (!this.#refused.has(key)) this.#refusals.delete(key);
  }

  #discoveryState(intervalSeconds: number): Report['discovery']['state'] {
    if (this.#heardAt === undefined) return 'Waiting';
    const silentMs = this.#now() - this.#heardAt;
    if (silentMs > Math.max(30_000, intervalSeconds * 10_000)) return 'Stalled';
    return this.#isSynced ? 'Synced' : 'Waiting';
  }

  /** One at a time: whoever judges and writes sees zones that nobody else is changing. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
