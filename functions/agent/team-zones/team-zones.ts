import type { Logger } from 'pino';
import type { Declaration } from '../../contract/declaration.ts';
import type { ZoneReport } from '../../contract/report.ts';
import type { NameState } from '../../contract/verdict.ts';
import { absolute } from '../../dns/name.ts';
import { hasZones } from '../discovery/scope.ts';
import { sameTime, type TimeOf } from '../lib/clock.ts';
import { areSame, Memo } from '../lib/memo.ts';
import { type ServiceTest, serviceTest } from '../machines/service-address.ts';
import type { Database } from '../powerdns/database.ts';
import type { Zone } from '../powerdns/rrset.ts';
import type { Identity, Inventory } from '../sources/own-object.ts';
import { type ServedDeclaration, type ServedZone, teamShare } from '../zones/served-declaration.ts';
import { acceptedZones, type Refusal } from './acceptance.ts';
import { type KeptZone, keptZones } from './kept-zones.ts';
import { type Served, ServedZones } from './served-zones.ts';
import { ZoneMemory } from './zone-memory.ts';
import { nameStateOf, type ZoneOutcome, ZoneOutcomes } from './zone-outcomes.ts';

export interface TeamZonesOptions {
  database: Pick<Database, 'zones' | 'metadata' | 'setMetadata'>;
  /** The DS records that the zone of an object has been published with, as its status says. */
  dsOf?: ((resource: string) => readonly string[]) | undefined;
  /** Of all zones together. */
  mostRecords?: number | undefined;
  log: Logger;
  now: () => number;
  timeOf?: TimeOf | undefined;
}

/** What the last look at the Zones found. */
interface Look {
  served: readonly Served[];
  refused: readonly Refusal[];
}

const nothing: Look = { served: [], refused: [] };

/**
 * The zones that teams declare for themselves, with Zones:
 *
 *     Zones ──> accepted, or refused ──> served ──> kept for a while after their Zone is gone ──> as zones of the spec
 */
export class TeamZones {
  readonly #options: TeamZonesOptions;
  readonly #memory: ZoneMemory;
  readonly #accepted = new Memo<ReturnType<typeof acceptedZones>>();
  readonly #serviceTest = new Memo<ServiceTest | undefined>();
  readonly #servedZones = new ServedZones();
  readonly #outcomes = new ZoneOutcomes();
  readonly #states = new Memo<readonly NameState[]>();
  /** By absolute name. Undefined until what was remembered is read. */
  #kept: ReadonlyMap<string, KeptZone> | undefined;
  #zones: readonly ServedZone[] = [];
  #held: ReadonlySet<string> = new Set();
  #look = nothing;
  #looked: readonly unknown[] = [];
  #isSettling = false;

  constructor(options: TeamZonesOptions) {
    this.#options = options;
    this.#memory = new ZoneMemory(options.database, options.log);
  }

  /** What is to be served beside the zones of the spec. The same array until something changes. */
  get zones(): readonly ServedZone[] {
    return this.#zones;
  }

  /** Whether `adopt` would find something new, apart from time that passes. */
  isBehind(inventory: Inventory | undefined): boolean {
    return this.#isSettling || !areSame(this.#looked, inputsIn(inventory));
  }

  /** Takes in what has changed. Fails if what was remembered cannot be read. */
  async adopt(declaration: Declaration, inventory: Inventory | undefined): Promise<void> {
    const { discovery } = declaration;
    const inputs = inputsIn(inventory);
    if (!discovery || !hasZones(discovery)) {
      if (this.#kept) this.#keep(new Map());
      this.#look = nothing;
      this.#looked = inputs;
      return;
    }
    this.#kept ??= await this.#memory.read(await this.#options.database.zones());
    const { zones = 'Unknown', labelsOf = () => undefined, serviceRanges } = inventory ?? {};
    const isOfService = this.#serviceTest.get([declaration, serviceRanges], () =>
      serviceTest(declaration, { serviceRanges }),
    );
    const wanted = zones === 'Off' ? 'Unknown' : zones;
    if (wanted === 'Unserved') this.#look = nothing;
    if (typeof wanted !== 'string') {
      const mostRecords = Math.floor((this.#options.mostRecords ?? Number.POSITIVE_INFINITY) * teamShare);
      const { accepted, refused } = this.#accepted.get([declaration, ...inputs], () =>
        acceptedZones({ zones: wanted, declaration, discovery, labelsOf, isOfService, mostRecords }),
      );
      const { dsOf = () => [] } = this.#options;
      this.#look = {
        served: this.#servedZones.of({ accepted, declaration, discovery, labelsOf, isOfService, dsOf }),
        refused,
      };
    }
    const { timeOf = sameTime, now } = this.#options;
    const { kept, isSettling } = keptZones({
      kept: this.#kept,
      wanted:
        typeof wanted === 'string'
          ? wanted
          : new Map(this.#look.served.map(({ zone }) => [absolute(zone.name), zone] as const)),
      awaited: new Set(this.#look.refused.flatMap(({ object, isTemporary }) => (isTemporary ? [object.resource] : []))),
      guard: discovery.deleteGuard,
      time: timeOf(now()),
    });
    this.#keep(kept);
    this.#isSettling = isSettling;
    this.#looked = inputs;
  }

  /** Remembers the zones of teams for the next agent. @param zones as PowerDNS has them */
  async remember(zones: readonly Zone[]): Promise<void> {
    if (this.#kept) await this.#memory.write(zones, this.#kept);
  }

  /** PowerDNS has lost a zone, with what was remembered in it. */
  forget(name: string): void {
    this.#memory.forget(name);
  }

  /** What became of each Zone; the same array until something changes. Undefined while nobody knows. */
  outcomes(outline: ServedDeclaration, reports: readonly ZoneReport[]): readonly ZoneOutcome[] | undefined {
    if (!this.#kept) return undefined;
    return this.#outcomes.of({ ...this.#look, held: this.#held, outline, reports });
  }

  /** The outcomes as states of hosts, for Events. The same array until something changes. */
  states(outcomes: readonly ZoneOutcome[]): readonly NameState[] {
    return this.#states.get([outcomes], () => outcomes.map(nameStateOf));
  }

  objectOf(resource: string): Identity | undefined {
    return this.#outcomes.objectOf(resource);
  }

  #keep(kept: ReadonlyMap<string, KeptZone>): void {
    this.#kept = kept;
    const zones = [...kept.values()].map(({ zone }) => zone);
    if (!areSame(zones, this.#zones)) this.#zones = zones;
    const held = new Set([...kept.values()].flatMap(({ zone, isHeld }) => (isHeld ? (zone.resource ?? []) : [])));
    if (!areSame([...held], [...this.#held])) this.#held = held;
    if (kept.size === 0) this.#isSettling = false;
  }
}

/** The members of an inventory change when Machines do. */
function inputsIn(inventory: Inventory | undefined): readonly unknown[] {
  const { zones = 'Unknown', labelsOf, serviceRanges } = inventory ?? {};
  return [labelsOf, serviceRanges, ...(typeof zones === 'string' ? [zones] : zones)];
}
