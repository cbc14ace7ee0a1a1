/** Random events of replicas: records edited by hand, volumes lost, agents killed. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import type { RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { declare, endpoint } from '../make.ts';
import { MemoryConfigMap } from './memory-config-map.ts';
import { type FaultyDatabase, lineOf, Replica, settle } from './replica.ts';

const zone = 'corp.internal.';
const names = ['a', 'b', 'c', 'd'].map((label) => `${label}.${zone}`);
const hosts = ['x', 'y', 'z'].map((label) => `${label}.corp.internal`);

/** An edit by hand at one replica; a deletion without a value. */
interface Edit {
  replica: number;
  name: string;
  value: number | undefined;
}

/** An object in the cluster, deleted if it has no address. */
interface ObjectChange {
  host: string;
  address: number | undefined;
}

/** Events before everything settles again. */
interface Round {
  edits: Edit[];
  objects: ObjectChange[];
  /** Replicas whose volume is lost. */
  lost: number[];
  restarted: number[];
  /** After how many writes an agent crashes and is restarted. */
  crash: { replica: number; steps: number } | undefined;
  event:
    | 'none'
    | 'new replica'
    | 'the mirror is destroyed'
    | 'the mirror is emptied'
    | 'the mirror is away for a while';
}

export const mostReplicas = 3;
const replica = fc.nat(mostReplicas - 1);
const few = <T>(arbitrary: fc.Arbitrary<T>, maxLength: number) => fc.array(arbitrary, { maxLength });

const round: fc.Arbitrary<Round> = fc.record({
  edits: fc.uniqueArray(
    fc.record({ replica, name: fc.constantFrom(...names), value: fc.option(fc.nat(3), { nil: undefined }) }),
    { selector: ({ name }) => name, maxLength: 3 },
  ),
  objects: fc.uniqueArray(
    fc.record({ host: fc.constantFrom(...hosts), address: fc.option(fc.nat(3), { nil: undefined }) }),
    { selector: ({ host }) => host, maxLength: 2 },
  ),
  lost: few(replica, 3),
  restarted: few(replica, 2),
  crash: fc.option(fc.record({ replica, steps: fc.nat(8) }), { nil: undefined }),
  event: fc.constantFrom(
    'none',
    'none',
    'new replica',
    'the mirror is destroyed',
    'the mirror is emptied',
    'the mirror is away for a while',
  ),
});

const handMade = (name: string, value: number | undefined): RRset => ({
  name,
  type: 'A',
  ttl: 60,
  records: value === undefined ? [] : [`192.0.2.${value}`],
});
const published = (host: string, address: number) => `${host}. A 198.51.100.${address}`;

/** Rounds, and the initial number of replicas. */
export const history = fc.tuple(fc.array(round, { minLength: 1, maxLength: 8 }), fc.constantFrom(1, 2));

/** A cluster with its replicas, and the records that each of them should have. */
export class World {
  readonly #configMap = new MemoryConfigMap();
  readonly #clock = { now: 1_000_000 };
  readonly #replicas: Replica<FaultyDatabase>[] = [];
  readonly #objects = new Map<string, number>();
  /** Expected records. */
  readonly #byHand = new Map<string, number>();
  readonly #published = new Map<string, number>();
  readonly #database: () => FaultyDatabase;
  readonly #stepMs: number;

  constructor(database: () => FaultyDatabase, count: number, stepMs = 5_000) {
    this.#database = database;
    this.#stepMs = stepMs;
    for (let index = 0; index < count; index++) this.#add();
  }

  #add(): void {
    const discovery = { ownerID: 'corp', intervalSeconds: 2, policy: 'UpsertOnly' as const };
    const declaration = declare({ discovery, replicas: 2 });
    const options = { configMap: this.#configMap, clock: this.#clock, declaration };
    this.#replicas.push(new Replica(this.#database(), options));
  }

  async settle(): Promise<void> {
    const endpoints: Endpoint[] = [...this.#objects].map(([host, address]) =>
      endpoint(`ingress/shop/${host}`, host, 'A', `198.51.100.${address}`),
    );
    const [configMap, clock, stepMs] = [this.#configMap, this.#clock, this.#stepMs];
    await settle(this.#replicas, { configMap, clock, stepMs, endpoints });
  }

  async run({ edits, objects, lost, restarted, crash, event }: Round): Promise<void> {
    const at = (index: number) => this.#replicas[index % this.#replicas.length] as Replica<FaultyDatabase>;
    // Edits of this round are not mirrored yet, and a deleted object is known to one replica only: keep their volumes.
    const edited = new Set(edits.map((edit) => at(edit.replica)));
    if (objects.some(({ address }) => address === undefined)) edited.add(at(0));
    const isLost = new Set(lost.map(at).filter((replica) => !edited.has(replica)));
    const survivors = this.#replicas.filter((replica) => !isLost.has(replica));
    for (const { replica, name, value } of edits) await this.#edit(at(replica), name, value);
    for (const { host, address } of objects) this.#change(host, address);
    for (const replica of isLost) await replica.database.lose();
    for (const replica of restarted.map(at)) replica.restart();
    if (event === 'new replica' && this.#replicas.length < mostReplicas) this.#add();
    // A lost volume needs another copy, and a deletion of this round is not mirrored yet: keep the ConfigMap then.
    const isWhole = survivors.length > 0 && edits.every(({ value }) => value !== undefined);
    if (event === 'the mirror is destroyed' && isWhole) this.#configMap.destroy();
    if (event === 'the mirror is emptied' && isWhole) {
      this.#configMap.edit(Object.fromEntries(Object.keys(this.#configMap.data).map((key) => [key, null])));
    }
    if (crash) await this.#crash(at(crash.replica), crash.steps);
    if (event === 'the mirror is away for a while') {
      this.#configMap.failure = 'it is away';
      for (const replica of this.#replicas) await replica.sync().catch(() => {});
      this.#configMap.failure = undefined;
    }
    await this.settle();
    await this.#check();
  }

  async #edit({ database }: Replica<FaultyDatabase>, name: string, value: number | undefined): Promise<void> {
    await database.edit(zone, handMade(name, value));
    if (value === undefined) this.#byHand.delete(name);
    else this.#byHand.set(name, value);
  }

  #change(host: string, address: number | undefined): void {
    if (address === undefined) return void this.#objects.delete(host);
    this.#objects.set(host, address);
    this.#published.set(host, address);
  }

  async #crash(replica: Replica<FaultyDatabase>, steps: number): Promise<void> {
    replica.database.crashesAfter = steps;
    await replica.sync().catch(() => {});
    replica.database.crashesAfter = Number.POSITIVE_INFINITY;
    replica.restart();
  }

  async #check(): Promise<void> {
    const right = [
      ...[...this.#byHand].map(([name, value]) => lineOf(handMade(name, value))),
      ...[...this.#published].map(([host, address]) => published(host, address)),
    ].sort();
    for (const replica of this.#replicas) expect(await replica.records()).toEqual(right);
  }
}
