import { declaration as declarationSchema, hashOf } from '../contract/declaration.ts';
import { bounds, isServing, type Report, type Resolution } from '../contract/report.ts';
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
import type { OutOfZoneNames } from './resolver/out-of-zone-resolver.ts';
import { hasTooManyTargets, isOverLimit } from './sources/host-limit.ts';
import { noSources, partsAt, type SourceLister, type SourceObject } from './sources/source-object.ts';
import type { ZoneFiles } from './zones/zone-file.ts';
import type { LoadedDeclaration } from './zones/zone-planner.ts';
import { Zones, type ZonesOptions } from './zones/zones.ts';

/** What others observe and the report repeats. A member is absent until it is known. */
export interface Observations {
  /** Sources that the cluster does not serve. */
  missing?: NonNullable<Report['discovery']['missing']>;
  /** The optional kinds that the cluster serves. An empty list is an answer, too. */
  served?: string[];
  /** Why the API server cannot be reached. */
  reach?: string | undefined;
  /** Why the volume claim cannot grow. */
  storage?: string | undefined;
  /** The result of the self-test. */
  resolution?: Resolution | undefined;
}

export type AgentOptions = Omit<ZonesOptions, 'now'> & {
  database: DeleteGuardStoreOptions;
  /** The source objects of the cluster. */
  lister?: SourceLister;
  /** Mirrors the records that exist nowhere else. Absent without a cluster. */
  mirror?: Pick<RecordMirror, 'sync' | 'isPending' | 'warnings'> | undefined;
  /** Repeated in the report. Read at that time. */
  observations?: Readonly<Observations>;
  onPropagation?: NamesOptions['onPropagation'];
  /** Resolves names outside the zones. Without it they count as having addresses. */
  outOfZoneNames?: OutOfZoneNames | undefined;
  /** Monotonic milliseconds. */
  now?: () => number;
  timeOf?: TimeOf | undefined;
};

/** How long ExternalDNS gets no answer because sources have not synced. Milliseconds. */
const syncTimeoutMs = 30_000;

/**
 * The only writer of PowerDNS. It reconciles the zones with the declaration, and answers ExternalDNS. Every method fails
 * while PowerDNS does not answer, and leaves nothing half done: a zone changes in one transaction.
 */
export class Agent {
  readonly #now: () => number;
  readonly #database: AgentOptions['database'];
  readonly #zones: Zones;
  readonly #lister: SourceLister;
  readonly #providers: Providers;
  readonly #names: Names;
  readonly #outOfZoneNames: OutOfZoneNames | undefined;
  readonly #observations: Readonly<Observations>;
  readonly #guardStore: DeleteGuardStore;
  readonly #mirror: AgentOptions['mirror'];
  readonly #kept = new Memo<ReadonlySet<string>>();
  #declared: LoadedDeclaration | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #wasReady = false;
  #unsyncedSince: number | undefined;
  /** The zones as they were last read. */
  #current: CurrentZones | undefined;

  constructor({
    now = monotonicNow,
    timeOf,
    lister = noSources,
    mirror,
    observations = {},
    onPropagation,
    outOfZoneNames,
    ...options
  }: AgentOptions) {
    this.#outOfZoneNames = outOfZoneNames;
    this.#now = now;
    this.#lister = lister;
    this.#mirror = mirror;
    this.#observations = observations;
    this.#providers = new Providers({ log: options.log, now, timeOf, mostRecords: options.mostRecords });
    this.#names = new Names({ onPropagation, now });
    this.#database = options.database;
    this.#zones = new Zones({ now, ...options });
    this.#guardStore = new DeleteGuardStore(options.database);
  }

  get declaration(): LoadedDeclaration['declaration'] | undefined {
    return this.#declared?.declaration;
  }

