import type { Logger } from 'pino';
import type { Declaration, DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Report } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
import type { TimeOf } from '../lib/clock.ts';
import { areSame, Memo } from '../lib/memo.ts';
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
  type Zone,
} from '../powerdns/rrset.ts';
import type { HostNameTargets } from '../resolver/host-names.ts';
import type { SourceChange, SourceLister } from '../sources/source-object.ts';
import { Anticipation, isAnticipatedKind } from './anticipation.ts';
import type { AnticipationDifferences } from './anticipation-differences.ts';
import { DeleteGuard, type GuardState } from './delete-guard.ts';
import type { DesiredRecordsOptions } from './desired-records.ts';
import { type Endpoint, type EndpointChanges, endpointOf, rrsetOf } from './endpoint.ts';
import { HostReservations } from './host-reservations.ts';
import type { MissingName } from './missing-names.ts';
import { currentOf, type Decision, decide, desiredRecordsOptions, isManageable } from './pipeline.ts';
import { RejectionLog } from './rejection-log.ts';
import { isOwn } from './resource-label.ts';
import { hasOnlyOwnKinds, hasOwnKinds, type Scope } from './scope.ts';
import { SyncLoops } from './sync-loops.ts';

/** The zones as they are, and the declaration that they were last reconciled with. */
export interface CurrentZones {
  declaration: Declaration;
  zones: Zone[];
}

type DiscoveryReport = Report['discovery'];

export interface ProviderOptions {
  log: Logger;
  now: () => number;
  timeOf?: TimeOf | undefined;
  /** Of all zones together, whosever they are, in usual records. */
  mostRecords?: number | undefined;
  /** Without it targets that are host names stay CNAMEs. */
  hostNames?: HostNameTargets | undefined;
  /** Of all providers together. */
  differences: AnticipationDifferences;
}

/**
 * The provider of one ExternalDNS, by ExternalDNS's own interface: Records, AdjustEndpoints, ApplyChanges.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/provider/provider.go
 */
export class Provider {
  readonly loops: SyncLoops;
  readonly #scope: Scope;
  readonly #mostRecords: number;
  readonly #hostNames: HostNameTargets | undefined;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #guard: DeleteGuard;
  readonly #reservations = new HostReservations();
  readonly #rejectionLog: RejectionLog;
  readonly #records = new Memo<Endpoint[]>();
  readonly #answer = new Memo<Adjusted>();
  readonly #anticipation: Anticipation;
  #isGuardRestored = false;
  #isSynced = false;
  /** The declaration that the last answer follows. */
  #answeredFor: Declaration | undefined;
  #decision: Decision | undefined;
  /** What ExternalDNS asked for last. */
  #asked: readonly Endpoint[] | undefined;
  /** The inputs of the last decision that was published, or is ExternalDNS's to publish. */
  #published: readonly unknown[] = [];
  /** Those of the last anticipation. */
  #anticipated: readonly unknown[] = [];
  /** The zones of each of the two. */
  #publishedIn: readonly Zone[] = [];
  #anticipatedIn: readonly Zone[] = [];
  /** Whether the last decision is later than the last answer. */
  #isAhead = false;

  constructor(
    scope: Scope,
    { log, now, timeOf, mostRecords = Number.POSITIVE_INFINITY, hostNames, differences }: ProviderOptions,
  ) {
    this.#scope = scope;
    this.#anticipation = new Anticipation(differences);
    this.#mostRecords = mostRecords;
    this.#hostNames = hostNames;
    this.#log = scope.namespace === undefined ? log : log.child({ namespace: scope.namespace });
    this.#rejectionLog = new RejectionLog(this.#log);
    this.#guard = new DeleteGuard(timeOf);
    this.loops = new SyncLoops(now);
    this.#now = now;
  }

  get id(): string {
    return this.#scope.ownerID;
  }

  /** Whether everything desired was published once. Stays true. */
  get isSynced(): boolean {
    return this.#isSynced || this.loops.completedAt !== undefined;
  }

  /** The last decision; a new object after each evaluation. */
  get decision(): Decision | undefined {
    return this.#decision;
  }

  /** Whether the delete guard has the state of the agent before this one. */
  get isGuardRestored(): boolean {
    return this.#isGuardRestored;
  }

  restoreGuard(state: GuardState): void {
    this.#isGuardRestored = true;
    this.#guard.restore(state, this.#now());
  }

