import type { Declaration, DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Report } from '../../contract/report.ts';
import { absolute, zoneOf } from '../../dns/name.ts';
import { keyOf, type RRset, resourceOf, totalCost, type Zone } from '../powerdns/rrset.ts';
import type { HostNameTable } from '../resolver/host-names.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { othersIn } from './conflict.ts';
import { type DeleteGuard, withoutHeldNames } from './delete-guard.ts';
import { type DesiredRecord, type DesiredRecordsOptions, desiredRecordsOf } from './desired-records.ts';
import { type Endpoint, nameOf } from './endpoint.ts';
import { currentRRsets, evaluate } from './evaluate.ts';
import type { PowerDNSRejection, RejectedRecord } from './evaluation.ts';
import { resolveHostNames } from './host-name-targets.ts';
import type { HostReservations } from './host-reservations.ts';
import { requestedNames } from './missing-names.ts';
import { zoneNames } from './name-context.ts';
import { applyPolicy, keptByPolicy, type PreviewedChange } from './policy.ts';
import { withoutOverLimit } from './quota.ts';
import { type RecordBudgetOptions, withinBudget } from './record-budget.ts';
import { sharingGroup } from './resource-label.ts';
import { isOrphaned, isOwnedBy, type Scope } from './scope.ts';
import { type NameRestrictions, nameRestrictions } from './tenancy.ts';

/** What one provider decides from, and what it remembers between loops. */
export interface PipelineInput {
  declaration: Declaration;
  zones: Zone[];
  lister: SourceLister;
  scope: Scope;
  /** What PowerDNS rejected, by what the record would answer. */
  rejections: ReadonlyMap<string, PowerDNSRejection>;
  reservations: HostReservations;
  guard: DeleteGuard;
  /** What is known of targets that are host names. Without it they stay CNAMEs. */
  hostNames?: HostNameTable | undefined;
  /** The cost of all records of all zones together: see `totalCost`. */
  mostRecords: number;
  /** Monotonic milliseconds. */
  now: number;
  /** Returns an accepted RRset as it is to be computed: see `machines/`. */
  computed?: (rrset: RRset) => RRset;
  /** Whether some objects are published before ExternalDNS asks: see `DeleteGuard.hold`. */
  isAnticipating?: boolean | undefined;
}

export interface Decision {
  declaration: Declaration;
  desiredRecords: readonly DesiredRecord[];
  /** The absolute names whose addresses are published, or are to be. */
  hostNames: ReadonlySet<string>;
  current: readonly RRset[];
  /** What ExternalDNS is answered: it deletes current records that are missing here, and updates those that differ. */
  answer: readonly RRset[];
  refused: readonly RejectedRecord[];
  /** Records that exist only because the delete guard holds them. */
  held: readonly RRset[];
  guardReport?: Report['discovery']['held'];
  /** Records that exist only because the policy never deletes or changes them. */
  kept: readonly RRset[];
  /** With the policy Preview, what Sync would change. */
  preview?: PreviewedChange[];
}

interface Context extends PipelineInput {
  discovery: DeclaredDiscovery;
  restrictions: NameRestrictions;
  /** The records that this provider's ExternalDNS sees. */
  current: RRset[];
}

/**
 * Decides which records the ExternalDNS of one scope gets:
 *
 *     endpoints -> desired -> resolved -> evaluated -> computed -> reserved -> guarded -> answer
 *
 * Each stage gets what the stage before accepted, and adds what it rejects. Only the guard and the reservations remember
 * something; everything else is pure. Undefined where nothing is discovered.
 */