  /** Adopts a declaration. Returns whether it changed; throws if the text is not a valid declaration. */
  setDeclaration(text: string): boolean {
    const hash = hashOf(text);
    if (hash === this.#declared?.hash) return false;
    const files = this.#declared?.files ?? new Map();
    this.#declared = { hash, declaration: parse(text, declarationSchema), files };
    const { discovery } = this.#declared.declaration;
    this.#providers.setDiscovery(discovery);
    if (discovery) this.#names.setSyncInterval(discovery.intervalSeconds);
    else this.#names.clear();
    return true;
  }

  setZoneFiles(files: ZoneFiles): void {
    if (this.#declared) this.#declared = { ...this.#declared, files: new Map(files) };
  }

  /** Reconciles the zones with the declaration. */
  reconcile(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#reconcileZones();
      // What ExternalDNS published may be lost, also while it does not call.
      if (!this.#declared) return;
      this.#current = await this.#zones.reconciled();
      const reread = () => this.#zones.current();
      if (await this.#mirror?.sync(this.#current, reread, this.#keptWithoutObject())) this.#current = await reread();
    });
  }

  /** A zone of PowerDNS as it was last read. */
  zone(name: string): Zone | undefined {
    return this.#current?.zones.find((zone) => zone.name === absolute(name));
  }

  /** Records: what the ExternalDNS of a namespace, or of the cluster, made and may change. */
  records(namespace?: string): Promise<Endpoint[]> {
    this.#providers.get(this.declaration, namespace)?.loops.start();
    return this.#asProvider(namespace, [], (provider, current) => provider.records(current));
  }

  /** The targets that source objects give a host, by its absolute name. Undefined if all of them are over the host limit there. */
  seenAt(name: string): SeenTargets | undefined {
    const lister = this.#lister.byHost(name);
    if (lister.length > 0 && lister.every((sourceObject) => isOverLimit(sourceObject, name))) return undefined;
    let seen: ReadonlySet<string> | undefined;
    const targets = () => {
      seen ??= targetsOn(name, lister);
      return seen;
    };
    // Computed on demand: few endpoints need it.
    return {
      get size() {
        return targets().size;
      },
      has: (target) => targets().has(target),
    };
  }

  /** AdjustEndpoints: everything that ExternalDNS wants, as it should be. */
  adjustEndpoints(wanted: Endpoint[], namespace?: string): Promise<Endpoint[]> {
    const loop = this.#providers.get(this.declaration, namespace)?.loops.current ?? 0;
    return this.#asProvider(namespace, [], async (provider, current) => {
      this.#requireSync();
      if (!provider.isGuardRestored) provider.restoreGuard(await this.#guardStore.read(provider.id, current));
      const { answer, ownershipUpdates } = provider.adjustEndpoints(wanted, current, this.#lister);
      // Stored before ExternalDNS acts on the answer.
      await this.#guardStore.write(provider.id, provider.missingNames, current);
      await this.#write(provider, ownershipUpdates, current);
      provider.loops.evaluated(loop);
      return answer;
    });
  }

  /** ApplyChanges: what ExternalDNS makes of the answer, in one transaction a zone. */
  applyChanges(endpoints: EndpointChanges, namespace?: string): Promise<void> {
    this.#providers.get(this.declaration, namespace)?.loops.startChanges();
    return this.#asProvider(namespace, undefined, async (provider, current) => {
      await this.#write(provider, provider.changes(endpoints, current), current);
      provider.loops.complete();
      const { reverse, ownershipTXT } = current.declaration.discovery ?? {};
      // PTR and ownership records follow from what was published.
      if (reverse || ownershipTXT) await this.#reconcileZones();
      this.#current = await this.#zones.current();
    });
  }

  /** Records why a request of ExternalDNS failed. */
  recordFailure(failure: string, namespace?: string): void {
    this.#providers.get(this.declaration, namespace)?.loops.fail(failure);
  }

