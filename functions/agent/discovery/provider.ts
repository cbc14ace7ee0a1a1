import type { Logger } from 'pino';
import type { Declaration } from '../../contract/declaration.ts';
import type { Report } from '../../contract/report.ts';
import { withoutDot } from '../../dns/name.ts';
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
  type Zone,
} from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { DeleteGuard, type GuardState } from './delete-guard.ts';
import { type Endpoint, type EndpointChanges, endpointOf, rrsetOf } from './endpoint.ts';
import { HostReservations } from './host-reservations.ts';
import type { MissingName } from './missing-names.ts';
import { currentOf, type Decision, decide, isManageable } from './pipeline.ts';
import { RejectionLog } from './rejection-log.ts';
import type { Scope } from './scope.ts';
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
}

/**
 * The provider of one ExternalDNS, by ExternalDNS's own interface: Records, AdjustEndpoints, ApplyChanges.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/provider/provider.go
 */
export class Provider {
  readonly loops: SyncLoops;
  readonly #scope: Scope;
  readonly #mostRecords: number;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #guard: DeleteGuard;
  readonly #reservations = new HostReservations();
  readonly #rejectionLog: RejectionLog;
  readonly #records = new Memo<Endpoint[]>();
  readonly #answer = new Memo<Endpoint[]>();
  #isGuardRestored = false;
  #isSynced = false;
  /** The declaration that the last answer follows. */
  #answeredFor: Declaration | undefined;
  #decision: Decision | undefined;

  constructor(scope: Scope, { log, now, timeOf, mostRecords = Number.POSITIVE_INFINITY }: ProviderOptions) {
    this.#scope = scope;
    this.#mostRecords = mostRecords;
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

  state(intervalSeconds: number): DiscoveryReport['state'] {
    const { silentMs, isFailing } = this.loops;
    if (silentMs === undefined) return 'Waiting';
    if (silentMs > Math.max(30_000, intervalSeconds * 10_000)) return 'Stalled';
    if (isFailing) return 'Failing';
    return this.isSynced ? 'Synced' : 'Waiting';
  }

  /** The records that this ExternalDNS made, and so may change. */
  records({ declaration, zones }: CurrentZones): Endpoint[] {
    return this.#records.get([declaration, ...zones], () =>
      currentOf({ declaration, zones, scope: this.#scope }).map(endpointOf),
    );
  }

  /** Answers everything that ExternalDNS wants. Decides again only if an input changed. */
  adjustEndpoints(endpoints: Endpoint[], { declaration, zones }: CurrentZones, lister: SourceLister): Adjusted {
    this.#answeredFor = declaration;
    // What these hold changes with time.
    if (!this.#guard.isIdle || !this.#reservations.isIdle) this.#answer.forget();
    let ownershipUpdates: Change[] = [];
    const answer = this.#answer.get([endpoints, declaration, lister.version, ...zones], () => {
      const decision = this.#decide(endpoints, { declaration, zones }, lister);
      if (!decision) return [];
      const current = new Map(decision.current.map((rrset) => [answerOf(rrset), rrset]));
      this.#isSynced ||=
        current.size === decision.answer.length && decision.answer.every((rrset) => current.has(answerOf(rrset)));
      ownershipUpdates = ownershipUpdatesFor(decision.answer, current);
      return decision.answer.map(endpointOf);
    });
    return { answer, ownershipUpdates };
  }

  #decide(endpoints: Endpoint[], zones: CurrentZones, lister: SourceLister): Decision | undefined {
    const decision = decide(endpoints, {
      ...zones,
      lister,
      scope: this.#scope,
      rejections: this.#rejectionLog.rejections,
      reservations: this.#reservations,
      guard: this.#guard,
      mostRecords: this.#mostRecords,
      now: this.#now(),
    });
    if (!decision) return undefined;
    this.#rejectionLog.record(decision.refused);
    this.#decision = decision;
    return decision;
  }

  /** Its changes as those of RRsets. Throws if its answer followed another declaration. */
  changes(endpoints: EndpointChanges, { declaration }: CurrentZones): Change[] {
    const { create = [], updateNew = [], delete: deleted = [] } = endpoints;
    if (this.#answeredFor && this.#answeredFor !== declaration)
      throw new Error('the declaration has changed: the next loop follows it');
    const { ownerID } = this.#scope;
    const desired = [...create, ...updateNew].map((endpoint) => rrsetOf(endpoint, ownerID));
    const kept = new Set(desired.map(keyOf));
    return [
      ...deleted
        .map((endpoint) => rrsetOf(endpoint, ownerID))
        .filter((rrset) => !kept.has(keyOf(rrset)))
        .map(deletion),
      ...desired.map(replacement),
    ];
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
    const counts = { changes: changes.length, refused: rejected.length };
    this.#log.info({ zone: withoutDot(zone.name), ...counts }, 'apply discovered records');
  }
}

/** The answer to ExternalDNS, and what the agent writes itself. */
export interface Adjusted {
  answer: Endpoint[];
  ownershipUpdates: Change[];
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
