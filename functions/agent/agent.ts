import type { Declaration } from '../contract/declaration.ts';
import { bounds, isServing, type Report, type Resolution, type ZoneReport } from '../contract/report.ts';
import type { NameState } from '../contract/verdict.ts';
import { absolute } from '../dns/name.ts';
import { ChangeWriter } from './change-writer.ts';
import { AnticipationDifferences } from './discovery/anticipation-differences.ts';
import { DeleteGuardStore, type DeleteGuardStoreOptions } from './discovery/delete-guard-store.ts';
import type { Endpoint, EndpointChanges, SeenTargets } from './discovery/endpoint.ts';
import { zoneNames } from './discovery/name-context.ts';
import type { CurrentZones, Provider } from './discovery/provider.ts';
import { Providers } from './discovery/providers.ts';
import { hasClaims, hasOnlyOwnKinds, hasOwnKinds, scopesOf } from './discovery/scope.ts';
import { monotonicNow, type TimeOf } from './lib/clock.ts';
import { messageOf } from './lib/error-message.ts';
import { Memo } from './lib/memo.ts';
import { type ObjectOutcome, Outcomes } from './machines/outcomes.ts';
import { publishedReverse } from './machines/published-reverse.ts';
import type { Reverse } from './machines/reverse.ts';
import { TranslatedSources } from './machines/translated-sources.ts';
import type { Translation } from './machines/translation.ts';
import type { RecordMirror } from './mirror/record-mirror.ts';
import { Names, type NamesOptions } from './names/names.ts';
import type { Overview } from './names/overview.ts';
import { answerOf, type Zone } from './powerdns/rrset.ts';
import type { HostNameTargets } from './resolver/host-names.ts';
import type { OutOfZoneNames } from './resolver/out-of-zone-resolver.ts';
import { hasTooManyTargets, isOverLimit } from './sources/host-limit.ts';
import {
  noSources,
  partsAt,
  type SourceChange,
  type SourceLister,
  type SourceObject,
} from './sources/source-object.ts';
import { ServedSpec } from './team-zones/served-spec.ts';
import { TeamZones, type TeamZonesOptions } from './team-zones/team-zones.ts';
import type { ZoneOutcome } from './team-zones/zone-outcomes.ts';
import { stored, withAddresses } from './zones/computed-rrset.ts';
import { LuaSupport } from './zones/lua-support.ts';
import { isOfTeam } from './zones/served-declaration.ts';
import type { ZoneFiles } from './zones/zone-file.ts';
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
  /** What the pods of the resolver show. */
  resolver?: Report['resolver'];
  /** How the split DNS of a tailnet is kept. */
  splitDNS?: Report['splitDNS'];
  /** The addresses of the pod's node. */
  hostIPs?: string[];
  /** The result of the self-test. */
  resolution?: Resolution | undefined;
}

export type AgentOptions = Omit<ZonesOptions, 'now' | 'onCreate' | 'lua'> & {
  database: DeleteGuardStoreOptions;
  /** Asks PowerDNS whether it runs LUA records. Without it, it does. */
  lua?: (() => Promise<boolean>) | undefined;
  /** The source objects of the cluster. */
  lister?: SourceLister;
  /** Mirrors the records that exist nowhere else. Absent without a cluster. */
  mirror?: Pick<RecordMirror, 'sync' | 'isPending' | 'warnings'> | undefined;
  /** Repeated in the report. Read at that time. */
  observations?: Readonly<Observations>;
  onPropagation?: NamesOptions['onPropagation'];
  /** Resolves names outside the zones. Without it they count as having addresses. */
  outOfZoneNames?: OutOfZoneNames | undefined;
  /** Follows the addresses of targets that are host names. Without it they stay CNAMEs. */
  hostNames?: HostNameTargets | undefined;
  dsOf?: TeamZonesOptions['dsOf'];
  /** Monotonic milliseconds. */
  now?: () => number;
  timeOf?: TimeOf | undefined;
};