  /** The state of the delete guard, for the next agent. The same array until it changes. */
  get missingNames(): readonly MissingName[] {
    return this.#guard.missingNames;
  }

  state(discovery: DeclaredDiscovery): DiscoveryReport['state'] {
    const { silentMs, isFailing } = this.loops;
    if (silentMs === undefined) return 'Waiting';
    const isAwaited = !hasOnlyOwnKinds(discovery);
    if (isAwaited && silentMs > Math.max(30_000, discovery.intervalSeconds * 10_000)) return 'Stalled';
    if (isFailing) return 'Failing';
    return this.isSynced ? 'Synced' : 'Waiting';
  }

  /** The records that this ExternalDNS made, and so may change. */
  records({ declaration, zones }: CurrentZones): Endpoint[] {
    return this.#records.get([declaration, ...zones], () =>
      currentOf({ declaration, zones, scope: this.#scope }).filter(isForExternalDNS).map(endpointOf),
    );
  }

  /**
   * Answers everything that ExternalDNS wants. Decides again only if an input changed.
   * @param startedAt when the loop began, in monotonic milliseconds
   */
  adjustEndpoints(
    asked: readonly Endpoint[],
    { declaration, zones }: CurrentZones,
    lister: Sources,
    startedAt: number,
  ): Adjusted {
    this.#answeredFor = declaration;
    this.#asked = asked;
    this.#isAhead = false;
    const { discovery } = declaration;
    if (discovery) this.#anticipation.compare(asked, startedAt, this.#requestContext(declaration, discovery, lister));
    // What these hold changes with time.
    if (!this.#guard.isIdle || !this.#reservations.isIdle) this.#answer.forget();
    const adjusted = this.#answer.get([...this.#inputs(asked, declaration, lister), ...zones], () => {
      const decision = this.#decide(asked, { declaration, zones }, lister);
      if (!decision) return { answer: [], changes: [] };
      const current = new Map(decision.current.map((rrset) => [answerOf(rrset), rrset]));
      this.#isSynced ||=
        current.size === decision.answer.length && decision.answer.every((rrset) => current.has(answerOf(rrset)));
      const answer = decision.answer.filter(isForExternalDNS).map(endpointOf);
      return { answer, changes: ownChanges(decision, ownershipUpdatesFor(decision.answer, current)) };
    });
    // After the decision, which has told the resolver what to follow.
    this.#published = this.#inputs(asked, declaration, lister);
    return adjusted;
  }

  /** Records that an object has changed what it asks for. */
  sourceChanged(change: SourceChange, discovery: DeclaredDiscovery): void {
    if (isAnticipatedKind(change.resource, discovery)) this.#anticipation.record(change, this.#now());
  }

