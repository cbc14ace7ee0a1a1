import { declaration as declarationSchema, hashOf } from '../contract/declaration.ts';
import { bounds, isServing, type Report } from '../contract/report.ts';
import { absolute, zoneOf } from '../dns/name.ts';
import { DeleteGuardStore, type DeleteGuardStoreOptions } from './discovery/delete-guard-store.ts';
import type { Endpoint, EndpointChanges, SeenTargets } from './discovery/endpoint.ts';
import { withOwnershipRecords } from './discovery/ownership/ownership-txt.ts';
import type { CurrentZones, Provider } from './discovery/provider.ts';
import { Providers } from './discovery/providers.ts';
import { withWildcardBlocks } from './discovery/wildcard-blocks.ts';
import { monotonicNow, type TimeOf } from './lib/clock.ts';
import { Memo } from './lib/memo.ts';
import { parse } from './lib/parse.ts';
import type { RecordMirror } from './mirror/record-mirror.ts';
import { Names, type NamesOptions } from './names/names.ts';
import type { Overview } from './names/overview.ts';
import { answerOf, type Change, type Zone } from './powerdns/rrset.ts';
import type { OutOfZoneNames } from './resolver/out-of-zone-names.ts';
import { hasTooManyTargets, isOverLimit } from './sources/host-limit.ts';
import { noSources, partsAt, type SourceLister, type SourceObject } from './sources/source-object.ts';
import type { Observations } from './surroundings.ts';
import type { ZoneFiles } from './zones/zone-file.ts';
import type { LoadedDeclaration } from './zones/zone-planner.ts';
import { Zones, type ZonesOptions } from './zones/zones.ts';

export type AgentOptions = Omit<ZonesOptions, 'now'> & {
  database: DeleteGuardStoreOptions;
  /** The agent's own view of the objects that want names. */
  lister?: SourceLister;
  /** Keeps what exists nowhere else; none where there is nothing to keep it in. */
  mirror?: Pick<RecordMirror, 'sync' | 'isPending' | 'warnings'> | undefined;
  /** What the report tells besides, as it is by then. */
  surroundings?: Readonly<Observations>;
  onPropagation?: NamesOptions['onPropagation'];
  /** What is known of names that are in none of the zones; without it they are taken to have addresses. */
  outside?: OutOfZoneNames | undefined;
  /** Milliseconds that only go up. */
  now?: () => number;
  timeOf?: TimeOf | undefined;
};

/** How long a verdict waits for the objects. Milliseconds. */
const sightPatienceMs = 30_000;

/**
 * PowerDNS's only writer: it holds what is declared, hears what is wanted, and brings the zones there. Every method
 * fails while PowerDNS does not answer, and leaves nothing half-done: each zone changes in one transaction.
 */
export class Agent {
  readonly #now: () => number;
  readonly #database: AgentOptions['database'];
  readonly #zones: Zones;
  readonly #lister: SourceLister;
  readonly #providers: Providers;
  readonly #names: Names;
  readonly #outside: OutOfZoneNames | undefined;
  readonly #surroundings: Readonly<Observations>;
  readonly #guardMemory: DeleteGuardStore;
  readonly #mirror: AgentOptions['mirror'];
  readonly #kept = new Memo<ReadonlySet<string>>();
  #declared: LoadedDeclaration | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #wasReady = false;
  #blindSince: number | undefined;
  /** The zones as they were read last. */
  #present: CurrentZones | undefined;

  constructor({
    now = monotonicNow,
    timeOf,
    lister = noSources,
    mirror,
    surroundings = {},
    onPropagation,
    outside,
    ...options
  }: AgentOptions) {
    this.#outside = outside;
    this.#now = now;
    this.#lister = lister;
    this.#mirror = mirror;
    this.#surroundings = surroundings;
    this.#providers = new Providers({ log: options.log, now, timeOf, mostRecords: options.mostRecords });
    this.#names = new Names({ onPropagation, now });
    this.#database = options.database;
    this.#zones = new Zones({ now, ...options });
    this.#guardMemory = new DeleteGuardStore(options.database);
  }

  get declaration(): LoadedDeclaration['declaration'] | undefined {
    return this.#declared?.declaration;
  }