type ProviderWork<T> = (provider: Provider, current: CurrentZones) => T | Promise<T>;

/** How long ExternalDNS gets no answer because sources have not synced. Milliseconds. */
const syncTimeoutMs = 30_000;

/**
 * The only writer of PowerDNS. It reconciles the zones with the declaration, and answers ExternalDNS. Every method fails
 * while PowerDNS does not answer, and leaves nothing half done: a zone changes in one transaction.
 */
export class Agent {
  readonly #now: () => number;
  readonly #writer: ChangeWriter;
  readonly #zones: Zones;
  readonly #teamZones: TeamZones;
  readonly #spec: ServedSpec;
  readonly #lister: TranslatedSources;
  readonly #providers: Providers;
  readonly #names: Names;
  readonly #outOfZoneNames: OutOfZoneNames | undefined;
  readonly #observations: Readonly<Observations>;
  readonly #guardStore: DeleteGuardStore;
  readonly #lua: LuaSupport;
  readonly #mirror: AgentOptions['mirror'];
  readonly #differences: AnticipationDifferences;
  readonly #kept = new Memo<ReadonlySet<string>>();
  readonly #reversed = new Memo<Reverse>();
  readonly #outcomes = new Outcomes();
  readonly #eventStates = new Memo<readonly NameState[]>();
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
    hostNames,
    dsOf,
    lua,
    ...options
  }: AgentOptions) {
    this.#outOfZoneNames = outOfZoneNames;
    this.#now = now;
    this.#lister = new TranslatedSources(lister, now);
    this.#mirror = mirror;
    this.#observations = observations;
    const { log, mostRecords } = options;
    this.#differences = new AnticipationDifferences(log);
    this.#providers = new Providers({ log, now, timeOf, mostRecords, hostNames, differences: this.#differences });
    this.#names = new Names({ onPropagation, now });
    this.#writer = new ChangeWriter(options.database);
    this.#lua = new LuaSupport(lua);
    this.#zones = new Zones({ now, onCreate: (name) => this.#teamZones.forget(name), lua: this.#lua, ...options });
    this.#guardStore = new DeleteGuardStore(options.database);
    this.#teamZones = new TeamZones({ database: options.database, dsOf, mostRecords, log, now, timeOf });
    this.#spec = new ServedSpec(this.#teamZones, now);
  }

  /** What the InternalDNS declares, without the zones of teams. */
  get declaration(): Declaration | undefined {
    return this.#spec.declaration;
  }

  /** Adopts a declaration. Returns whether it changed; throws if the text is not a valid declaration. */
  setDeclaration(text: string): boolean {
    const declaration = this.#spec.set(text);
    if (!declaration) return false;
    const { discovery } = declaration;
    this.#lua.renew();
    this.#providers.setDiscovery(discovery);
    if (discovery) this.#names.setSyncInterval(discovery.intervalSeconds);
    else this.#names.clear();
    return true;
  }

  setZoneFiles(files: ZoneFiles): void {
    this.#spec.setFiles(files);
  }

  /** Reconciles the zones with the declaration. */
  reconcile(): Promise<void> {
    return this.#inTurn(async () => {
      const startedAt = this.#now();
      const isChanged = await this.#spec.adopt(this.#lister.inventory);
      if (hasClaims(this.declaration?.discovery)) await this.#lua.ask();
      this.#translate();
      await this.#reconcileZones();
      if (isChanged) this.#spec.adopted(this.#now() - startedAt);
      // What ExternalDNS published may be lost, also while it does not call.
      if (!this.#spec.loaded) return;
      this.#current = await this.#zones.reconciled();
      const reread = () => this.#zones.current();
      if (await this.#mirror?.sync(this.#current, reread, this.#keptWithoutObject())) this.#current = await reread();
      await this.#teamZones.remember(this.#current.zones);
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
    this.#translate();
    const { current: loop = 0, startedAt = 0 } = this.#providers.get(this.declaration, namespace)?.loops ?? {};
    return this.#asProvider(namespace, [], async (provider, current) => {
      this.#requireSync();
      await this.#restoreGuard(provider, current);
      const { answer, changes } = provider.adjustEndpoints(wanted, current, this.#lister, startedAt);
      // Stored before ExternalDNS acts on the answer.
      await this.#guardStore.write(provider.id, provider.missingNames, current);
      await this.#writer.write(provider, changes, current);
      if (changes.length > 0 && hasOwnKinds(current.declaration.discovery)) await this.#reconcileDerived(current);
      provider.loops.evaluated(loop);
      return answer;
    });
  }

  /** ApplyChanges: what ExternalDNS makes of the answer, in one transaction a zone. */
  applyChanges(endpoints: EndpointChanges, namespace?: string): Promise<void> {
    this.#providers.get(this.declaration, namespace)?.loops.startChanges();
    return this.#asProvider(namespace, undefined, async (provider, current) => {
      await this.#writer.write(provider, provider.changes(endpoints, current), current);
      provider.loops.complete();
      await this.#reconcileDerived(current);
    });
  }

  /** Records that an object has changed what it asks for. */
  sourceChanged(change: SourceChange): void {
    const { discovery } = this.declaration ?? {};
    if (discovery) this.#providers.sourceChanged(change, discovery);
  }

  /**
   * Publishes what Machines and claims ask for, and what ExternalDNS is about to, in one transaction a zone. Returns whether
   * all of it is published: not before the first loop of ExternalDNS, and not while sources have not synced.
   */
  async anticipate(): Promise<boolean> {
    const { outline: declaration } = this.#spec.loaded ?? {};
    const { discovery } = declaration ?? {};
    this.#translate();
    const current = this.#current && declaration && { ...viewOf(this.#current), declaration };
    // Sources that cannot be listed at all are waited for briefly where no loop of ExternalDNS does so.
    const isAlone = hasOnlyOwnKinds(discovery);
    const isUnsynced = isAlone ? this.#awaitsSync : this.#lister.unsynced() !== undefined;
    const isBlind = this.#mirror?.isPending || isUnsynced;
    let isDone = true;
    for (const { namespace } of discovery ? scopesOf(discovery) : []) {
      const provider = this.#providers.get(declaration, namespace);
      if (!current || !provider?.isBehind(current, this.#lister)) continue;
      const canPublish = !isBlind && (isAlone || provider.isSynced);
      const isPublished =
        canPublish && (isAlone ? await this.#publishAlone(provider, namespace) : await this.#anticipateIn(namespace));
      isDone = isDone && isPublished;
    }
    return isDone;
  }

  /** What ExternalDNS did not ask for although it was published, by kind, and the kinds that are left to it since. */
  get anticipation(): Pick<AnticipationDifferences, 'counts' | 'suspended'> {
    return this.#differences;
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
    this.#translate();
    this.#names.update(
      { ...viewOf(this.#current), lister, decisions, providers: this.#providers.statuses(discovery) },
      this.#outOfZoneNames,
    );
  }

  /** What the page shows of this agent's own work. */
  overview(): Omit<Overview, 'reach'> {
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

  /** Milliseconds since the last completed loop; of several ExternalDNS the longest. Undefined before the first, and without one. */
  get discoveryAge(): number | undefined {
    const { discovery } = this.declaration ?? {};
    if (hasOnlyOwnKinds(discovery)) return undefined;
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

  get names(): Pick<Names, 'list' | 'counts' | 'areSettling'> {
    return this.#names;
  }

  /**
   * What became of each Machine and claim: its translation, verdicts and PTR records. Undefined while there are no verdicts;
   * the same array, with the same members, until something changes.
   */
  get outcomes(): readonly ObjectOutcome[] | undefined {
    const { translation } = this.#lister;
    const { list: states } = this.#names;
    if (!translation || !states || !this.#current || !this.#spec.loaded) return undefined;
    const { findings } = this.#reverseIn(this.#current.zones, translation, this.#spec.loaded.outline);
    return this.#outcomes.of({ translation, states, reverse: findings });
  }

  /** What became of each Zone; the same array, with the same members, until something changes. Undefined while nobody knows. */
  get zoneOutcomes(): readonly ZoneOutcome[] | undefined {
    const { report } = this.#zones;
    return report && this.#spec.loaded && this.#teamZones.outcomes(this.#spec.loaded.outline, report.reports);
  }

  /** Whether Zones have changed. `Due`: the next reconcile should not wait. */
  get newZones(): ReturnType<ServedSpec['newZones']> {
    return this.#spec.newZones(this.#lister.inventory);
  }

  /** The states of the names that have Events: of all hosts, and of the zones of teams. Undefined before they are known. */
  get eventStates(): readonly NameState[] | undefined {
    const { list } = this.#names;
    const zones = this.zoneOutcomes ?? [];
    if (zones.length === 0 || !list) return list;
    return this.#eventStates.get([list, zones], () => [...list, ...this.#teamZones.states(zones)]);
  }

  /** The object that an Event is about, and when it was created, whether or not its hosts are published. */
  sourceObjectOf(resource: string): Pick<SourceObject, 'uid'> | undefined {
    return this.#lister.get(resource) ?? this.#lister.filteredOf(resource)[0] ?? this.#teamZones.objectOf(resource);
  }

  /** The report. Undefined until the first reconcile has succeeded or failed. */
  report(): Report | undefined {
    const { report } = this.#zones;
    if (!this.#spec.loaded || !report) return undefined;
    const names = this.#names.report();
    const { missing = [], resolution, served, storage, hostIPs, resolver, splitDNS } = this.#observations;
    const all = [...(this.#mirror?.warnings ?? []), ...report.warnings];
    const warnings = all.slice(0, bounds.warnings).map((each) => each.slice(0, bounds.message));
    return {
      declaration: report.hash,
      zones: this.#ofSpec(report.reports),
      ...(warnings.length > 0 && { warnings }),
      discovery: {
        ...this.#providers.report(this.#spec.loaded.declaration.discovery),
        ...(missing.length > 0 && { missing: missing.slice(0, bounds.missing) }),
      },
      ...(names && { names }),
      ...(resolution && { resolution }),
      ...(hostIPs && { hostIPs }),
      ...(served && { served }),
      ...(storage && { storage }),
      ...(resolver && { resolver }),
      ...(splitDNS && { splitDNS }),
    };
  }

  /** Readiness: everything declared is served, and everything desired was published once. Stays true. */
  get isReady(): boolean {
    const { report } = this.#zones;
    if (this.#wasReady || !this.#spec.loaded || report?.hash !== this.#spec.loaded.hash) return this.#wasReady;
    const discovery = this.#providers.report(this.#spec.loaded.declaration.discovery);
    const isAwaited = this.#mirror?.isPending ?? false;
    this.#wasReady = !isAwaited && isServing({ zones: this.#ofSpec(report.reports), discovery });
    return this.#wasReady;
  }

  /** Whether no zone waits for anything, of the spec or of a team. */
  get isSettled(): boolean {
    return this.#zones.report?.reports.every(({ state }) => state !== 'Pending') ?? false;
  }

  /** The report is bounded, and what teams declare is told in their own objects. */
  #ofSpec(reports: ZoneReport[]): ZoneReport[] {
    const ofTeams = new Set(this.#spec.loaded?.declaration.zones.filter(isOfTeam).map(({ name }) => name));
    return ofTeams.size === 0 ? reports : reports.filter(({ name }) => !ofTeams.has(name));
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
    return this.#kept.get(kept, () => new Set(stored(kept.flat()).map(answerOf)));
  }

  /** Translates Machines and claims that have changed. */
  #translate(): void {
    const { outline } = this.#spec.loaded ?? {};
    if (outline && !this.#awaitsSync) this.#lister.update(outline, this.#lua.isOn);
  }

  /** As a loop of an ExternalDNS would, where none runs. */
  async #publishAlone({ loops }: Provider, namespace: string | undefined): Promise<boolean> {
    loops.touch();
    loops.start();
    try {
      const isDone = await this.#anticipateIn(namespace);
      loops.complete();
      return isDone;
    } catch (error) {
      loops.fail(messageOf(error));
      throw error;
    }
  }

  #anticipateIn(namespace: string | undefined): Promise<boolean> {
    return this.#inScope(namespace, true, (provider, current) => this.#anticipateFor(provider, current));
  }

  async #restoreGuard(provider: Provider, current: CurrentZones): Promise<void> {
    if (!provider.isGuardRestored) provider.restoreGuard(await this.#guardStore.read(provider.id, current));
  }

  async #anticipateFor(provider: Provider, current: CurrentZones): Promise<boolean> {
    await this.#restoreGuard(provider, current);
    const changes = provider.anticipate(current, this.#lister);
    if (!changes) return !provider.isBehind(current, this.#lister);
    await this.#guardStore.write(provider.id, provider.missingNames, current);
    await this.#writer.write(provider, changes, current);
    provider.anticipationApplied();
    if (changes.length > 0) await this.#reconcileDerived(current);
    return !provider.isSettling;
  }

  /** PTR and ownership records follow from what was published. */
  async #reconcileDerived({ declaration }: CurrentZones): Promise<void> {
    const { reverse, ownershipTXT } = declaration.discovery ?? {};
    if (reverse || ownershipTXT || hasOwnKinds(declaration.discovery)) await this.#reconcileZones();
    this.#current = await this.#zones.current();
  }

  async #reconcileZones(): Promise<void> {
    if (!this.#spec.loaded) return;
    const { outline: declaration } = this.#spec.loaded;
    const { translation } = this.#lister;
    const ofMachines = translation
      ? (zones: readonly Zone[]) => this.#reverseIn(zones, translation, declaration).sources
      : ('unknown' as const);
    await this.#zones.reconcile(this.#spec.loaded, {
      isStillDiscovered: this.#providers.isStillDiscovered(declaration.discovery),
      ptrSources: hasOwnKinds(declaration.discovery) ? ofMachines : undefined,
    });
  }

  /** The PTR records of Machines. The same while the Machines and the zones are. */
  #reverseIn(zones: readonly Zone[], translation: Translation, { zones: declared, discovery }: Declaration): Reverse {
    const lister = this.#lister;
    const reverse = discovery?.reverse === true;
    // Only who else has an address depends on other objects.
    return this.#reversed.get([translation, declared, reverse && lister.version, ...zones], () =>
      publishedReverse({
        machines: translation.machines,
        declared: zoneNames({ zones: declared }),
        zones: zones.map(withAddresses),
        reverse,
        lister,
      }),
    );
  }

  /** As `#inScope`, for a request of ExternalDNS. */
  #asProvider<T>(namespace: string | undefined, otherwise: T, work: ProviderWork<T>): Promise<T> {
    this.#providers.get(this.declaration, namespace)?.loops.touch();
    return this.#inScope(namespace, otherwise, work);
  }

  /** Runs `work` in turn, on the current zones; resolves to `otherwise` if the provider is not declared. */
  #inScope<T>(namespace: string | undefined, otherwise: T, work: ProviderWork<T>): Promise<T> {
    return this.#inTurn(async () => {
      this.#current = await this.#zones.current();
      const current = viewOf(this.#current);
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

/** The zones with the addresses of computed answers. */
const viewOf = (current: CurrentZones): CurrentZones => ({ ...current, zones: current.zones.map(withAddresses) });

/** The targets of source objects at an absolute name, without lists that are over the limit. */
function targetsOn(name: string, lister: readonly SourceObject[]): ReadonlySet<string> {
  const lists = lister.flatMap((sourceObject) => partsAt(sourceObject, name).map(({ targets = [] }) => targets));
  return new Set(lists.filter((targets) => !hasTooManyTargets(targets)).flat());
}
