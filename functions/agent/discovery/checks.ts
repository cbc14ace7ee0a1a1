import { isGlue } from '../../dns/zone/zone-cut.ts';
import { answerOf, areConflicting, haveSameAnswer, ownershipOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import { acrossNamespacesViolation, hidingMessage } from './across-namespaces.ts';
import { loopReason } from './cname-loops.ts';
import { sameAnswer } from './conflict.ts';
import type { DesiredRecord } from './desired-records.ts';
import type { Check, CheckInput, EvaluationContext, Violation } from './evaluation.ts';
import type { NameContext, Owns } from './name-context.ts';
import { namesBelow } from './names-below.ts';
import {
  answeredByAnotherZone,
  belowZoneCut,
  conflictVerdicts,
  emptyName,
  filteredTarget,
  illegalHostName,
  invalidCNAME,
  invalidTarget,
  invalidTTL,
  misplacedType,
  missingTarget,
  misspelledType,
  notAHostName,
  outsideZones,
  refused,
  unclearTarget,
  undiscoverableType,
  unresolvedTarget,
  zonesOwnServer,
} from './record-checks.ts';
import { namespaceOf, sharingGroup } from './resource-label.ts';

/** Every check, in order: the first violation is the one that is reported. */
export const checks: readonly Check[] = [
  // The record by itself
  emptyName,
  undiscoverableType,
  notAHostName,
  outsideZones,
  misspelledType,
  illegalHostName,
  zonesOwnServer,
  answeredByAnotherZone,
  belowZoneCut,
  unresolvedTarget,
  misplacedType,
  hidesDeclaredName,
  invalidTTL,
  filteredTarget,
  unclearTarget,
  missingTarget,
  invalidTarget,
  invalidCNAME,
  // Whether the object may have the name
  restrictedName,
  overQuota,
  acrossNamespaces,
  // Whether something else is in its place
  occupied,
  usedByAnotherOwner,
  hidesOthersName,
  // What may pass by itself, and what only the whole shows
  unknownTenant,
  cnameLoop,
  rejectedByPowerDNS,
];

/** The checks that decide about the current record even if an earlier one has failed. */
const decisive: readonly Check[] = [hidesDeclaredName, restrictedName, overQuota, cnameLoop];

/** Why a record is not published, and what becomes of the object's current record. */
export interface Rejection extends Violation {
  /** The object may have the name, so that its current record defends the name against other objects. */
  isEntitled: boolean;
  /** The object's current record is deleted. */
  isFinal: boolean;
}

/** Returns the first violation of a desired record, whoever else wants the name. Undefined if it can be published. */
export function rejectionOf(
  desired: DesiredRecord,
  nameContext: NameContext,
  context: EvaluationContext,
): Rejection | undefined {
  const input = { desired, nameContext, context, restriction: context.restrictions.for(desired) };
  const first = firstViolation(input);
  if (!first) return undefined;
  const violations = [first, ...decisive.flatMap((check) => check(input) ?? [])];
  const isFinal = desired.isFiltered === true || violations.some((violation) => violation.isFinal);
  return { ...first, isFinal, isEntitled: !isFinal && !violations.some(({ isForbidden }) => isForbidden) };
}

function firstViolation(input: CheckInput): Violation | undefined {
  for (const check of checks) {
    const violation = check(input);
    if (violation) return violation;
  }
  return undefined;
}

/** A delegation is a violation when it would hide a declared record. It hides the record even while it is wrong itself. */
function hidesDeclaredName({ desired, nameContext }: CheckInput): Violation | undefined {
  if (desired.type !== 'NS') return undefined;
  const declared = hiddenBy(desired, nameContext).find((rrset) => ownershipOf(rrset) === 'declared');
  if (!declared) return undefined;
  return { verdict: 'Refused', message: hidingMessage(declared), isFinal: true };
}

/** A name is a violation when it is reserved, or when the tenants of the spec deny it to the object's namespace. */
function restrictedName({ restriction }: CheckInput): Violation | undefined {
  if (!restriction || restriction.isTemporary) return undefined;
  return { verdict: 'Refused', message: restriction.message, isForbidden: true };
}

/** A name is a violation when its namespace has as many others as it may have. */
function overQuota({ desired, context, restriction }: CheckInput): Violation | undefined {
  const namespace = namespaceOf(resourceOf(desired));
  if (restriction || !context.exhausted?.has(namespace)) return undefined;
  const limit = context.discovery.maxNamesPerNamespace;
  const message = `namespace ${namespace} has its limit of ${limit} names (discovery.maxNamesPerNamespace): remove some, or raise it`;
  return { verdict: 'Refused', message, isForbidden: true };
}

/** A name is a violation when it answers for a host of another namespace, unless a tenant has both. */
function acrossNamespaces(input: CheckInput): Violation | undefined {
  const { desired, nameContext, context } = input;
  if (unknownTenant(input) || context.restrictions.isGranted(desired)) return undefined;
  return acrossNamespacesViolation(desired, nameContext, context);
}

/** A record is a violation when a declared or unmanaged one conflicts with it. */
function occupied({ desired, nameContext: { existing } }: CheckInput): Violation | undefined {
  const other = existing.find((rrset) => ownershipOf(rrset) !== 'discovered' && areConflicting(rrset, desired));
  if (!other) return undefined;
  const ownership = ownershipOf(other);
  const message =
    ownership === 'declared'
      ? `the InternalDNS declares ${other.type} at this name`
      : `an unmanaged ${other.type} record exists at this name: delete it, or declare it in spec.zones`;
  return { verdict: conflictVerdicts[ownership], message };
}

/**
 * A name is a violation when another ExternalDNS has it, with another answer. That one sees another namespace, so all of
 * the name is its own, unless the spec merges the answers of all namespaces.
 */
function usedByAnotherOwner({ desired, nameContext, context: { owns, discovery } }: CheckInput): Violation | undefined {
  if (isAnsweredByOther(desired, nameContext, owns)) return undefined;
  const isMerged = discovery.sharedHosts === 'Merge';
  const other = nameContext.existing.find((r) => isOthers(r, owns) && (!isMerged || areConflicting(r, desired)));
  return other && { verdict: 'Duplicate', message: `already used by ${resourceOf(other)}` };
}

/** A delegation is a violation when it would hide records of another namespace, unless the spec allows that. */
function hidesOthersName({ desired, nameContext, context: { owns, discovery } }: CheckInput): Violation | undefined {
  if (desired.type !== 'NS' || discovery.allowAcrossNamespaces.includes('Delegations')) return undefined;
  // A current delegation already hides them.
  const isDelegated = nameContext.current.some(({ type }) => type === 'NS');
  if (isDelegated || isAnsweredByOther(desired, nameContext, owns)) return undefined;
  const group = sharingGroup(resourceOf(desired));
  const isOfAnother = (r: RRset) => ownershipOf(r) === 'foreign' || sharingGroup(resourceOf(r)) !== group;
  const other = hiddenBy(desired, nameContext).find(isOfAnother);
  return refused(other && hidingMessage(other));
}

/** A name is a violation while it is unknown whether its namespace is a tenant's, unless only the TTL would change. */
function unknownTenant({ desired, nameContext, restriction }: CheckInput): Violation | undefined {
  if (!restriction?.isTemporary) return undefined;
  const namespace = namespaceOf(resourceOf(desired));
  const isCurrent = nameContext.current.some(
    ({ type, records, mark }) =>
      type === desired.type &&
      namespaceOf(resourceOf({ mark })) === namespace &&
      desired.records.every((content) => records.includes(content)),
  );
  return isCurrent ? undefined : { verdict: 'Pending', message: restriction.message };
}

/** A CNAME is a violation when it closes a loop, or a chain that is too long. A current one that does so is deleted. */
function cnameLoop({ desired, nameContext, context }: CheckInput): Violation | undefined {
  const message = loopReason(desired, context.looping);
  if (message === undefined) return undefined;
  return { verdict: 'Refused', message, isFinal: nameContext.current.some((r) => sameAnswer(r, desired)) };
}

/** A record is a violation when PowerDNS has refused the same before, and nothing that it conflicts with has gone. */
function rejectedByPowerDNS({ desired, nameContext, context }: CheckInput): Violation | undefined {
  return refused(rejectionByPowerDNS(desired, nameContext, context));
}

/** Returns PowerDNS's message if it has refused the same RRset at the same name before. */
export function rejectionByPowerDNS(
  desired: RRset,
  { existing }: NameContext,
  { rejections, owns }: EvaluationContext,
): string | undefined {
  const rejection = rejections.size > 0 ? rejections.get(answerOf(desired)) : undefined;
  if (!rejection || !hasNoLessConflicts(existing, rejection.beside, owns)) return undefined;
  return `change the object, as PowerDNS refuses this: ${rejection.message}`;
}

/** Reports whether a name has changed by nothing but RRsets that would have been replaced anyway. */
function hasNoLessConflicts(now: RRset[], before: RRset[], owns: Owns): boolean {
  const isIn = (rrsets: RRset[]) => (rrset: RRset) => rrsets.some((r) => haveSameAnswer(r, rrset));
  const isLasting = (rrset: RRset) => ownershipOf(rrset) !== 'discovered' || !owns(rrset);
  return now.every(isIn(before)) && before.filter(isLasting).every(isIn(now));
}

/** Reports whether another ExternalDNS publishes the same answer, so that there is nothing to add or to report. */
export const isAnsweredByOther = (desired: RRset, { existing }: NameContext, owns: Owns) =>
  existing.some((rrset) => isOthers(rrset, owns) && sameAnswer(rrset, desired));

const isOthers = (rrset: RRset, owns: Owns) => ownershipOf(rrset) === 'discovered' && !owns(rrset);

/** Yields what a delegation would hide at its name and below, except for its glue. */
function* hiddenBy(desired: RRset, { names, existing }: NameContext): Generator<RRset> {
  const isAtCut = ({ name, type }: RRset) => name === desired.name && (type === 'NS' || type === 'DS');
  for (const rrset of existing) if (!isAtCut(rrset) && !isGlue(rrset, desired)) yield rrset;
  for (const below of namesBelow(desired.name, names)) {
    for (const rrset of names.get(below) ?? []) if (!isGlue(rrset, desired)) yield rrset;
  }
}
