import type { Logger } from 'pino';
import type { Declaration, DeclaredDiscovery, DeclaredZone } from '../../contract/declaration.ts';
import type { ZoneReport } from '../../contract/report.ts';
import { absolute, withoutDot } from '../../dns/name.ts';
import { emptyGuardState } from '../discovery/delete-guard-store.ts';
import { importOwnership } from '../discovery/ownership/adoption.ts';
import { messageOf } from '../lib/error-message.ts';
import { FailureLog } from '../lib/failure-log.ts';
import { Memo } from '../lib/memo.ts';
import type { Database } from '../powerdns/database.ts';
import { PowerDNSRejection } from '../powerdns/powerdns.ts';
import { type Change, keyOf, ownershipOf, type RRset, totalCost, type Zone } from '../powerdns/rrset.ts';
import type { Signature, Signer } from '../signing/signer.ts';
import { type CurrentCost, type DesiredZone, desiredZones } from './desired-zone.ts';
import { isRemovable, type PlanOptions, planZones, type ZonesPlan } from './plan.ts';
import { nameOf, type ZoneFiles } from './zone-file.ts';

export interface ZonesOptions {
  database: Pick<Database, 'zones' | 'refreshed' | 'invalidate' | 'create' | 'apply' | 'remove'>;
  /** Whether a zone's SOA is answered over DNS. */
  answers: (zone: string) => Promise<boolean>;
  /** Whether PowerDNS takes and works out LUA records, asked only when there are any. */
  lua?: () => Promise<boolean>;
  /** None where nothing keeps keys: zones stay as they are. */
  signer?: Pick<Signer, 'reconcile'> | undefined;
  log: Logger;
  now: () => number;
  /** Of all zones together. */
  mostRecords?: number | undefined;
}

/** How long PowerDNS may be silent, as in a restart, before a zone counts as failed. Milliseconds. */
const patienceMs = 10_000;

/** A declaration with its zone files, and the hash of its text. */
export interface LoadedDeclaration {
  hash: string;
  declaration: Declaration;
  files: ZoneFiles;
}

/** What there is to say of the zones, and of which declaration. */
export interface ZonesReport {
  hash: string;
  reports: ZoneReport[];
  warnings: string[];
}

/** The declared zones: it brings PowerDNS to them, and says how they are. */
export class Zones {
  readonly #options: ZonesOptions;
  readonly #failureLog: FailureLog;
  /** What the zones were last brought to. */
  #reconciled: LoadedDeclaration | undefined;
  #reported: ZonesReport | undefined;
  #reachedAt: number;
  #silentSince = new Map<string, number>();
  /** Zones that are not made yet, for what they wait for. */
  #waiting = new Set<string>();
  /** What PowerDNS had against a zone, by its absolute name. */
  #failures = new Map<string, string>();
  #signatures = new Map<string, Signature>();
  #lua = true;
  #owns: PlanOptions['isStillDiscovered'];
  /** As they were read by a reconciliation that had nothing to change. */
  #settled: Zone[] | undefined;
  readonly #compared = new Memo<ZonesPlan>();
  readonly #current = new Memo<CurrentCost | undefined>();
  readonly #contents = new Memo<Map<string, DesiredZone>>();

  constructor(options: ZonesOptions) {
    this.#options = options;
    this.#failureLog = new FailureLog(options.log);
    this.#reachedAt = options.now();
  }

  /** How the zones are, and of which declaration that is said: of a new one not before the zones follow it. */
  get report(): ZonesReport | undefined {
    return this.#reported;
  }

  /** @param owns whether there is still somebody who discovers an RRset: the same function for as long as it says the same */
  async reconcile(declared: LoadedDeclaration, owns?: PlanOptions['isStillDiscovered']): Promise<void> {
    this.#owns = owns;
    try {
      this.#reported = await this.#bringTo(declared);
      this.#reconciled = declared;
      this.#reachedAt = this.#options.now();
    } catch (error) {
      this.#fail(declared, messageOf(error));
      throw error;
    }
  }

