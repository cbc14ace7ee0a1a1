import type { Logger } from 'pino';
import type { Declaration, DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Report } from '../../contract/report.ts';
import { absolute, withoutDot, zoneOf } from '../../dns/name.ts';
import type { TimeOf } from '../lib/clock.ts';
import { Memo } from '../lib/memo.ts';
import type { RejectedChange } from '../powerdns/database.ts';
import {
  answerOf,
  areConflicting,
  type Change,
  deletion,
  keyOf,
  ownershipOf,
  type RRset,
  replacement,
  resourceOf,
  totalCost,
  type Zone,
} from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { DeleteGuard, type GuardResult, type GuardState, type MissingName } from './delete-guard.ts';
import type { DesiredRecord } from './desired-record.ts';
import { desiredRecordsOf } from './desired-records.ts';
import { type Endpoint, type EndpointChanges, endpointOf, nameOf, rrsetOf } from './endpoint.ts';
import { currentRRsets, evaluate, type RejectedRecord } from './evaluate.ts';
import { HostReservations } from './host-reservations.ts';
import { withoutOverLimit } from './over-host-limit.ts';
import { type Answer, answerUnder, keptUnder } from './policy.ts';
import { type RecordBudgetOptions, withinBudget } from './record-budget.ts';
import { RejectionLog } from './rejection-log.ts';
import { requestedNames, withoutHeldNames } from './requested-names.ts';
import { sharingGroup } from './resource-label.ts';
import { isOrphaned, isOwnedBy, type Scope } from './scope.ts';
import { SyncLoops } from './sync-loops.ts';
import { type NameRestrictions, nameRestrictions } from './tenancy.ts';

/** The zones as they are, and what was declared when they were brought there. */
export interface CurrentZones {
  declaration: Declaration;
  zones: Zone[];
}

type Discovered = Report['discovery'];

/** What a verdict followed, and what it came to. */
export interface ProviderSnapshot {
  declaration: Declaration;
  desiredRecords: readonly DesiredRecord[];
  /** What ExternalDNS was answered. */
  answer: readonly RRset[];
  refused: readonly RejectedRecord[];
  /** What stands only because the delete guard holds it. */
  held: readonly RRset[];
  /** What stands only because the policy leaves it: no object asks for it as it is. */
  kept: readonly RRset[];
}

export interface ProviderOptions {
  log: Logger;
  now: () => number;
  timeOf?: TimeOf | undefined;
  /** Of all zones together, whosever they are, in usual records. */
  mostRecords?: number | undefined;
}

/** One ExternalDNS: what it has made, what it wants, and what it is answered. */
export class Provider {
  readonly #scope: Scope;
  readonly #mostRecords: number;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #guard: DeleteGuard;
  #isGuardRestored = false;
  readonly #seniority = new HostReservations();
  readonly #rejectionLog: RejectionLog;
  readonly loops: SyncLoops;
  /** What the last verdict followed. */
  #evaluatedBy: Declaration | undefined;
  #isSynced = false;
  readonly #found = new Memo<Endpoint[]>();
  readonly #answered = new Memo<Endpoint[]>();
  #snapshot: ProviderSnapshot | undefined;
  #held: Discovered['held'];
  #preview: Discovered['preview'];

  constructor(scope: Scope, { log, now, timeOf, mostRecords = Number.POSITIVE_INFINITY }: ProviderOptions) {
    this.#scope = scope;
    this.#mostRecords = mostRecords;
    this.#log = scope.namespace === undefined ? log : log.child({ namespace: scope.namespace });
    this.#rejectionLog = new RejectionLog(this.#log);
    this.#guard = new DeleteGuard(timeOf);
    this.loops = new SyncLoops(now);
    this.#now = now;
  }

  get isSynced(): boolean {
    return this.#isSynced || this.loops.completedAt !== undefined;
  }