export function decide(endpoints: readonly Endpoint[], input: PipelineInput): Decision | undefined {
  const { declaration, lister, computed = (rrset) => rrset } = input;
  const { discovery } = declaration;
  if (!discovery) return undefined;
  const current = currentOf(input);
  const context = { ...input, discovery, current, restrictions: nameRestrictions(discovery, lister) };

  const desired = desire(endpoints, context);
  const resolved = resolve(desired.desiredRecords, context);
  const { desiredRecords } = resolved;
  const evaluated = evaluateRecords(desiredRecords, context);
  const reserved = reserve(evaluated.accepted.map(computed), desiredRecords, context);
  const guarded = guard(reserved.accepted, desiredRecords, endpoints, context);
  const answered = answerWithinBudget(guarded.accepted, guarded.held, evaluated.looping, context);
  const afterMerge = [...reserved.refused, ...answered.refused, ...guarded.refused];

  return {
    declaration,
    desiredRecords,
    hostNames: resolved.hostNames,
    current,
    answer: answered.answer,
    refused: [...evaluated.refused, ...refusedWithIt(afterMerge, desiredRecords), ...desired.refused],
    held: guarded.held,
    ...(guarded.report && { guardReport: guarded.report }),
    kept: keptByPolicy(discovery.policy, answered.answer, guarded.accepted),
    ...(answered.preview && { preview: answered.preview }),
  };
}

/** The records that the ExternalDNS of a scope made, and that nothing declared has replaced. */
export function currentOf({
  declaration,
  zones,
  scope,
}: Pick<PipelineInput, 'declaration' | 'zones' | 'scope'>): RRset[] {
  const { discovery } = declaration;
  if (!discovery) return [];
  return currentRRsets(zones, declaration, (rrset) => isOwnedBy(scope, discovery, rrset));
}

/** Whether a provider may change a discovered record: its own, or one whose ExternalDNS no longer exists. */
export const isManageable = (scope: Scope, discovery: DeclaredDiscovery, rrset: RRset): boolean =>
  isOwnedBy(scope, discovery, rrset) || isOrphaned(discovery, rrset);

/** What each object wants, out of endpoints that ExternalDNS has merged, and within the limit of hosts per object. */
function desire(endpoints: readonly Endpoint[], context: Context) {
  const { lister, scope } = context;
  return withoutOverLimit(desiredRecordsOf(endpoints, desiredRecordsOptions(context)), lister, scope);
}

export function desiredRecordsOptions({
  declaration,
  discovery,
  scope,
  lister,
}: Pick<Context, 'declaration' | 'discovery' | 'scope' | 'lister'>): DesiredRecordsOptions {
  const ttls = new Map(declaration.zones.map(({ name, defaultTTL }) => [absolute(name), defaultTTL]));
  return { scope, discovery, lister, ttlOf: (name) => zoneOf(name, ttls) };
}

/** With the addresses of targets that are host names. Before anything is decided, so that they are like any other. */
function resolve(desiredRecords: DesiredRecord[], { declaration, discovery, current, hostNames }: Context) {
  return resolveHostNames(desiredRecords, {
    discovery,
    declaredZones: zoneNames(declaration),
    current,
    table: hostNames,
  });
}

/** Which of them may be published, name by name. */
function evaluateRecords(desiredRecords: DesiredRecord[], context: Context) {
  const { zones, declaration, discovery, scope, lister, rejections, restrictions } = context;
  const owns = (rrset: RRset) => isManageable(scope, discovery, rrset);
  return evaluate(desiredRecords, zones, declaration, { owns, lister, rejections, restrictions });
}

/** Without hosts that an older object has lost its address for. Where nothing is deleted it keeps them anyway. */
function reserve(accepted: RRset[], desiredRecords: DesiredRecord[], context: Context) {
  const { discovery, current, lister, restrictions, reservations, now } = context;
  const { policy, deleteGuard, sharedHosts } = discovery;
  if (policy !== 'Sync' || sharedHosts === 'Merge' || deleteGuard.percent >= 100) return { accepted, refused: [] };
  const { holdSeconds } = deleteGuard;
  return reservations.apply({ accepted, current, desiredRecords }, { holdSeconds, lister, restrictions, now });
}

/** With the records of the other objects that had a part in a merged RRset, which has the name of only one of them. */
function refusedWithIt(refused: RejectedRecord[], desiredRecords: DesiredRecord[]): RejectedRecord[] {
  if (refused.length === 0) return refused;
  const byName = Map.groupBy(desiredRecords, ({ name }) => name);
  return refused.flatMap((each) => [
    each,
    ...othersIn(each.rrset, byName.get(each.rrset.name) ?? []).map((rrset) => ({ ...each, rrset })),
  ]);
}

