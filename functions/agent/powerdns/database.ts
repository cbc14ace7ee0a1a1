import { monotonicNow } from '../lib/clock.ts';
import { type MetadataKind, type PowerDNS, PowerDNSRejection } from './powerdns.ts';
import { type Change, type RRset, replacement, type Zone } from './rrset.ts';

export interface DatabaseOptions {
  /** Milliseconds for which a zone is taken to be as it was read, while its serial stays. */
  maxAgeMs?: number;
  /** The absolute name of a zone that is nobody's: it would be reported as one that is not declared. */
  hidden?: string;
}

/** Values by their kind. */
export type Metadata = Readonly<Record<MetadataKind, string[]>>;

/** What a zone is made with beside its records. */
export interface CreateZoneOptions {
  /** Whose it is: the agent's own unless stated. */
  account?: string;
  metadata?: Metadata;
}

export interface RejectedChange {
  change: Change;
  /** PowerDNS's own words. */
  message: string;
}

/** Of more names than these the whole zone is read. */
const mostNames = 20;

/**
 * The zones as PowerDNS has them. The agent is the only writer, so a zone is read again only when its serial has moved
 * or when it was last read `maxAgeMs` ago, which is how a change made by hand is found.
 */
export class Database {
  readonly #powerdns: PowerDNS;
  readonly #maxAgeMs: number;
  readonly #hidden: string | undefined;
  readonly #read = new Map<string, { zone: Zone; serial: number; at: number }>();

  constructor(powerdns: PowerDNS, { maxAgeMs = 4_500, hidden }: DatabaseOptions = {}) {
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
      if (known && isSame && now - known.at < this.#maxAgeMs) zones.push(known.zone);
      else {
        const zone = await this.#powerdns.zone(header, known?.zone);
        this.#read.set(header.name, { zone, serial: header.serial, at: now });
        zones.push(zone);
      }
    }
    return zones;
  }

  /**
   * A zone as it is at this moment, with some of its names or all: what a person has made since it was read moves no
   * serial.
   */
  async refreshed(zone: Zone, names?: ReadonlySet<string>): Promise<Zone> {
    if (!names || names.size > mostNames) return this.#powerdns.zone(zone, zone);
    const fresh = await Promise.all([...names].map((name) => this.#powerdns.rrsetsAt(zone, name)));
    return { ...zone, rrsets: [...zone.rrsets.filter(({ name }) => !names.has(name)), ...fresh.flat()] };
  }

  /** Applies what can be applied, in one transaction if possible, and says what PowerDNS would not take. */
  async apply(zone: Zone, changes: Change[]): Promise<RejectedChange[]> {
    this.#read.delete(zone.name);
    return this.#applyNames(zone, namesOf(changes));
  }

  /** Makes a zone with what can be in it, in one transaction if possible, and says what PowerDNS would not take. */
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
    const atTop = rrsets.filter((rrset) => rrset.name === name && (rrset.type === 'SOA' || rrset.type === 'NS'));
    try {
      const header = await make(rrsets);
      // A name that was asked for before has a cached REFUSED, which only a PATCH forgets: any will do.
      await this.#powerdns.patch(header, atTop.slice(-1).map(replacement));
      return [];
    } catch (error) {
      if (!isRejection(error)) throw error;
      const header = await make(atTop);
      return this.#applyNames(header, namesOf(rrsets.map(replacement)));
    }
  }

  async remove(zone: Zone): Promise<void> {
    this.#read.delete(zone.name);
    await this.#powerdns.remove(zone);
  }

  /** Has a zone read anew the next time. */
  invalidate({ name }: Pick<Zone, 'name'>): void {
    this.#read.delete(name);
  }

  metadata(zone: Zone, kind: MetadataKind): Promise<string[]> {
    return this.#powerdns.metadata(zone, kind);
  }

  setMetadata(zone: Zone, kind: MetadataKind, values: string[]): Promise<void> {
    return this.#powerdns.setMetadata(zone, kind, values);
  }

  /** PowerDNS refuses a whole transaction for one bad name: halve it until the bad ones stand alone. */
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

/** Whether PowerDNS takes what it was sent for wrong. */
const isRejection = (error: unknown): error is PowerDNSRejection =>
  error instanceof PowerDNSRejection && error.status === 422;