  /**
   * Reports whether anything has changed since it was last published: of the zones only that they have lost everything,
   * unless nobody else asks.
   */
  isBehind({ declaration, zones }: CurrentZones, lister: Sources): boolean {
    if (!isPublishing(declaration)) return false;
    const asked = this.#askedOf(declaration);
    return (
      this.#anticipation.hasChanges ||
      this.isSettling ||
      this.#isLost({ declaration, zones }) ||
      (isAlone(declaration) && !this.#isIdle(zones)) ||
      (asked !== undefined && !areSame(this.#inputs(asked, declaration, lister), this.#published))
    );
  }

  /**
   * Returns the changes that ExternalDNS would make if it asked now. Undefined before its first loop, and if nothing has
   * changed. Without an ExternalDNS there is nothing to wait for.
   */
  anticipate({ declaration, zones }: CurrentZones, lister: Sources): Change[] | undefined {
    const { discovery } = declaration;
    const asked = this.#askedOf(declaration);
    if (!discovery || !asked || !(this.isSynced || isAlone(declaration))) return undefined;
    this.#anticipation.anticipate(asked, this.#requestContext(declaration, discovery, lister));
    if (!this.isBehind({ declaration, zones }, lister)) return undefined;
    const decision = this.#decide(asked, { declaration, zones }, lister);
    this.#isAhead = true;
    this.#anticipated = this.#inputs(asked, declaration, lister);
    this.#anticipatedIn = zones;
    return decision && changesBetween(decision.current, decision.answer);
  }

  /** Records that what `anticipate` has returned was applied. */
  anticipationApplied(): void {
    this.#published = this.#anticipated;
    this.#publishedIn = this.#anticipatedIn;
  }

  /** Reports whether names are published only until it shows whether further objects go. */
  get isSettling(): boolean {
    return this.#guard.isSettling;
  }

  /** What ExternalDNS asked for last. Nothing if it does not run. */
  #askedOf(declaration: Declaration): readonly Endpoint[] | undefined {
    return isAlone(declaration) ? nothing : this.#asked;
  }

  /** Reports whether another decision would be the same, although nobody asks for one: what is held changes with time. */
  #isIdle(zones: readonly Zone[]): boolean {
    return this.#guard.isIdle && this.#reservations.isIdle && areSame(zones, this.#publishedIn);
  }

  /** Reports whether none of what was published is there, as after the loss of the database. */
  #isLost({ declaration, zones }: CurrentZones): boolean {
    const isWanted = (this.#decision?.answer.length ?? 0) > 0 && this.#decision?.current.length !== 0;
    return isWanted && currentOf({ declaration, zones, scope: this.#scope }).length === 0;
  }

  #expected(asked: readonly Endpoint[], { discovery }: Declaration): readonly Endpoint[] {
    return discovery ? this.#anticipation.expected(asked, discovery) : asked;
  }

  /** What a decision depends on, apart from the zones and the time. */
  #inputs(asked: readonly Endpoint[], declaration: Declaration, lister: Sources): readonly unknown[] {
    const { namespace } = this.#scope;
    return [
      this.#expected(asked, declaration),
      lister.endpoints(namespace),
      declaration,
      lister.version,
      this.#hostNames?.table,
    ];
  }

  #requestContext(declaration: Declaration, discovery: DeclaredDiscovery, lister: Sources): DesiredRecordsOptions {
    return desiredRecordsOptions({ declaration, discovery, lister, scope: this.#scope });
  }

  #decide(asked: readonly Endpoint[], zones: CurrentZones, lister: Sources): Decision | undefined {
    const own = lister.endpoints(this.#scope.namespace);
    const expected = this.#expected(asked, zones.declaration);
    const decision = decide(own.length === 0 ? expected : [...expected, ...own], {
      ...zones,
      lister,
      scope: this.#scope,
      rejections: this.#rejectionLog.rejections,
      reservations: this.#reservations,
      guard: this.#guard,
      hostNames: this.#hostNames?.table,
      mostRecords: this.#mostRecords,
      now: this.#now(),
      computed: (rrset) => lister.computed(rrset),
      isAnticipating: isPublishing(zones.declaration),
    });
    if (!decision) return undefined;
    this.#rejectionLog.record(decision.refused);
    this.#hostNames?.follow(this.#scope.ownerID, decision.hostNames);
    this.#decision = decision;
    return decision;
  }

  /**
   * Its changes as those of RRsets, without those that were overtaken: it has planned them from the answer before. Throws if
   * that answer followed another declaration.
   */
  changes(endpoints: EndpointChanges, { declaration }: CurrentZones): Change[] {
    const { create = [], updateNew = [], delete: deleted = [] } = endpoints;
    if (this.#answeredFor && this.#answeredFor !== declaration)
      throw new Error('the declaration has changed: the next loop follows it');
    const { ownerID } = this.#scope;
    const desired = [...create, ...updateNew].map((endpoint) => rrsetOf(endpoint, ownerID));
    const kept = new Set(desired.map(keyOf));
    const changes = [
      ...deleted
        .map((endpoint) => rrsetOf(endpoint, ownerID))
        .filter((rrset) => !kept.has(keyOf(rrset)))
        .map(deletion),
      ...desired.map(replacement),
    ];
    const ownNames = this.#decision ? ownNamesIn(this.#decision) : new Set();
    if (!this.#isAhead && ownNames.size === 0) return changes;
    const isStanding = standingIn(this.#decision?.answer ?? []);
    const mayBeOvertaken = ({ rrset }: Change) => this.#isAhead || ownNames.has(rrset.name);
    return changes.filter((change) => !mayBeOvertaken(change) || isStanding(change));
  }

  /** Those of its changes that touch no record of somebody else. */
  allowed(changes: Change[], zone: Zone, { discovery }: Declaration): Change[] {
    const names = Map.groupBy(zone.rrsets, (rrset) => rrset.name);
    const isOwn = (r: RRset) => discovery !== undefined && isManageable(this.#scope, discovery, r);
    // Another provider may have got the name since the answer: unless all are merged, the whole name is its own.
    const isInTheWay = (r: RRset, { action, rrset }: Change) =>
      r.type === rrset.type ||
      (action === 'replace' &&
        (areConflicting(r, rrset) || (ownershipOf(r) === 'discovered' && discovery?.sharedHosts !== 'Merge')));
    return changes.filter((change) => !names.get(change.rrset.name)?.some((r) => !isOwn(r) && isInTheWay(r, change)));
  }

  /** Records that its changes were applied, but for what PowerDNS rejected. */
  changesApplied(zone: Zone, changes: Change[], rejected: RejectedChange[]): void {
    this.#answer.forget();
    this.#rejectionLog.recordRejections(zone, rejected);
    // The next decision says so.
    if (rejected.length > 0) this.#anticipatedIn = [];
    const counts = { changes: changes.length, refused: rejected.length };
    this.#log.info({ zone: withoutDot(zone.name), ...counts }, 'apply discovered records');
  }
}

/** The answer to ExternalDNS, and what the agent writes itself: the same until it is written. */
export interface Adjusted {
  answer: Endpoint[];
  changes: Change[];
}

/** The source objects, with what Machines and claims ask for: nobody sends their endpoints. */
export interface Sources extends SourceLister {
  /** The endpoints of a namespace, or of all. The same array until something changes. */
  endpoints(namespace?: string): readonly Endpoint[];
  /** Returns an RRset of a claim as PowerDNS is to compute it, and any other as it is. */
  computed(rrset: RRset): RRset;
}

const nothing: readonly Endpoint[] = [];

/** ExternalDNS neither asks for the records of Machines and claims, nor deletes them: it does not see them. */
const isForExternalDNS = (rrset: RRset): boolean => !isOwn(resourceOf(rrset));

const ownNamesIn = ({ current, answer }: Pick<Decision, 'current' | 'answer'>): ReadonlySet<string> =>
  new Set([...current, ...answer].filter((rrset) => !isForExternalDNS(rrset)).map(({ name }) => name));

/**
 * What the agent writes itself: the updates, and all changes at the names that Machines or claims have or get, whoever else
 * is there. A name that passes from one to an Ingress is not to be without an answer until ExternalDNS sends its changes.
 */
function ownChanges({ current, answer }: Decision, updates: Change[]): Change[] {
  const names = ownNamesIn({ current, answer });
  if (names.size === 0) return updates;
  const own = changesBetween(current, answer).filter(({ rrset }) => names.has(rrset.name));
  return [...updates.filter(({ rrset }) => !names.has(rrset.name)), ...own];
}

/**
 * Records that another object has now, with its mark. ExternalDNS does not compare labels, so it sends no change; with the
 * old mark the former object would get the name back as soon as it returns.
 */
function ownershipUpdatesFor(answer: readonly RRset[], current: ReadonlyMap<string, RRset>): Change[] {
  return answer
    .filter((rrset) => {
      const existing = current.get(answerOf(rrset));
      return existing !== undefined && existing.mark?.content !== rrset.mark?.content;
    })
    .map(replacement);
}

/** Whether some objects are published before ExternalDNS asks. */
const isPublishing = ({ discovery }: Declaration): boolean =>
  hasOwnKinds(discovery) || (discovery?.sources.some(({ isAnticipated }) => isAnticipated) ?? false);

/** Whether no ExternalDNS runs. */
const isAlone = ({ discovery }: Declaration): boolean => hasOnlyOwnKinds(discovery);

/** What ExternalDNS makes of an answer. */
function changesBetween(current: readonly RRset[], answer: readonly RRset[]): Change[] {
  const before = new Map(current.map((rrset) => [answerOf(rrset), rrset]));
  const kept = new Set(answer.map(keyOf));
  return [
    ...current.filter((rrset) => !kept.has(keyOf(rrset))).map(deletion),
    ...answer.filter((rrset) => before.get(answerOf(rrset))?.mark?.content !== rrset.mark?.content).map(replacement),
  ];
}

/** Returns whether a change agrees with an answer. */
function standingIn(answer: readonly RRset[]): (change: Change) => boolean {
  const byKey = new Map(answer.map((rrset) => [keyOf(rrset), answerOf(rrset)]));
  return (change) =>
    byKey.get(keyOf(change.rrset)) === (change.action === 'delete' ? undefined : answerOf(change.rrset));
}