/** Beside what the delete guard holds: a held name is not given to anybody else. */
function guard(
  accepted: RRset[],
  desiredRecords: DesiredRecord[],
  endpoints: readonly Endpoint[],
  { declaration, discovery, current, lister, guard, now, isAnticipating }: Context,
) {
  const { policy, deleteGuard, sharedHosts } = discovery;
  if (policy !== 'Sync') {
    guard.clear();
    return { ...withoutHeldNames(accepted, [], declaration.name), held: [], report: undefined };
  }
  const requested = requestedNames({ current, desiredRecords, accepted, sharedHosts }, lister)
    .union(filteredNames(endpoints, desiredRecords, current, discovery))
    .union(newNames(accepted, current));
  const { held, report } = guard.hold(current, requested, deleteGuard, lister, now, isAnticipating);
  return { ...withoutHeldNames(accepted, held, declaration.name), held, report };
}

/** Names that the spec itself filters: they were not lost, so the guard must not hold them. */
function filteredNames(
  endpoints: readonly Endpoint[],
  desiredRecords: DesiredRecord[],
  current: RRset[],
  discovery: DeclaredDiscovery,
): ReadonlySet<string> {
  const names = new Set([...endpoints.map(nameOf), ...excludedAmong(current, discovery)]);
  return names.difference(namesOf(desiredRecords));
}

/** Current names below `excludedDomains`: no endpoint and no object asks for them. */
function excludedAmong(current: RRset[], { excludedDomains }: DeclaredDiscovery): string[] {
  if (excludedDomains.length === 0) return [];
  const excluded = new Map(excludedDomains.map((name) => [absolute(name), true]));
  return current.map(({ name }) => name).filter((name) => zoneOf(name, excluded) === true);
}

const newNames = (accepted: RRset[], current: RRset[]) => namesOf(accepted).difference(namesOf(current));

const namesOf = (rrsets: readonly RRset[]) => new Set(rrsets.map(({ name }) => name));

/** What the policy makes of it, as far as the server has memory for it beside everybody else's records. */
function answerWithinBudget(accepted: RRset[], held: RRset[], looping: RRset[], context: Context) {
  const { discovery, zones, scope, current, mostRecords } = context;
  const { policy } = discovery;
  const lasting = policy === 'Preview' ? current : withoutLooping(current, looping);
  // Preview shows what Sync would do.
  const { answer: planned } = applyPolicy(policy === 'Preview' ? 'Sync' : policy, lasting, [...accepted, ...held]);
  const most = mostRecords - totalCost(othersRecords(planned, zones, scope, discovery));
  const { answer, refused } = withinBudget(planned, { current, stays: staysIn(lasting, discovery), budget: most });
  if (policy !== 'Preview') return { answer, refused, preview: undefined };
  const { preview, ...previewed } = applyPolicy(policy, lasting, answer);
  return { ...previewed, preview, refused };
}

/** CNAMEs in a loop go, whatever the policy keeps. */
const withoutLooping = (current: RRset[], looping: RRset[]) =>
  looping.length === 0 ? current : current.filter((rrset) => !looping.includes(rrset));

/** The records of all zones that are neither this provider's nor about to be. */
function othersRecords(planned: RRset[], zones: Zone[], scope: Scope, discovery: DeclaredDiscovery): RRset[] {
  const keys = new Set(planned.map(keyOf));
  const isAdopted = (rrset: RRset) => isOrphaned(discovery, rrset) && keys.has(keyOf(rrset));
  return zones.flatMap(({ rrsets }) =>
    rrsets.filter((rrset) => !isOwnedBy(scope, discovery, rrset) && !isAdopted(rrset)),
  );
}

/**
 * Whether a record stays when the budget has no room for its replacement. With the policy Sync it does not if the name now
 * belongs to another object: it would answer for one that no longer has it.
 */
function staysIn(lasting: RRset[], { policy, sharedHosts }: DeclaredDiscovery): RecordBudgetOptions['stays'] {
  const isLasting = new Set(lasting);
  const isKept = policy === 'UpsertOnly' || policy === 'CreateOnly' || sharedHosts === 'Merge';
  const groupOf = (rrset: RRset) => sharingGroup(resourceOf(rrset));
  return (rrset, instead) =>
    isLasting.has(rrset) && (isKept || instead.some((other) => groupOf(other) === groupOf(rrset)));
}