  /** Takes over a declaration; true if it is another one than before. Throws on a text that is none. */
  declare(text: string): boolean {
    const hash = hashOf(text);
    if (hash === this.#declared?.hash) return false;
    const files = this.#declared?.files ?? new Map();
    this.#declared = { hash, declaration: parse(text, declarationSchema), files };
    const { discovery } = this.#declared.declaration;
    this.#providers.setDiscovery(discovery);
    if (discovery) this.#names.follow(discovery.intervalSeconds);
    else this.#names.forget();
    return true;
  }

  /** Takes over the zone files as they are now. */
  takeFiles(files: ZoneFiles): void {
    if (this.#declared) this.#declared = { ...this.#declared, files: new Map(files) };
  }

  /** Brings the zones to what is declared. */
  reconcile(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#bringZones();
      // What ExternalDNS has published may be gone, also while it is silent.
      if (!this.#declared) return;
      this.#present = await this.#zones.reconciled();
      const reread = () => this.#zones.current();
      if (await this.#mirror?.sync(this.#present, reread, this.#keptWithoutObject())) this.#present = await reread();
    });
  }

  /** A zone of PowerDNS as it was read last. */
  zone(name: string): Zone | undefined {
    return this.#present?.zones.find((zone) => zone.name === absolute(name));
  }

  /** What an ExternalDNS may change: the records that it made. */
  records(namespace?: string): Promise<Endpoint[]> {
    this.#providers.get(this.declaration, namespace)?.loops.start();
    return this.#asProvider(namespace, [], (provider, present) => provider.records(present));
  }

  /** The targets that objects are seen to give an absolute name; undefined where all who ask for it have too many hosts. */
  seenAt(name: string): SeenTargets | undefined {
    const lister = this.#lister.byHost(name);
    if (lister.length > 0 && lister.every((sourceObject) => isOverLimit(sourceObject, name))) return undefined;
    let seen: ReadonlySet<string> | undefined;
    const targets = () => {
      seen ??= targetsOn(name, lister);
      return seen;
    };
    // Of most endpoints they are not asked for.
    return {
      get size() {
        return targets().size;
      },
      has: (target) => targets().has(target),
    };
  }

  /** The verdict on everything that an ExternalDNS wants. */
  adjustEndpoints(wanted: Endpoint[], namespace?: string): Promise<Endpoint[]> {
    const loop = this.#providers.get(this.declaration, namespace)?.loops.current ?? 0;
    return this.#asProvider(namespace, [], async (provider, present) => {
      this.#expectSight();
      if (!provider.isGuardRestored) provider.restoreGuard(await this.#guardMemory.read(provider.id, present));
      const { answer, ownershipUpdates } = provider.adjustEndpoints(wanted, present, this.#lister);
      // Before ExternalDNS acts on the answer.
      await this.#guardMemory.write(provider.id, provider.missingNames, present);
      await this.#write(provider, ownershipUpdates, present);
      provider.loops.evaluated(loop);
      return answer;
    });
  }

  /** Applies what an ExternalDNS makes of the verdict: one transaction a zone. */
  applyChanges(endpoints: EndpointChanges, namespace?: string): Promise<void> {
    this.#providers.get(this.declaration, namespace)?.loops.startChanges();
    return this.#asProvider(namespace, undefined, async (provider, present) => {
      await this.#write(provider, provider.changes(endpoints, present), present);
      provider.loops.complete();
      const { reverse, ownershipTXT } = present.declaration.discovery ?? {};
      // Some records follow from what was published.
      if (reverse || ownershipTXT) await this.#bringZones();
      this.#present = await this.#zones.current();
    });
  }

  /** Takes over that an ExternalDNS was told that something failed, and why. */
  recordFailure(failure: string, namespace?: string): void {
    this.#providers.get(this.declaration, namespace)?.loops.fail(failure);
  }