  /** The last verdict: another object after another verdict. */
  get snapshot(): ProviderSnapshot | undefined {
    return this.#snapshot;
  }

  get held(): Discovered['held'] {
    return this.#held;
  }

  get preview(): Discovered['preview'] {
    return this.#preview;
  }

  get id(): string {
    return this.#scope.ownerID;
  }

  /** Whether the delete guard goes on where that of another agent was. */
  get isGuardRestored(): boolean {
    return this.#isGuardRestored;
  }

  restoreGuard(state: GuardState): void {
    this.#isGuardRestored = true;
    this.#guard.restore(state, this.#now());
  }

  /** For the delete guard of another agent: the same array for as long as nothing changes. */
  get missingNames(): readonly MissingName[] {
    return this.#guard.missingNames;
  }

  state(intervalSeconds: number): Discovered['state'] {
    const { silentMs, isFailing } = this.loops;
    if (silentMs === undefined) return 'Waiting';
    if (silentMs > Math.max(30_000, intervalSeconds * 10_000)) return 'Stalled';
    if (isFailing) return 'Failing';
    return this.isSynced ? 'Synced' : 'Waiting';
  }

  /** What ExternalDNS may change: the records that it made. */
  records(present: CurrentZones): Endpoint[] {
    return this.#found.get([present.declaration, ...present.zones], () => this.#current(present).map(endpointOf));
  }