  /** Recomputes the verdicts if an input changed. Call it periodically. */
  explain(): void {
    const { discovery } = this.declaration ?? {};
    if (!this.#current || !discovery) return;
    const decisions = this.#providers.decisions(discovery);
    const lister = this.#lister;
    if (decisions.length === 0 || this.#awaitsSync) return;
    this.#names.update(
      { ...this.#current, lister, decisions, providers: this.#providers.statuses(discovery) },
      this.#outOfZoneNames,
    );
  }

  /** Everything that the page shows. */
  overview(): Overview {
    const { resolution } = this.#observations;
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

  /** Milliseconds since the last completed loop; of several ExternalDNS the longest. Undefined before the first. */
  get discoveryAge(): number | undefined {
    const { discovery } = this.declaration ?? {};
    const finishedAt = discovery && this.#providers.completedAt(discovery);
    return finishedAt === undefined ? undefined : this.#now() - finishedAt;
  }

  /** Consecutive loops of ExternalDNS without an answer, or whose changes could not be applied. */
  get failedLoops(): number {
    const { discovery } = this.declaration ?? {};
    return discovery ? this.#providers.failedLoops(discovery) : 0;
  }

  /** The number of names that the delete guard holds. */
  get heldNames(): number {
    const { discovery } = this.declaration ?? {};
    return discovery ? this.#providers.heldNames(discovery) : 0;
  }

  get names(): Pick<Names, 'list' | 'counts'> {
    return this.#names;
  }

  /** The report. Undefined until the first reconcile has succeeded or failed. */
  report(): Report | undefined {
    const { report } = this.#zones;
    if (!this.#declared || !report) return undefined;
    const names = this.#names.report();
    const { missing = [], resolution, served, storage } = this.#observations;
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

  /** Readiness: everything declared is served, and everything desired was published once. Stays true. */
  get isReady(): boolean {
    const { report } = this.#zones;
    if (this.#wasReady || !this.#declared || report?.hash !== this.#declared.hash) return this.#wasReady;
    const discovery = this.#providers.report(this.#declared.declaration.discovery);
    const isAwaited = this.#mirror?.isPending ?? false;
    this.#wasReady = !isAwaited && isServing({ zones: report.reports, discovery });
    return this.#wasReady;
  }

  /**
   * Throws while sources have not synced, as after a start: ExternalDNS merges the endpoints of several objects, and without
   * the objects nobody can tell which address is whose. Sources that cannot be listed at all are waited for briefly.
   */
  #requireSync(): void {
    if (this.#mirror?.isPending) throw new Error('what exists in the mirror only is not restored yet');
    if (this.#awaitsSync) throw new Error(`the ${this.#lister.unsynced()} are not listed yet`);
  }

  get #awaitsSync(): boolean {
    if (this.#lister.unsynced() === undefined) {
      this.#unsyncedSince = undefined;
      return false;
    }
    this.#unsyncedSince ??= this.#now();
    return this.#now() - this.#unsyncedSince < syncTimeoutMs;
  }

  /** Records that only the policy keeps, once every provider has decided for the present declaration. */
  #keptWithoutObject(): ReadonlySet<string> | undefined {
    const { declaration } = this.#current ?? {};
    if (!declaration?.discovery || this.#providers.report(declaration.discovery).state !== 'Synced') return undefined;
    const decisions = this.#providers.decisions(declaration.discovery);
    if (decisions.length === 0 || decisions.some((each) => each.declaration !== declaration)) return undefined;
    const kept = decisions.map((each) => each.kept);
    return this.#kept.get(kept, () => new Set(kept.flat().map(answerOf)));
  }

  async #write(provider: Provider, changes: Change[], { declaration, zones }: CurrentZones): Promise<void> {
    const there = new Map(zones.map((zone) => [zone.name, zone]));
    const declared = new Map(declaration.zones.map(({ name }) => [absolute(name), there.get(absolute(name))]));
    for (const [zone, ofZone] of Map.groupBy(changes, ({ rrset }) => zoneOf(rrset.name, declared))) {
      if (!zone) continue;
      // A record that a person has just made must not be lost.
      const names = new Set(ofZone.map(({ rrset }) => rrset.name));
      const allowed = provider.allowed(ofZone, await this.#database.refreshed(zone, names), declaration);
      const withOwnership = withOwnershipRecords(zone, allowed, declaration.discovery?.ownershipTXT);
      const isInZone = (name: string) => zoneOf(name, declared) === zone;
      const reservations = { reservedNames: declaration.discovery?.reservedNames ?? [], isHome: isInZone };
      const rejected = await this.#database.apply(zone, withWildcardBlocks(zone, withOwnership, reservations));
      provider.changesApplied(zone, allowed, rejected);
      // A wildcard that PowerDNS rejected needs no blocks.
      if (!rejected.some(({ change }) => change.rrset.name.startsWith('*.'))) continue;
      await this.#database.apply(zone, withWildcardBlocks(await this.#database.refreshed(zone), [], reservations));
    }
  }

  async #reconcileZones(): Promise<void> {
    if (this.#declared)
      await this.#zones.reconcile(this.#declared, this.#providers.isStillDiscovered(this.declaration?.discovery));
  }

  /** Runs `work` in turn, on the current zones; resolves to `otherwise` if the provider is not declared. */
  #asProvider<T>(
    namespace: string | undefined,
    otherwise: T,
    work: (provider: Provider, current: CurrentZones) => T | Promise<T>,
  ): Promise<T> {
    this.#providers.get(this.declaration, namespace)?.loops.touch();
    return this.#inTurn(async () => {
      const current = await this.#zones.current();
      this.#current = current;
      const provider = this.#providers.get(current.declaration, namespace);
      return provider ? work(provider, current) : otherwise;
    });
  }

  /** One at a time, so that nobody changes the zones between a decision and its write. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** The targets of source objects at an absolute name, without lists that are over the limit. */
function targetsOn(name: string, lister: readonly SourceObject[]): ReadonlySet<string> {
  const lists = lister.flatMap((sourceObject) => partsAt(sourceObject, name).map(({ targets = [] }) => targets));
  return new Set(lists.filter((targets) => !hasTooManyTargets(targets)).flat());
}