  /** Says anew how names are, if anything has changed that they depend on. To be called again and again. */
  explain(): void {
    const { discovery } = this.declaration ?? {};
    if (!this.#present || !discovery) return;
    const snapshots = this.#providers.snapshots(discovery);
    const lister = this.#lister;
    if (snapshots.length === 0 || this.#awaitsSight) return;
    this.#names.explain(
      { ...this.#present, lister, snapshots, providers: this.#providers.statuses(discovery) },
      this.#outside,
    );
  }

  /** All that there is to tell people. */
  overview(): Overview {
    const { resolution } = this.#surroundings;
    return {
      instance: this.declaration?.name ?? '',
      zones: this.#zones.report?.reports ?? [],
      discovery: this.#providers.report(this.declaration?.discovery),
      ...(resolution && { resolution }),
      names: this.#names.list ?? [],
    };
  }

  get discovery(): Report['discovery'] {
    return this.#providers.report(this.declaration?.discovery);
  }

  /** Milliseconds since ExternalDNS last finished a loop, of several the longest; undefined before the first one. */
  get discoveryAge(): number | undefined {
    const { discovery } = this.declaration ?? {};
    const finishedAt = discovery && this.#providers.completedAt(discovery);
    return finishedAt === undefined ? undefined : this.#now() - finishedAt;
  }

  /** How many loops of ExternalDNS in a row got no verdict, or could not change what it said. */
  get failedLoops(): number {
    const { discovery } = this.declaration ?? {};
    return discovery ? this.#providers.failedLoops(discovery) : 0;
  }

  /** How many names the delete guard holds. */
  get heldNames(): number {
    const { discovery } = this.declaration ?? {};
    return discovery ? this.#providers.heldNames(discovery) : 0;
  }

  get names(): Pick<Names, 'list' | 'counts'> {
    return this.#names;
  }

  /** What to say of it all; nothing before the zones were brought to what is declared, or could not be. */
  report(): Report | undefined {
    const { report } = this.#zones;
    if (!this.#declared || !report) return undefined;
    const names = this.#names.report();
    const { missing = [], resolution, served, storage } = this.#surroundings;
    const all = [...(this.#mirror?.warnings ?? []), ...report.warnings];
    const warnings = all.slice(0, bounds.warnings).map((each) => each.slice(0, bounds.message));
    return {
      declaration: report.hash,
      zones: report.reports,
      ...(warnings.length > 0 && { warnings }),
      discovery: {
        ...this.#providers.report(this.#declared.declaration.discovery),
        ...(missing.length > 0 && { missing: missing.slice(0, bounds.missing) }),
      },
      ...(names && { names }),
      ...(resolution && { resolution }),
      ...(served && { served }),
      ...(storage && { storage }),
    };
  }

  /** Whether the pod may be asked: everything declared answers and everything wanted was published once. Stays true. */
  get isReady(): boolean {
    const { report } = this.#zones;
    if (this.#wasReady || !this.#declared || report?.hash !== this.#declared.hash) return this.#wasReady;
    const discovery = this.#providers.report(this.#declared.declaration.discovery);
    const isAwaited = this.#mirror?.isPending ?? false;
    this.#wasReady = !isAwaited && isServing({ zones: report.reports, discovery });
    return this.#wasReady;
  }

  /**
   * Throws while the objects are not listed yet, as after a start: ExternalDNS merges what several want, and without them
   * nobody can tell whose address is whose. What cannot be listed at all is not waited for.
   */
  #expectSight(): void {
    if (this.#mirror?.isPending) throw new Error('what exists in the mirror only is not restored yet');
    if (this.#awaitsSight) throw new Error(`the ${this.#lister.unsynced()} are not listed yet`);
  }

  get #awaitsSight(): boolean {
    if (this.#lister.unsynced() === undefined) {
      this.#blindSince = undefined;
      return false;
    }
    this.#blindSince ??= this.#now();
    return this.#now() - this.#blindSince < sightPatienceMs;
  }

  /** What is kept without an object, once everybody has said so of the present declaration. */
  #keptWithoutObject(): ReadonlySet<string> | undefined {
    const { declaration } = this.#present ?? {};
    if (!declaration?.discovery || this.#providers.report(declaration.discovery).state !== 'Synced') return undefined;
    const snapshots = this.#providers.snapshots(declaration.discovery);
    if (snapshots.length === 0 || snapshots.some((each) => each.declaration !== declaration)) return undefined;
    const kept = snapshots.map((each) => each.kept);
    return this.#kept.get(kept, () => new Set(kept.flat().map(answerOf)));
  }

  async #write(provider: Provider, changes: Change[], { declaration, zones }: CurrentZones): Promise<void> {
    const there = new Map(zones.map((zone) => [zone.name, zone]));
    const declared = new Map(declaration.zones.map(({ name }) => [absolute(name), there.get(absolute(name))]));
    for (const [zone, ofZone] of Map.groupBy(changes, ({ rrset }) => zoneOf(rrset.name, declared))) {
      if (!zone) continue;
      // A record that a person made a moment ago is not to be lost.
      const names = new Set(ofZone.map(({ rrset }) => rrset.name));
      const allowed = provider.allowed(ofZone, await this.#database.refreshed(zone, names), declaration);
      const twinned = withOwnershipRecords(zone, allowed, declaration.discovery?.ownershipTXT);
      const isHome = (name: string) => zoneOf(name, declared) === zone;
      const reservations = { reservedNames: declaration.discovery?.reservedNames ?? [], isHome };
      const rejected = await this.#database.apply(zone, withWildcardBlocks(zone, twinned, reservations));
      provider.changesApplied(zone, allowed, rejected);
      // Beside a wildcard that PowerDNS did not take there is nothing to deny.
      if (!rejected.some(({ change }) => change.rrset.name.startsWith('*.'))) continue;
      await this.#database.apply(zone, withWildcardBlocks(await this.#database.refreshed(zone), [], reservations));
    }
  }

  async #bringZones(): Promise<void> {
    if (this.#declared)
      await this.#zones.reconcile(this.#declared, this.#providers.isStillDiscovered(this.declaration?.discovery));
  }

  /** Does an owner's work in turn, on the zones as they are; nothing for one that is not declared. */
  #asProvider<T>(
    namespace: string | undefined,
    otherwise: T,
    work: (provider: Provider, present: CurrentZones) => T | Promise<T>,
  ): Promise<T> {
    this.#providers.get(this.declaration, namespace)?.loops.touch();
    return this.#inTurn(async () => {
      const present = await this.#zones.current();
      this.#present = present;
      const provider = this.#providers.get(present.declaration, namespace);
      return provider ? work(provider, present) : otherwise;
    });
  }

  /** One at a time: whoever judges and writes sees zones that nobody else is changing. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** The targets that claims have at an absolute name, but for those that have too many. */
function targetsOn(name: string, lister: readonly SourceObject[]): ReadonlySet<string> {
  const lists = lister.flatMap((sourceObject) => partsAt(sourceObject, name).map(({ targets = [] }) => targets));
  return new Set(lists.filter((targets) => !hasTooManyTargets(targets)).flat());
}