  /** The verdict on everything that is wanted. Worked out only when something is another than the last time. */
  adjustEndpoints(wanted: Endpoint[], present: CurrentZones, lister: SourceLister): Adjusted {
    const { declaration, zones } = present;
    this.#evaluatedBy = declaration;
    // What it holds or counts changes with time.
    if (!this.#guard.isIdle || !this.#seniority.isIdle) this.#answered.forget();
    let ownershipUpdates: Change[] = [];
    const answer = this.#answered.get([wanted, declaration, lister.version, ...zones], () => {
      const { answer, current } = this.#evaluate(wanted, present, lister);
      const there = new Map(current.map((rrset) => [answerOf(rrset), rrset]));
      this.#isSynced ||= there.size === answer.length && answer.every((rrset) => there.has(answerOf(rrset)));
      ownershipUpdates = ownershipUpdatesFor(answer, there);
      return answer.map(endpointOf);
    });
    return { answer, ownershipUpdates };
  }

  #evaluate(wanted: Endpoint[], present: CurrentZones, lister: SourceLister): { answer: RRset[]; current: RRset[] } {
    const { declaration, zones } = present;
    const { discovery } = declaration;
    if (!discovery) return { answer: [], current: [] };
    const ttls = new Map(declaration.zones.map(({ name, defaultTTL }) => [absolute(name), defaultTTL]));
    const ttlOf = (name: string) => zoneOf(name, ttls);
    const all = desiredRecordsOf(wanted, { scope: this.#scope, discovery, lister, ttlOf });
    const { desiredRecords, refused: overflow } = withoutOverLimit(all, lister, this.#scope);
    const current = this.#current(present);
    const owns = (rrset: RRset) => this.#mayTake(rrset, discovery);
    const { rejections } = this.#rejectionLog;
    const restrictions = nameRestrictions(discovery, lister);
    const evaluation = evaluate(desiredRecords, zones, declaration, { owns, lister, rejections, restrictions });
    const senior = this.#withinSeniority(evaluation.accepted, { current, desiredRecords }, discovery, {
      lister,
      restrictions,
    });
    const { accepted } = senior;
    const { policy, sharedHosts } = discovery;
    // With those that a filter has left out before they were wishes: they vanish for us alone.
    const names = [...wanted.map(nameOf), ...excludedAmong(current, discovery)];
    const filtered = new Set(names).difference(new Set(desiredRecords.map(({ name }) => name)));
    const asked = requestedNames({ current, desiredRecords, accepted, sharedHosts }, lister).union(filtered);
    const guarded = this.#guarded(asked.union(withoutNames(accepted, current)), current, discovery, lister);
    const beside = withoutHeldNames(accepted, guarded.held, declaration.name);
    const { looping } = evaluation;
    const lasting = looping.length > 0 && policy !== 'Preview' ? current.filter((r) => !looping.includes(r)) : current;
    const due = [...beside.accepted, ...guarded.held];
    const { answer, preview, refused: beyond } = this.#withinRoom(due, { current, lasting, zones }, discovery);
    const leftOut = [...evaluation.refused, ...senior.refused, ...beyond, ...beside.refused, ...overflow];
    this.#rejectionLog.record(leftOut);
    const kept = keptUnder(policy, answer, beside.accepted);
    this.#snapshot = { declaration, desiredRecords, answer, refused: leftOut, held: guarded.held, kept };
    this.#held = guarded.report;
    this.#preview = preview;
    return { answer, current };
  }

  /** What ExternalDNS makes of the verdict, as changes. Throws when the verdict was on another declaration. */
  changes(endpoints: EndpointChanges, { declaration }: CurrentZones): Change[] {
    const { create = [], updateNew = [], delete: deleted = [] } = endpoints;
    if (this.#evaluatedBy && this.#evaluatedBy !== declaration)
      throw new Error('the declaration has changed: the next loop follows it');
    const { ownerID } = this.#scope;
    const wanted = [...create, ...updateNew].map((endpoint) => rrsetOf(endpoint, ownerID));
    const kept = new Set(wanted.map(keyOf));
    return [
      ...deleted
        .map((endpoint) => rrsetOf(endpoint, ownerID))
        .filter((rrset) => !kept.has(keyOf(rrset)))
        .map(deletion),
      ...wanted.map(replacement),
    ];
  }

  /** Those of its changes that touch nobody else's. */
  allowed(changes: Change[], zone: Zone, { discovery }: Declaration): Change[] {
    const names = Map.groupBy(zone.rrsets, (rrset) => rrset.name);
    const isOurs = (r: RRset) => discovery !== undefined && this.#mayTake(r, discovery);
    // Another owner may have come first since the verdict: unless all answers are merged, the whole name is its own.
    const isInTheWay = (r: RRset, { action, rrset }: Change) =>
      r.type === rrset.type ||
      (action === 'replace' &&
        (areConflicting(r, rrset) || (ownershipOf(r) === 'discovered' && discovery?.sharedHosts !== 'Merge')));
    return changes.filter((change) => !names.get(change.rrset.name)?.some((r) => !isOurs(r) && isInTheWay(r, change)));
  }

  /** Takes over that its changes are made, but for what PowerDNS rejected. */
  changesApplied(zone: Zone, changes: Change[], rejected: RejectedChange[]): void {
    this.#answered.forget();
    this.#rejectionLog.recordRejections(zone, rejected);
    const counts = { changes: changes.length, refused: rejected.length };
    this.#log.info({ zone: withoutDot(zone.name), ...counts }, 'apply discovered records');
  }

  #mayTake(rrset: RRset, discovery: DeclaredDiscovery): boolean {
    return isOwnedBy(this.#scope, discovery, rrset) || isOrphaned(discovery, rrset);
  }

  /** Where nothing is deleted anyway there is nothing to hold. */
  #guarded(
    asked: ReadonlySet<string>,
    current: RRset[],
    { policy, deleteGuard }: DeclaredDiscovery,
    lister: SourceLister,
  ): GuardResult {
    if (policy === 'Sync') return this.#guard.hold(current, asked, deleteGuard, lister, this.#now());
    this.#guard.clear();
    return { held: [] };
  }

  #withinSeniority(
    accepted: RRset[],
    contenders: { current: RRset[]; desiredRecords: DesiredRecord[] },
    discovery: DeclaredDiscovery,
    known: { lister: SourceLister; restrictions: NameRestrictions },
  ): { accepted: RRset[]; refused: RejectedRecord[] } {
    const { policy, deleteGuard, sharedHosts } = discovery;
    if (policy !== 'Sync' || sharedHosts === 'Merge' || deleteGuard.percent >= 100) return { accepted, refused: [] };
    const { holdSeconds } = deleteGuard;
    return this.#seniority.apply({ accepted, ...contenders }, { holdSeconds, ...known, now: this.#now() });
  }

  /** What the policy makes of what is accepted and held, as far as there is room beside everybody else's records. */
  #withinRoom(
    accepted: RRset[],
    { current, lasting, zones }: { current: RRset[]; lasting: RRset[]; zones: Zone[] },
    discovery: DeclaredDiscovery,
  ): Answer & { refused: RejectedRecord[] } {
    const { policy } = discovery;
    // Preview tells what Sync would do.
    const { answer: planned } = answerUnder(policy === 'Preview' ? 'Sync' : policy, lasting, accepted);
    const keys = new Set(planned.map(keyOf));
    const isTaken = (rrset: RRset) => isOrphaned(discovery, rrset) && keys.has(keyOf(rrset));
    const isOthers = (rrset: RRset) => !isOwnedBy(this.#scope, discovery, rrset) && !isTaken(rrset);
    const others = zones.flatMap(({ rrsets }) => rrsets.filter(isOthers));
    const most = this.#mostRecords - totalCost(others);
    const { answer, refused } = withinBudget(planned, { current, stays: stayingAmong(lasting, discovery), most });
    return policy === 'Preview' ? { ...answerUnder(policy, lasting, answer), refused } : { answer, refused };
  }

  #current({ declaration, zones }: CurrentZones): RRset[] {
    const { discovery } = declaration;
    if (!discovery) return [];
    return currentRRsets(zones, declaration, (rrset) => isOwnedBy(this.#scope, discovery, rrset));
  }
}

/** The names of some RRsets that no others have. */
const withoutNames = (rrsets: RRset[], others: RRset[]) =>
  new Set(rrsets.map(({ name }) => name)).difference(new Set(others.map(({ name }) => name)));

/**
 * Which of some RRsets stay where there is no room for what would come in their place: with the policy Sync none that is
 * somebody else's by then, as it would answer for an object that has the name no more.
 */
function stayingAmong(lasting: RRset[], { policy, sharedHosts }: DeclaredDiscovery): RecordBudgetOptions['stays'] {
  const isLasting = new Set(lasting);
  const isKept = policy === 'UpsertOnly' || policy === 'CreateOnly' || sharedHosts === 'Merge';
  const groupOf = (rrset: RRset) => sharingGroup(resourceOf(rrset));
  return (rrset, instead) =>
    isLasting.has(rrset) && (isKept || instead.some((other) => groupOf(other) === groupOf(rrset)));
}

/** Of what stands the names that the spec excludes: nobody asks for them, with an address or without. */
function excludedAmong(current: RRset[], { excludedDomains }: DeclaredDiscovery): string[] {
  if (excludedDomains.length === 0) return [];
  const excluded = new Map(excludedDomains.map((name) => [absolute(name), true]));
  return current.map(({ name }) => name).filter((name) => zoneOf(name, excluded) === true);
}

/** What ExternalDNS is to go on with, and what is to be written beside that. */
export interface Adjusted {
  answer: Endpoint[];
  ownershipUpdates: Change[];
}

/**
 * Marks that have to change because another object has the name now. ExternalDNS compares no labels, so it sends
 * nothing; with the old mark an object that comes back would have the name again.
 */
function ownershipUpdatesFor(answer: RRset[], current: ReadonlyMap<string, RRset>): Change[] {
  return answer
    .filter((rrset) => {
      const there = current.get(answerOf(rrset));
      return there !== undefined && there.mark?.content !== rrset.mark?.content;
    })
    .map(replacement);
}
