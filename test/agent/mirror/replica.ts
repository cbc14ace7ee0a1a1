/** A replica: an agent with a mirror, and a database that can be lost. */
import { pino } from 'pino';
import { Agent } from '../../../functions/agent/agent.ts';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { ConfigMapMirror } from '../../../functions/agent/mirror/config-map.ts';
import { RecordMirror } from '../../../functions/agent/mirror/record-mirror.ts';
import { Watermarks } from '../../../functions/agent/mirror/watermark.ts';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import { request } from '../../../functions/agent/powerdns/http-request.ts';
import { PowerDNS, PowerDNSRejection } from '../../../functions/agent/powerdns/powerdns.ts';
import { deletion, ownershipOf, type RRset, replacement, type Zone } from '../../../functions/agent/powerdns/rrset.ts';
import { createCanaryZone } from '../../../functions/agent/self-test/canary-record.ts';
import { canaryZone } from '../../../functions/contract/canary-zone.ts';
import type { Declaration } from '../../../functions/contract/declaration.ts';
import type { RunningPowerDNS } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';
import { loop } from '../external-dns.ts';
import { MemoryZones } from '../zones/memory-zones.ts';
import type { MemoryConfigMap } from './memory-config-map.ts';

/** The database of a replica. */
export interface ReplicaDatabase extends Pick<Database, keyof Database> {
  watermarks: Watermarks;
}

export interface ReplicaOptions {
  configMap: MemoryConfigMap;
  clock: { now: number };
  declaration: Declaration;
  mostBytes?: number;
}

export class Replica<D extends ReplicaDatabase = ReplicaDatabase> {
  readonly database: D;
  readonly log: Record<string, unknown>[] = [];
  readonly #options: ReplicaOptions;
  #agent: Agent;

  constructor(database: D, options: ReplicaOptions) {
    this.database = database;
    this.#options = options;
    this.#agent = this.#start();
  }

  #start(): Agent {
    const { configMap, clock, declaration, mostBytes } = this.#options;
    const log = pino({ base: null }, { write: (line) => void this.log.push(JSON.parse(line)) });
    const now = () => clock.now;
    const { database } = this;
    const mirror = new RecordMirror({
      database,
      watermarks: database.watermarks,
      store: new ConfigMapMirror({
        cluster: configMap,
        name: 'idns-corp-kept',
        failureLog: { record: () => {} },
        onChange: () => {},
      }),
      name: 'ConfigMap idns-corp-kept',
      log,
      now,
      ...(mostBytes !== undefined && { mostBytes }),
    });
    const agent = new Agent({ database, answers: async () => true, log, now, mirror });
    agent.setDeclaration(JSON.stringify(declaration));
    return agent;
  }

  get agent(): Agent {
    return this.#agent;
  }

  /** Replaces the agent by a new process. */
  restart(): void {
    this.#agent = this.#start();
  }

  declare(declaration: Declaration): void {
    this.#options.declaration = declaration;
    this.#agent.setDeclaration(JSON.stringify(declaration));
  }

  /** Reconciles once, and runs a loop of ExternalDNS if endpoints are given. */
  async sync(endpoints?: Endpoint[]): Promise<void> {
    await this.#agent.reconcile();
    if (!endpoints) return;
    const agent = this.#agent;
    const webhook = {
      records: () => agent.records(),
      adjustEndpoints: (all: Endpoint[]) => agent.adjustEndpoints(all),
      applyChanges: (changes: Parameters<Agent['applyChanges']>[0]) => agent.applyChanges(changes),
    };
    await loop(webhook, endpoints);
  }

  /** Undeclared records, as lines. */
  async records(): Promise<string[]> {
    const zones = await this.database.zones();
    return zones
      .flatMap(({ rrsets }) => rrsets)
      .filter((rrset) => ownershipOf(rrset) !== 'declared')
      .map(lineOf)
      .sort();
  }
}

/** One line without the serial of a SOA, which differs between replicas. */
export const lineOf = ({ name, type, records }: RRset) =>
  `${name} ${type} ${records
    .map((content) => (type === 'SOA' ? content.replace(/^(\S+ \S+) \d+/, '$1') : content))
    .sort()
    .join(' ')}`;

/** A database that can be edited by hand, lost, and crash its agent. */
export interface FaultyDatabase extends ReplicaDatabase {
  /** Changes an RRset by hand. Deletes it if it has no records. */
  edit(zone: string, rrset: RRset): Promise<void>;
  /** Loses everything, like a lost volume. */
  lose(): Promise<void>;
  /** The agent crashes after this many more writes. */
  crashesAfter: number;
}

