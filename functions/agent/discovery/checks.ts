import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Reason } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';
import { isGlue } from '../../dns/zone/zone-cut.ts';
import { answerOf, areConflicting, haveSameAnswer, ownershipOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import {
  type AcrossNamespacesContext,
  type AcrossNamespacesViolation,
  acrossNamespacesViolation,
} from './across-namespaces.ts';
import { type LoopingTargets, loopReason } from './cname-loops.ts';
import type { DesiredRecord } from './desired-record.ts';
import { sameAnswer } from './merge.ts';
import type { NameContext, Owns } from './name-context.ts';
import { namesBelow } from './names-below.ts';
import { fault, verdictOf } from './record-checks.ts';
import { namespaceOf, sharingGroup } from './resource-label.ts';
import type { NameRestrictions, Restriction } from './tenancy.ts';

/** What PowerDNS would not take, in its own words. It is not asked again while wish and zone stay as they were. */
export interface PowerDNSRejection {
  rrset: RRset;
  message: string;
  /** The name's RRsets at that time. */
  beside: RRset[];
}

/** What every verdict follows. */
export interface EvaluationContext {
  discovery: DeclaredDiscovery;
  owns: Owns;
  rejections: ReadonlyMap<string, PowerDNSRejection>;
  lister: SourceLister;
  restrictions: NameRestrictions;
  /** What has been accepted so far, by its names. */
  accepted: AcrossNamespacesContext['accepted'];
  /** The namespaces that may not have the name as one more. */
  full?: ReadonlySet<string> | undefined;
  /** Targets that would close a circle. */
  looping?: LoopingTargets | undefined;
}

export interface Violation extends Reason {
  /** Whether the object may have the name, and so holds what stands for it against others. */
  isEntitled: boolean;
  /** Whether what stands in its place goes. */
  isFinal: boolean;
}

/** Why a wish cannot be published, whoever else wants the name. */
export function violationOf(
  desired: DesiredRecord,
  nameContext: NameContext,
  context: EvaluationContext,
): Violation | undefined {
  const beneath = desired.type === 'NS' ? declaredBeneath(desired, nameContext) : undefined;
  const wrong = fault(desired, beneath === undefined ? nameContext.placement : { ...nameContext.placement, beneath });
  const restriction = barTo(desired, nameContext, context);
  const circle = loopReason(desired, context.looping);
  const isCurrentLooping = circle !== undefined && nameContext.current.some((r) => sameAnswer(r, desired));
  const crossing = wrong || restriction ? undefined : crossingIn(desired, nameContext, context);
  const isFinal =
    desired.isFiltered === true || beneath !== undefined || isCurrentLooping || crossing?.isFinal === true;
  const isEntitled = !isFinal && !crossing && (!restriction || restriction.isTemporary === true);
  const reason: Reason | undefined =
    wrong ??
    (restriction?.isTemporary ? undefined : refused(restriction?.message ?? crossing?.message)) ??
    occupant(desired, nameContext, context) ??
    (restriction?.isTemporary ? { verdict: 'Pending', message: restriction.message } : undefined) ??
    refused(restriction?.message ?? circle ?? powerdnsRejectionOf(desired, nameContext, context));
  return reason && { ...reason, isEntitled, isFinal };
}

/** Nothing where a tenant is given the name. */
function crossingIn(
  desired: DesiredRecord,
  nameContext: NameContext,
  context: EvaluationContext,
): AcrossNamespacesViolation | undefined {
  const { discovery, lister, accepted, restrictions } = context;
  const { allowAcrossNamespaces } = discovery;
  return restrictions.isGranted(desired)
    ? undefined
    : acrossNamespacesViolation(desired, nameContext, { allowAcrossNamespaces, lister, accepted });
}

const refused = (message: string | undefined): Reason | undefined =>
  message === undefined ? undefined : { verdict: 'Refused', message };

/** Whether another owner gives the same answer at the name, so that there is nothing to add and nothing to report. */
export const isAnsweredByOther = (desired: RRset, { there }: NameContext, owns: Owns) =>
  there.some((r) => isOthers(r, owns) && sameAnswer(r, desired));

/** What PowerDNS said when it was asked for the same. */
export function powerdnsRejectionOf(
  desired: RRset,
  { there }: NameContext,
  { rejections, owns }: EvaluationContext,
): string | undefined {
  const refusal = rejections.size > 0 ? rejections.get(answerOf(desired)) : undefined;
  if (!refusal || !isNoBetter(there, refusal.beside, owns)) return undefined;
  return `change the object, as PowerDNS refuses this: ${refusal.message}`;
}

const isOthers = (rrset: RRset, owns: Owns) => ownershipOf(rrset) === 'discovered' && !owns(rrset);

function barTo(
  desired: RRset,
  { current }: NameContext,
  { discovery, restrictions, full }: EvaluationContext,
): Restriction | undefined {
  const restriction = restrictions.for(desired);
  const namespace = restriction?.isTemporary || full ? namespaceOf(resourceOf(desired)) : '';
  if (restriction?.isTemporary) {
    // It changes nothing but the time to live.
    const isThere = (r: RRset) =>
      r.type === desired.type &&
      namespaceOf(resourceOf(r)) === namespace &&
      desired.records.every((content) => r.records.includes(content));
    return current.some(isThere) ? undefined : restriction;
  }
  if (restriction || !full?.has(namespace)) return restriction;
  const limit = discovery.maxNamesPerNamespace;
  return {
    message: `beyond the ${limit} names of namespace ${namespace} (discovery.maxNamesPerNamespace): remove some, or raise it`,
  };
}

/** Who has the place that a wish would take. */
function occupant(
  desired: RRset,
  nameContext: NameContext,
  { owns, discovery }: EvaluationContext,
): Reason | undefined {
  const { there } = nameContext;
  if (there.length > 0) {
    const other = there.find((r) => ownershipOf(r) !== 'discovered' && areConflicting(r, desired));
    if (other) return occupied(other);
    if (isAnsweredByOther(desired, nameContext, owns)) return undefined;
    // Another owner is another namespace: the whole name is its own, unless all answers are merged.
    const first = there.find(
      (r) => isOthers(r, owns) && (discovery.sharedHosts !== 'Merge' || areConflicting(r, desired)),
    );
    if (first) return { verdict: 'Duplicate', message: `${resourceOf(first)} has the name already` };
  }
  const isOpen = discovery.allowAcrossNamespaces.includes('Delegations');
  const hidden = desired.type === 'NS' && !isOpen ? othersBeneath(desired, nameContext) : undefined;
  return refused(
    hidden &&
      `a delegation would hide ${withoutDot(hidden.name)}, which ${resourceOf(hidden) || 'somebody else'} has: delegate another name`,
  );
}

function occupied(other: RRset): Reason {
  const ownership = ownershipOf(other);
  const message =
    ownership === 'declared'
      ? `the InternalDNS declares ${other.type} at this name`
      : `somebody else's ${other.type} record is at this name: remove it, or mark it`;
  return { verdict: verdictOf[ownership], message };
}

/** Whether a place is as it was, or has lost only what would have made room for the wish anyway. */
function isNoBetter(now: RRset[], then: RRset[], owns: Owns): boolean {
  const isIn = (rrsets: RRset[]) => (rrset: RRset) => rrsets.some((r) => haveSameAnswer(r, rrset));
  const isLasting = (rrset: RRset) => ownershipOf(rrset) !== 'discovered' || !owns(rrset);
  return now.every(isIn(then)) && then.filter(isLasting).every(isIn(now));
}

/** What a delegation would hide at its name and below, but for the addresses of its own servers. */
function* hiddenBy(desired: RRset, { names, there }: NameContext): Generator<RRset> {
  const isKept = (rrset: RRset) => rrset.name === desired.name && (rrset.type === 'NS' || rrset.type === 'DS');
  for (const rrset of there) if (!isKept(rrset) && !isGlue(rrset, desired)) yield rrset;
  for (const below of namesBelow(desired.name, names)) {
    for (const rrset of names.get(below) ?? []) if (!isGlue(rrset, desired)) yield rrset;
  }
}

const declaredBeneath = (desired: RRset, nameContext: NameContext) =>
  hiddenBy(desired, nameContext).find((r) => ownershipOf(r) === 'declared')?.name;

/** Another party's; none once the delegation stands. */
function othersBeneath(desired: RRset, nameContext: NameContext): RRset | undefined {
  if (nameContext.current.some(({ type }) => type === 'NS')) return undefined;
  const group = sharingGroup(resourceOf(desired));
  return hiddenBy(desired, nameContext).find(
    (r) => ownershipOf(r) === 'foreign' || sharingGroup(resourceOf(r)) !== group,
  );
}
