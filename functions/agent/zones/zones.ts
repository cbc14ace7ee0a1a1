import type { Logger } from 'pino';
import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { ZoneReport } from '../../contract/report.ts';
import { absolute, withoutDot } from '../../dns/name.ts';
import { emptyGuardState } from '../discovery/delete-guard-store.ts';
import { importOwnership } from '../discovery/ownership/adoption.ts';
import { messageOf } from '../lib/error-message.ts';
import { FailureLog } from '../lib/failure-log.ts';
import { MemoByKey } from '../lib/memo.ts';
import type { Database } from '../powerdns/database.ts';
import { rejectionMessage } from '../powerdns/powerdns.ts';
import { type Change, keyOf, ownershipOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import type { Signer } from '../signing/signer.ts';
import type { DesiredZone } from './desired-zone.ts';
import type { LuaSupport } from './lua-support.ts';
import { isRemovable, type PlanOptions, type ZonesPlan } from './plan.ts';
import type { PTRSource } from './ptr-records.ts';
import type { LoadedDeclaration, ServedDeclaration } from './served-declaration.ts';
import { ZonePlanner } from './zone-planner.ts';
import { ZoneSigning } from './zone-signing.ts';
import { changedMeanwhile, graceMs, luaIsOff, retainedStatuses, unavailable, ZoneProbe } from './zone-status.ts';

export interface ZonesOptions {
  database: Pick<Database, 'zones' | 'refreshed' | 'invalidate' | 'create' | 'apply' | 'remove'>;
  /** Reports whether a zone's SOA is answered over DNS. */
  answers: (zone: string) => Promise<boolean>;
  /** Asked only if there are LUA records. */
  lua: Pick<LuaSupport, 'ask'>;
  /** A zone is about to be created: whatever was known of one with this absolute name is gone. */
  onCreate?: ((name: string) => void) | undefined;
  /** Without it zones stay as they are. */
  signer?: Pick<Signer, 'reconcile'> | undefined;
  log: Logger;
  now: () => number;
  /** Of all zones together. */
  mostRecords?: number | undefined;
}

/** The statuses of the zones of one declaration. */
export interface ZonesReport {
  hash: string;
  reports: ZoneReport[];
  warnings: string[];
}

/** What the zones depend on beyond the declaration: as in `PlanOptions`. */
export type Discovered = Pick<PlanOptions, 'isStillDiscovered'> & {
  /** What Machines request, as far as it is published. */
  ptrSources?: ((zones: readonly Zone[]) => readonly PTRSource[]) | 'unknown' | undefined;
};

const mostWarnings = 20;
const noPTRSources: readonly PTRSource[] = [];

/** Reconciles PowerDNS's zones with the declaration. */
export class Zones {
  readonly #options: ZonesOptions;
  readonly #failureLog: FailureLog;
  readonly #imported = new MemoByKey<Zone, Zone>();
  readonly #planner: ZonePlanner;
  readonly #signing: ZoneSigning;
  readonly #probe: ZoneProbe;
  /** The last declaration that was reconciled. */
  #reconciled: LoadedDeclaration | undefined;
  /** The zones that the last reconcile has read, unless it changed any. */
  #unchanged: Zone[] | undefined;
  #report: ZonesReport | undefined;
  #succeededAt: number;
  /** Zones that are not created yet, by absolute name. */
  #pending = new Set<string>();
  /** Why a zone could not be changed, by its absolute name. */
  #failures = new Map<string, string>();

  constructor(options: ZonesOptions) {
    this.#options = options;
    this.#failureLog = new FailureLog(options.log);
    this.#planner = new ZonePlanner(options.mostRecords);
    this.#signing = new ZoneSigning(options.signer);
    this.#probe = new ZoneProbe(options);
    this.#succeededAt = options.now();
  }

  /** The statuses of the zones as last reconciled, or failed to be. Undefined before that. */
  get report(): ZonesReport | undefined {
    return this.#report;
  }

  /** @param discovered the same members for as long as they say the same */
  async reconcile(loaded: LoadedDeclaration, discovered: Discovered = {}): Promise<void> {
    try {
      this.#report = await this.#reconcile(loaded, discovered);
      this.#reconciled = loaded;
      this.#succeededAt = this.#options.now();
    } catch (error) {
      this.#fail(loaded, messageOf(error));
      throw error;
    }
  }

  /** Reads the zones, with the outline of what they follow. Fails while a declared one is missing: names in it cannot be evaluated. */
  async current(): Promise<{ declaration: ServedDeclaration; zones: Zone[] }> {
    if (!this.#reconciled) throw new Error('the declared zones do not exist yet');
    const { outline: declaration } = this.#reconciled;
    const zones = await this.#read(declaration);
    const names = new Set(zones.map(({ name }) => name));
    const missing = declaration.zones.find(
      ({ name }) => ![names, this.#failures, this.#pending].some((each) => each.has(absolute(name))),
    );
    if (missing) throw new Error(`the zone ${missing.name} does not exist`);
    return { declaration, zones };
  }

  /** Returns the zones after the last reconcile, and reads them again only if it changed any. */
  async reconciled(): Promise<{ declaration: ServedDeclaration; zones: Zone[] }> {
    if (!this.#reconciled || !this.#unchanged) return this.current();
    return { declaration: this.#reconciled.outline, zones: this.#unchanged };
  }

  /** Reads the zones; RRsets whose ownership ExternalDNS's TXT registry states are discovered ones. */
  async #read({ discovery }: ServedDeclaration): Promise<Zone[]> {
    return this.#withImportedOwnership(await this.#options.database.zones(), discovery);
  }

  #withImportedOwnership(zones: Zone[], discovery: DeclaredDiscovery | undefined): Zone[] {
    if (!discovery?.ownershipTXT) return zones;
    const { ownerID, ownershipTXT } = discovery;
    const of = [ownerID, JSON.stringify(ownershipTXT)];
    return zones.map((zone) => this.#imported.get(zone, of, () => importOwnership(zone, ownerID, ownershipTXT)));
  }

  async #reconcile(loaded: LoadedDeclaration, discovered: Discovered): Promise<ZonesReport> {
    const { declaration, hash } = loaded;
    const failures = new Map<string, string>();
    let applied = await this.#plan(loaded, discovered, failures);
    if ([...applied.zones, ...declaration.zones].some(({ dnssec }) => dnssec)) {
      // The parent of a newly signed zone gets its DS.
      if (await this.#sign(declaration, failures)) applied = await this.#plan(loaded, discovered, failures);
    }
    const { desired, lua, plan } = applied;
    const statuses = await Promise.all(
      declaration.zones.map(({ name }) => {
        const zone = desired.get(absolute(name));
        return this.#probe.status({
          name,
          failure: failures.get(absolute(name)) ?? zone?.problem,
          pending: zone?.pending ?? (lua || !zone?.rrsets.some(isLua) ? undefined : luaIsOff),
          signature: this.#signing.signature(name),
          wasServing: this.#report?.reports.some((each) => each.name === name && each.state === 'Serving') ?? false,
        });
      }),
    );
    this.#probe.retain(new Set(declaration.zones.map(({ name }) => name)));
    this.#failures = failures;
    this.#pending = new Set([...desired].flatMap(([name, { pending }]) => (pending === undefined ? [] : [name])));
    return {
      hash,
      reports: [...statuses, ...retainedStatuses(plan.retained)],
      warnings: plan.warnings.slice(0, mostWarnings),
    };
  }

  /** Plans and applies the changes; what fails for one zone is added to `failures`. */
  async #plan(loaded: LoadedDeclaration, discovered: Discovered, failures: Map<string, string>) {
    const { declaration } = loaded;
    const { discovery } = declaration;
    const { isStillDiscovered, ptrSources = noPTRSources } = discovered;
    const zones = await this.#read(declaration);
    const desired = this.#planner.desired(loaded, zones, this.#signing.dsRecords(declaration.zones));
    const lua = await this.#isLuaOn(desired);
    const plan = this.#planner.plan(desired, zones, {
      discovers: discovery !== undefined,
      reverse: discovery?.reverse === true,
      isStillDiscovered,
      ptrSources: typeof ptrSources === 'function' ? ptrSources(zones) : ptrSources,
      ownershipTXT: discovery?.ownershipTXT,
      reservedNames: discovery?.reservedNames,
      lua,
    });
    const { create, patch, remove, loops } = plan;
    this.#unchanged = [create, patch, remove].every((list) => list.length === 0) ? zones : undefined;
    await this.#apply(plan, discovery, failures);
    for (const [name, message] of loops) if (!failures.has(name)) failures.set(name, message);
    return { zones, desired, lua, plan };
  }

  async #apply(
    { create, patch, remove }: ZonesPlan,
    discovery: DeclaredDiscovery | undefined,
    failures: Map<string, string>,
  ): Promise<void> {
    const { database } = this.#options;
    const attempt = async (name: string, action: string, work: () => Promise<string | undefined>) => {
      const failure = await work().catch(rejectionMessage);
      this.#failureLog.record(action, failure, { zone: withoutDot(name) });
      if (failure) failures.set(name, failure);
      else this.#options.log.info({ zone: withoutDot(name) }, action);
    };
    for (const { name, rrsets } of create) {
      this.#options.onCreate?.(name);
      await attempt(
        name,
        'create zone',
        async () => (await database.create(name, rrsets, { metadata: emptyGuardState }))[0]?.message,
      );
    }
    for (const { zone, changes } of patch) {
      await attempt(zone.name, 'change zone', async () => {
        const valid = stillValid(zone, changes, await this.#reread(zone, changes, discovery));
        return (await database.apply(zone, valid))[0]?.message;
      });
    }
    for (const zone of remove) {
      await attempt(zone.name, 'remove zone', async () => {
        database.invalidate(zone);
        if (!isRemovable(await database.refreshed(zone))) return changedMeanwhile;
        return database.remove(zone).then(() => undefined);
      });
    }
  }

  /** Reads the names of a zone again that are about to lose an RRset. */
  async #reread(zone: Zone, changes: Change[], discovery: DeclaredDiscovery | undefined): Promise<Zone> {
    const losing = changes.filter(({ action }) => action === 'delete').map(({ rrset }) => rrset.name);
    if (losing.length === 0) return zone;
    const [current] = this.#withImportedOwnership(
      [await this.#options.database.refreshed(zone, new Set(losing))],
      discovery,
    );
    return current ?? zone;
  }

  async #isLuaOn(desired: Map<string, DesiredZone>): Promise<boolean> {
    const isNeeded = desired.values().some(({ rrsets }) => rrsets.some(isLua));
    return !isNeeded || this.#options.lua.ask();
  }

  async #sign({ zones }: ServedDeclaration, failures: Map<string, string>): Promise<boolean> {
    if (!this.#signing.isEnabled) return false;
    return this.#signing.reconcile(zones, await this.#options.database.zones(), failures);
  }

  #fail({ hash, declaration }: LoadedDeclaration, failure: string): void {
    if (this.#options.now() - this.#succeededAt < graceMs) return;
    const reports = declaration.zones.map(({ name }) => unavailable(name, failure, this.#signing.signature(name)));
    this.#report = { hash, reports, warnings: [] };
  }
}

/** Leaves out deletions of RRsets whose ownership has changed since they were planned. */
function stillValid(planned: Zone, changes: Change[], current: Zone): Change[] {
  const [before, after] = [planned, current].map((zone) => new Map(zone.rrsets.map((rrset) => [keyOf(rrset), rrset])));
  return changes.filter(({ action, rrset }) => {
    const existing = after?.get(keyOf(rrset));
    return action !== 'delete' || !existing || ownershipOf(existing) === ownershipOf(before?.get(keyOf(rrset)) ?? {});
  });
}

const isLua = ({ type }: RRset) => type === 'LUA';