  /**
   * The zones as they are, and the declaration that they were last brought to. Fails while a declared one is missing:
   * a wish for a name in it would be judged against nothing.
   */
  async current(): Promise<{ declaration: Declaration; zones: Zone[] }> {
    if (!this.#reconciled) throw new Error('the declared zones are not there yet');
    const { declaration } = this.#reconciled;
    const zones = await this.#zones(declaration);
    const there = new Set(zones.map(({ name }) => name));
    const lost = declaration.zones.find(
      ({ name }) => ![there, this.#failures, this.#waiting].some((names) => names.has(absolute(name))),
    );
    if (lost) throw new Error(`the zone ${lost.name} is not there`);
    return { declaration, zones };
  }

  /** The same as the last reconciliation has left them: read again only where it has changed something. */
  async reconciled(): Promise<{ declaration: Declaration; zones: Zone[] }> {
    if (!this.#reconciled || !this.#settled) return this.current();
    return { declaration: this.#reconciled.declaration, zones: this.#settled };
  }

  /** As PowerDNS has them, with what came back from ExternalDNS's own registry among the discovered. */
  async #zones({ discovery }: Declaration): Promise<Zone[]> {
    return withAdopted(await this.#options.database.zones(), discovery);
  }

  async #bringTo(declared: LoadedDeclaration): Promise<ZonesReport> {
    const { declaration, hash } = declared;
    const failures = new Map<string, string>();
    let changed = await this.#change(declared, failures);
    const { zones, warnings, retained } = changed;
    if ([...zones, ...declaration.zones].some(({ dnssec }) => dnssec)) {
      // What a signed zone's parent has to say of it is known only afterwards.
      if (await this.#sign(declaration, failures)) changed = await this.#change(declared, failures);
    }
    const { contents } = changed;
    const reports = await Promise.all(
      declaration.zones.map((zone) => this.#report(zone, contents.get(absolute(zone.name)), failures)),
    );
    const names = new Set(declaration.zones.map(({ name }) => name));
    this.#silentSince = new Map([...this.#silentSince].filter(([name]) => names.has(name)));
    this.#failures = failures;
    this.#waiting = new Set([...contents].flatMap(([name, { pending }]) => (pending === undefined ? [] : [name])));
    const kept = retained.map(
      ({ name, message }): ZoneReport => ({ name: withoutDot(name), state: 'Retained', message }),
    );
    return { hash, reports: [...reports, ...kept.slice(0, 32)], warnings: warnings.slice(0, 20) };
  }

  /** Brings the records there; what one zone has against it goes into `failures`. */
  async #change(declared: LoadedDeclaration, failures: Map<string, string>) {
    const { database } = this.#options;
    const { discovery } = declared.declaration;
    const zones = await this.#zones(declared.declaration);
    const contents = this.#contentsOf(declared, zones);
    this.#lua = await this.#isLuaOn(contents);
    const { create, patch, remove, loops, ...rest } = this.#compare(contents, zones, {
      discovers: discovery !== undefined,
      reverse: discovery?.reverse === true,
      isStillDiscovered: this.#owns,
      ownershipTXT: discovery?.ownershipTXT,
      reservedNames: discovery?.reservedNames,
      lua: this.#lua,
    });
    this.#settled = [create, patch, remove].every((list) => list.length === 0) ? zones : undefined;
    const attempt = async (name: string, action: string, work: () => Promise<string | undefined>) => {
      const failure = await work().catch(wordsOf);
      this.#failureLog.record(action, failure, { zone: withoutDot(name) });
      if (failure) failures.set(name, failure);
      else this.#options.log.info({ zone: withoutDot(name) }, action);
    };
    for (const { name, rrsets } of create) {
      await attempt(
        name,
        'create zone',
        async () => (await database.create(name, rrsets, { metadata: emptyGuardState }))[0]?.message,
      );
    }
    for (const { zone, changes } of patch) {
      await attempt(zone.name, 'change zone', async () => {
        const still = stillMeant(zone, changes, await this.#now(zone, changes, discovery));
        return (await database.apply(zone, still))[0]?.message;
      });
    }
    for (const zone of remove) {
      await attempt(zone.name, 'remove zone', async () => {
        database.invalidate(zone);
        if (!isRemovable(await database.refreshed(zone))) return changedMeanwhile;
        return database.remove(zone).then(() => undefined);
      });
    }
    for (const [name, message] of loops) if (!failures.has(name)) failures.set(name, message);
    return { zones, contents, ...rest };
  }

  /** A zone with the names that lose something as they are at this moment. */
  async #now(zone: Zone, changes: Change[], discovery: DeclaredDiscovery | undefined): Promise<Zone> {
    const losing = changes.filter(({ action }) => action === 'delete').map(({ rrset }) => rrset.name);
    if (losing.length === 0) return zone;
    const [fresh] = withAdopted([await this.#options.database.refreshed(zone, new Set(losing))], discovery);
    return fresh ?? zone;
  }

  /** Compares only when something is another than the last time: mostly nothing is, and a zone may be large. */
  #compare(contents: Map<string, DesiredZone>, zones: Zone[], circumstances: PlanOptions): ZonesPlan {
    const of = [contents, ...zones, ...Object.values(circumstances)];
    return this.#compared.get(of, () => planZones(contents, zones, circumstances));
  }

  /** Worked out once for what it is made of: a zone may have tens of thousands of records. */
  #contentsOf(declared: LoadedDeclaration, zones: Zone[]): Map<string, DesiredZone> {
    const { declaration, files } = declared;
    const { mostRecords: most = Number.POSITIVE_INFINITY } = this.#options;
    const current = this.#current.get([declaration, ...zones], () => currentCost(declaration, zones, most));
    const ofFiles = current && [...current.files].map(([name, files]) => [name, ...files]);
    // The DS goes first: a parent that has it while the signatures are gone makes the zone bogus (RFC 6781 section 4.3.3).
    const signed = declaration.zones.filter(({ dnssec }) => dnssec?.mode === 'Signed');
    const ds = new Map(
      signed.map(({ name }) => [absolute(name), this.#signatures.get(absolute(name))?.ds ?? []] as const),
    );
    return this.#contents.get([declared, JSON.stringify([[...ds], ofFiles, current?.others])], () =>
      desiredZones(declaration, files, ds, { most, current }),
    );
  }

  async #isLuaOn(contents: Map<string, DesiredZone>): Promise<boolean> {
    const isNeeded = contents.values().some(({ rrsets }) => rrsets.some(isLua));
    return !isNeeded || ((await this.#options.lua?.()) ?? true);
  }

  /** Signs the zones that are to be; true when what they are signed with has changed. */
  async #sign({ zones }: Declaration, failures: Map<string, string>): Promise<boolean> {
    const { signer, database } = this.#options;
    if (!signer) return false;
    const before = JSON.stringify([...this.#signatures]);
    const present = new Map((await database.zones()).map((zone) => [zone.name, zone]));
    const signatures = new Map<string, Signature>();
    for (const { name, dnssec } of zones) {
      const zone = present.get(absolute(name));
      if (!zone || (!dnssec && !zone.dnssec)) continue;
      const signing = dnssec ?? { mode: 'Off' as const, algorithm: 'ECDSA256' as const, nsec3: false, ds: [] };
      try {
        const signature = await signer.reconcile(zone, signing);
        if (signature) signatures.set(zone.name, signature);
      } catch (error) {
        failures.set(zone.name, messageOf(error));
        const known = this.#signatures.get(zone.name);
        if (known) signatures.set(zone.name, known);
      }
    }
    this.#signatures = signatures;
    return JSON.stringify([...signatures]) !== before;
  }

  async #report(
    { name }: DeclaredZone,
    content: DesiredZone | undefined,
    failures: Map<string, string>,
  ): Promise<ZoneReport> {
    const signature = this.#signatures.get(absolute(name));
    const dnssec = signature && { dnssec: signature };
    const failure = failures.get(absolute(name)) ?? content?.problem;
    if (failure) return { name, state: 'Failed', message: failure.slice(0, 500), ...dnssec };
    const waiting = content?.pending ?? (this.#lua || !content?.rrsets.some(isLua) ? undefined : luaIsOff);
    if (waiting) return { name, state: 'Pending', message: waiting.slice(0, 500), ...dnssec };
    return { ...(await this.#answering(name)), ...dnssec };
  }

  async #answering(name: string): Promise<ZoneReport> {
    if (await this.#options.answers(name)) {
      this.#silentSince.delete(name);
      return { name, state: 'Serving' };
    }
    const now = this.#options.now();
    const since = this.#silentSince.get(name) ?? now;
    this.#silentSince.set(name, since);
    if (now - since >= patienceMs) {
      const message = 'PowerDNS has the zone, and does not answer for it: see the log of the container powerdns';
      return { name, state: 'Failed', message };
    }
    const wasServing = this.#reported?.reports.some((z) => z.name === name && z.state === 'Serving');
    return { name, state: wasServing ? 'Serving' : 'Pending' };
  }

  #fail({ hash, declaration }: LoadedDeclaration, failure: string): void {
    if (this.#options.now() - this.#reachedAt < patienceMs) return;
    const message = `PowerDNS cannot be used (${failure}): see the log of the container powerdns`.slice(0, 500);
    const reports = declaration.zones.map(({ name }): ZoneReport => {
      const dnssec = this.#signatures.get(absolute(name));
      return { name, state: 'Failed', message, ...(dnssec && { dnssec }) };
    });
    this.#reported = { hash, reports, warnings: [] };
  }
}

/**
 * What zone files have to leave room for, and what they have already; nothing where there are none. What discovery has
 * changes all the time: it is rounded up, as with each other figure all zone files are read again.
 */
function currentCost({ zones: declared }: Declaration, zones: Zone[], most: number): CurrentCost | undefined {
  const refs = declared.map(({ name, recordsFrom = [] }) => ({
    zone: absolute(name),
    sources: recordsFrom.map(nameOf),
  }));
  if (most === Number.POSITIVE_INFINITY || refs.every(({ sources }) => sources.length === 0)) return undefined;
  const there = new Map(zones.map(({ name, rrsets }) => [name, rrsets]));
  const files = refs.map(({ zone, sources }) => {
    const bySource = Map.groupBy(there.get(zone)?.filter(isDeclared) ?? [], ({ mark }) => mark?.content ?? '');
    return [zone, new Map(sources.map((source) => [source, totalCost(bySource.get(source) ?? [])]))] as const;
  });
  const step = Math.max(1, Math.floor(most / 64));
  const others = totalCost(zones.flatMap(({ rrsets }) => rrsets.filter((rrset) => !isDeclared(rrset))));
  return { files: new Map(files), others: Math.ceil(others / step) * step };
}

const isDeclared = (rrset: RRset) => ownershipOf(rrset) === 'declared';

/** With what came back from ExternalDNS's own registry among the discovered. */
function withAdopted(zones: Zone[], discovery: DeclaredDiscovery | undefined): Zone[] {
  if (!discovery?.ownershipTXT) return zones;
  const { ownerID, ownershipTXT } = discovery;
  return zones.map((zone) => importOwnership(zone, ownerID, ownershipTXT));
}

/** Changes without the deletions of what has become somebody else's since they were worked out. */
function stillMeant(then: Zone, changes: Change[], now: Zone): Change[] {
  const [before, after] = [then, now].map((zone) => new Map(zone.rrsets.map((rrset) => [keyOf(rrset), rrset])));
  return changes.filter(({ action, rrset }) => {
    const there = after?.get(keyOf(rrset));
    return action !== 'delete' || !there || ownershipOf(there) === ownershipOf(before?.get(keyOf(rrset)) ?? {});
  });
}

/** What a person has made a moment ago is not to be lost: the next comparison finds it. */
const changedMeanwhile = 'somebody has put records of their own into it, which stay';

const isLua = ({ type }: RRset) => type === 'LUA';
const luaIsOff = 'PowerDNS restarts once, to work out the answers of the first record with a check';

/** What PowerDNS has against one zone's change; whatever else fails, fails for all zones. */
function wordsOf(error: unknown): string {
  if (error instanceof PowerDNSRejection && error.isRequestError) return error.message;
  throw error;
}
