import { monotonicNow } from '../lib/clock.ts';
import { type MetadataKind, type PowerDNS, PowerDNSRejection } from './powerdns.ts';
import { type Change, type RRset, replacement, type Zone } from './rrset.ts';

export interface DatabaseOptions {
  /** Milliseconds after which a zone is read again although its serial is the same. By default it depends on how long that takes. */
  maxAgeMs?: number | undefined;
  /** The absolute name of a zone to leave out: it would be reported as an undeclared one. */
  hidden?: string;
}

/** Values by kind. */
export type Metadata = Readonly<Record<MetadataKind, string[]>>;

/** Properties of a new zone. */
export interface CreateZoneOptions {
  /** The agent's own by default. */
  account?: string;
  metadata?: Metadata;
}

export interface RejectedChange {
  change: Change;
  /** PowerDNS's own message. */
  message: string;
}

/** For more names than these the whole zone is read. */
const mostNames = 20;

/** Zones are read again with this share of the time, but within these bounds. */
const rereads = { share: 1 / 1_000, leastMs: 4_500, mostMs: 60_000 };

/**
 * Reads and writes PowerDNS's zones. The agent is their only writer, so a zone is read again only when its serial has changed,
 * or after a while to find changes made by hand that leave it as it was. PowerDNS takes 30 ms for a zone of 1,000 names.
 */
export class Database {
  readonly #powerdns: PowerDNS;
  readonly #maxAgeMs: number | undefined;
  readonly #hidden: string | undefined;
  readonly #read = new Map<string, { zone: Zone; serial: number; until: number }>();

  constructor(powerdns: PowerDNS, { maxAgeMs, hidden }: DatabaseOptions = {}) {
    this.#powerdns = powerdns;
    this.#maxAgeMs = maxAgeMs;
    this.#hidden = hidden;
  }

  async zones(now = monotonicNow()): Promise<Zone[]> {
    const headers = (await this.#powerdns.zones()).filter(({ name }) => name !== this.#hidden);
    const names = new Set(headers.map(({ name }) => name));
    for (const name of this.#read.keys()) if (!names.has(name)) this.#read.delete(name);
    const zones: Zone[] = [];
    for (const header of headers) {
      const known = this.#read.get(header.name);
      const isSame = known?.serial === header.serial && known.zone.account === header.account;
      if (known && isSame && now < known.until) zones.push(known.zone);
      else {
        const startedAt = monotonicNow();
        const zone = await this.#powerdns.zone(header, known?.zone);
        const until = now + this.#validFor(monotonicNow() - startedAt);
        this.#read.set(header.name, { zone, serial: header.serial, until });
        zones.push(zone);
      }
    }
    return zones;
  }

  /** @param tookMs to read the zone */
  #validFor(tookMs: number): number {
    const { share, leastMs, mostMs } = rereads;
    return this.#maxAgeMs ?? Math.min(Math.max(tookMs / share, leastMs), mostMs);
  }

  /**
   * Reads some names of a zone again, or all: changes made by hand since it was read need not change its serial.
   */
  async refreshed(zone: Zone, names?: ReadonlySet<string>): Promise<Zone> {
    if (!names || names.size > mostNames) return this.#powerdns.zone(zone, zone);
    const fresh = await Promise.all([...names].map((name) => this.#powerdns.rrsetsAt(zone, name)));
    return { ...zone, rrsets: [...zone.rrsets.filter(({ name }) => !names.has(name)), ...fresh.flat()] };
  }

  /** Applies changes, in one transaction if possible, and returns those that PowerDNS rejects. */
  async apply(zone: Zone, changes: Change[]): Promise<RejectedChange[]> {
    this.#read.delete(zone.name);
    return this.#applyNames(zone, namesOf(changes));
  }

  /** Creates a zone, in one transaction if possible, and returns the changes that PowerDNS rejects. */
  async create(
    name: string,
    rrsets: RRset[],
    { account, metadata = {} }: CreateZoneOptions = {},
  ): Promise<RejectedChange[]> {
    this.#read.delete(name);
    const make = async (some: RRset[]) => {
      const header = await this.#powerdns.create(name, some, account);
      for (const [kind, values] of Object.entries(metadata)) {
        await this.#powerdns.setMetadata(header, kind as MetadataKind, values);
      }
      return header;
    };
    const atApex = rrsets.filter((rrset) => rrset.name === name && (rrset.type === 'SOA' || rrset.type === 'NS'));
    try {
      const header = await make(rrsets);
      // PowerDNS has cached REFUSED for names that were queried before; any PATCH clears that.
      await this.#powerdns.patch(header, atApex.slice(-1).map(replacement));
      return [];
    } catch (error) {
      if (!isRejection(error)) throw error;
      const header = await make(atApex);
      return this.#applyNames(header, namesOf(rrsets.map(replacement)));
    }
  }

  async remove(zone: Zone): Promise<void> {
    this.#read.delete(zone.name);
    await this.#powerdns.remove(zone);
  }

  /** Makes the next `zones` read a zone again. */
  invalidate({ name }: Pick<Zone, 'name'>): void {
    this.#read.delete(name);
  }

  metadata(zone: Zone, kind: MetadataKind): Promise<string[]> {
    return this.#powerdns.metadata(zone, kind);
  }

  setMetadata(zone: Zone, kind: MetadataKind, values: string[]): Promise<void> {
    return this.#powerdns.setMetadata(zone, kind, values);
  }

  /** PowerDNS rejects a whole transaction for one bad name: bisect it to find the bad ones. */
  async #applyNames(zone: Pick<Zone, 'id'>, names: Change[][]): Promise<RejectedChange[]> {
    if (names.length === 0) return [];
    try {
      await this.#powerdns.patch(zone, names.flat());
      return [];
    } catch (error) {
      if (!isRejection(error)) throw error;
      if (names.length === 1) return names.flat().map((change) => ({ change, message: error.message }));
      const half = Math.ceil(names.length / 2);
      const first = await this.#applyNames(zone, names.slice(0, half));
      return [...first, ...(await this.#applyNames(zone, names.slice(half)))];
    }
  }
}

const namesOf = (changes: Change[]) => [...Map.groupBy(changes, ({ rrset }) => rrset.name).values()];

/** Reports whether PowerDNS has rejected the content of a request. */
const isRejection = (error: unknown): error is PowerDNSRejection =>
  error instanceof PowerDNSRejection && error.status === 422;