/** A database in memory, with metadata. */
export class MemoryDatabase implements FaultyDatabase {
  readonly #zones = new MemoryZones();
  #metadata: string[] = [];
  crashesAfter = Number.POSITIVE_INFINITY;
  readonly watermarks = new Watermarks({
    powerdns: {
      metadata: async () => {
        this.#step();
        return this.#metadata;
      },
      setMetadata: async (_, __, metadata) => {
        this.#step();
        this.#metadata = metadata;
      },
    },
    zone: 'own.invalid.',
    createZone: async () => {},
  });

  async edit(zone: string, rrset: RRset): Promise<void> {
    this.#zones.edit(zone, (stored) => {
      stored.rrsets = stored.rrsets.filter(({ name, type }) => name !== rrset.name || type !== rrset.type);
      if (rrset.records.length > 0) stored.rrsets.push(rrset);
    });
  }

  async lose(): Promise<void> {
    this.#zones.wipe();
    this.#metadata = [];
  }

  zones = () => this.#zones.zones();
  refreshed = (zone: Zone) => this.#zones.refreshed(zone);
  invalidate = () => {};
  metadata = (zone: Zone, kind: string) => this.#zones.metadata(zone, kind);

  async setMetadata(...args: Parameters<MemoryZones['setMetadata']>): Promise<void> {
    this.#step();
    return this.#zones.setMetadata(...args);
  }

  async create(...args: Parameters<MemoryZones['create']>): ReturnType<MemoryZones['create']> {
    this.#step();
    return this.#zones.create(...args);
  }

  async apply(...args: Parameters<MemoryZones['apply']>): ReturnType<MemoryZones['apply']> {
    if (args[1].length > 0) this.#step();
    return this.#zones.apply(...args);
  }

  async remove(...args: Parameters<MemoryZones['remove']>): Promise<void> {
    this.#step();
    return this.#zones.remove(...args);
  }

  #step(): void {
    if (this.crashesAfter-- <= 0) throw new PowerDNSRejection(500, 'the agent has ended');
  }
}

/** A real PowerDNS. */
export class PowerDNSDatabase implements FaultyDatabase {
  readonly #server: RunningPowerDNS;
  readonly #database: Database;
  readonly watermarks: Watermarks;
  crashesAfter = Number.POSITIVE_INFINITY;
  readonly #powerdns: PowerDNS;

  constructor(server: RunningPowerDNS, keyFile: string) {
    this.#server = server;
    this.#powerdns = new PowerDNS({
      api: server.apiUrl,
      keyFile,
      timeoutMs: waitTimeoutMs,
      request: async (url, options) => {
        if (options.method !== 'GET' && this.crashesAfter-- <= 0) throw new Error('the agent has ended');
        return request(url, options);
      },
    });
    const powerdns = this.#powerdns;
    this.#database = new Database(powerdns, { maxAgeMs: 0, hidden: canaryZone });
    this.watermarks = new Watermarks({ powerdns, zone: canaryZone, createZone: () => createCanaryZone(powerdns) });
  }

  get powerdns(): PowerDNS {
    return this.#powerdns;
  }

  async edit(zone: string, rrset: RRset): Promise<void> {
    await this.#powerdns.patch({ id: zone }, [rrset.records.length > 0 ? replacement(rrset) : deletion(rrset)]);
  }

  async lose(): Promise<void> {
    await this.#server.stop();
    this.#server.wipe();
    await this.#server.restart();
  }

  zones = () => this.#database.zones();
  refreshed = (...args: Parameters<Database['refreshed']>) => this.#database.refreshed(...args);
  invalidate = (zone: Zone) => this.#database.invalidate(zone);
  metadata = (...args: Parameters<Database['metadata']>) => this.#database.metadata(...args);
  setMetadata = (...args: Parameters<Database['setMetadata']>) => this.#database.setMetadata(...args);
  create = (...args: Parameters<Database['create']>) => this.#database.create(...args);
  apply = (...args: Parameters<Database['apply']>) => this.#database.apply(...args);
  remove = (zone: Zone) => this.#database.remove(zone);
}

export interface Settling {
  configMap: MemoryConfigMap;
  clock: { now: number };
  endpoints?: Endpoint[];
  /** The interval between reconciliations. */
  stepMs?: number;
}

/** Reconciles all replicas until nothing changes any more. */
export async function settle(
  replicas: readonly Replica[],
  { configMap, clock, endpoints, stepMs = 5_000 }: Settling,
): Promise<void> {
  let quiet = 0;
  let before = '';
  for (let turn = 0; quiet * stepMs < 80_000; turn++) {
    if (turn > 200) throw new Error(`no end: ${before}`);
    // Replicas reconcile in varying order.
    const order = turn % 2 === 0 ? replicas : replicas.toReversed();
    for (const replica of order) await replica.sync(endpoints).catch(() => {});
    clock.now += stepMs;
    const now = JSON.stringify([
      configMap.writes,
      configMap.data,
      ...(await Promise.all(replicas.map((replica) => replica.database.zones()))),
    ]);
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
}
