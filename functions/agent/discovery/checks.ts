import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Reason } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';
import { isGlue } from '../../dns/zone/zone-cut.ts';
import { answerOf, answersAlike, areRivals, ownershipOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { type Surroundings, type Trespass, trespassOf } from './across-namespaces.ts';
import { type ClosedTargets, whyClosed } from './cname-loops.ts';
import type { DesiredRecord } from './desired-record.ts';
import { sameAnswer } from './merge.ts';
import type { Owns, Place } from './name-context.ts';
import { namesBeneath } from './names-below.ts';
import { fault, verdictOf } from './record-checks.ts';
import { namespaceOf, sharingGroup } from './resource-label.ts';
import type { Bar, Barrier } from './tenancy.ts';

/** What PowerDNS would not take, in its own words. It is not asked again while wish and zone stay as they were. */
export interface Refusal {
  rrset: RRset;
  message: string;
  /** The name's RRsets at that time. */
  beside: RRset[];
}

/** What every verdict follows. */
export interface Circumstances {
  discovery: DeclaredDiscovery;
  owns: Owns;
  refusals: ReadonlyMap<string, Refusal>;
  lister: SourceLister;
  bars: Barrier;
  /** What has been accepted so far, by its names. */
  accepted: Surroundings['accepted'];
  /** The namespaces that may not have the name as one more. */
  full?: ReadonlySet<string> | undefined;
  /** Targets that would close a circle. */
  closed?: ClosedTargets | undefined;
}

export interface Objection extends Reason {
  /** Whether the object may have the name, and so holds what stands for it against others. */
  isEntitled: boolean;
  /** Whether what stands in its place goes. */
  isFinal: boolean;
}

/** Why a wish cannot be published, whoever else wants the name. */
export function objectionTo(desired: DesiredRecord, place: Place, circumstances: Circumstances): Objection | undefined {
  const beneath = desired.type === 'NS' ? declaredBeneath(desired, place) : undefined;
  const wrong = fault(desired, beneath === undefined ? place.setting : { ...place.setting, beneath });
  const bar = barTo(desired, place, circumstances);
  const circle = whyClosed(desired, circumstances.closed);
  const isCurrentLooping = circle !== undefined && place.current.some((r) => sameAnswer(r, desired));
  const trespass = wrong || bar ? undefined : trespassIn(desired, place, circumstances);
  const isFinal =
    desired.isFiltered === true || beneath !== undefined || isCurrentLooping || trespass?.isFinal === true;
  const isEntitled = !isFinal && !trespass && (!bar || bar.isPassing === true);
  const reason: Reason | undefined =
    wrong ??
    (bar?.isPassing ? undefined : refused(bar?.message ?? trespass?.message)) ??
    occupant(desired, place, circumstances) ??
    (bar?.isPassing ? { verdict: 'Pending', message: bar.message } : undefined) ??
    refused(bar?.message ?? circle ?? refusalOf(desired, place, circumstances));
  return reason && { ...reason, isEntitled, isFinal };
}

/** Nothing where a tenant is given the name. */
function trespassIn(desired: DesiredRecord, place: Place, circumstances: Circumstances): Trespass | undefined {
  const { discovery, lister, accepted, bars } = circumstances;
  const { allowAcrossNamespaces } = discovery;
  return bars.isGiven(desired) ? undefined : trespassOf(desired, place, { allowAcrossNamespaces, lister, accepted });
}

const refused = (message: string | undefined): Reason | undefined =>
  message === undefined ? undefined : { verdict: 'Refused', message };

/** Whether another owner gives the same answer at the name, so that there is nothing to add and nothing to report. */
export const isGiven = (desired: RRset, { there }: Place, owns: Owns) =>
  there.some((r) => isOthers(r, owns) && sameAnswer(r, desired));

/** What PowerDNS said when it was asked for the same. */
export function refusalOf(desired: RRset, { there }: Place, { refusals, owns }: Circumstances): string | undefined {
  const refusal = refusals.size > 0 ? refusals.get(answerOf(desired)) : undefined;
  if (!refusal || !isNoBetter(there, refusal.beside, owns)) return undefined;
  return `change the object, as PowerDNS refuses this: ${refusal.message}`;
}

const isOthers = (rrset: RRset, owns: Owns) => ownershipOf(rrset) === 'discovered' && !owns(rrset);

function barTo(desired: RRset, { current }: Place, { discovery, bars, full }: Circumstances): Bar | undefined {
  const bar = bars.to(desired);
  const namespace = bar?.isPassing || full ? namespaceOf(resourceOf(desired)) : '';
  if (bar?.isPassing) {
    // It changes nothing but the time to live.
    const isThere = (r: RRset) =>
      r.type === desired.type &&
      namespaceOf(resourceOf(r)) === namespace &&
      desired.records.every((content) => r.records.includes(content));
    return current.some(isThere) ? undefined : bar;
  }
  if (bar || !full?.has(namespace)) return bar;
  const limit = discovery.maxNamesPerNamespace;
  return {
    message: `beyond the ${limit} names of namespace ${namespace} (discovery.maxNamesPerNamespace): remove some, or raise it`,
  };
}

/** Who has the place that a wish would take. */
function occupant(desired: RRset, place: Place, { owns, discovery }: Circumstances): Reason | undefined {
  const { there } = place;
  if (there.length > 0) {
    const other = there.find((r) => ownershipOf(r) !== 'discovered' && areRivals(r, desired));
    if (other) return occupied(other);
    if (isGiven(desired, place, owns)) return undefined;
    // Another owner is another namespace: the whole name is its own, unless all answers are merged.
    const first = there.find((r) => isOthers(r, owns) && (discovery.sharedHosts !== 'Merge' || areRivals(r, desired)));
    if (first) return { verdict: 'Duplicate', message: `${resourceOf(first)} has the name already` };
  }
  const isOpen = discovery.allowAcrossNamespaces.includes('Delegations');
  const hidden = desired.type === 'NS' && !isOpen ? othersBeneath(desired, place) : undefined;
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
  const isIn = (rrsets: RRset[]) => (rrset: RRset) => rrsets.some((r) => answersAlike(r, rrset));
  const isLasting = (rrset: RRset) => ownershipOf(rrset) !== 'discovered' || !owns(rrset);
  return now.every(isIn(then)) && then.filter(isLasting).every(isIn(now));
}

/** What a delegation would hide at its name and below, but for the addresses of its own servers. */
function* hiddenBy(desired: RRset, { names, there }: Place): Generator<RRset> {
  const isKept = (rrset: RRset) => rrset.name === desired.name && (rrset.type === 'NS' || rrset.type === 'DS');
  for (const rrset of there) if (!isKept(rrset) && !isGlue(rrset, desired)) yield rrset;
  for (const below of namesBeneath(desired.name, names)) {
    for (const rrset of names.get(below) ?? []) if (!isGlue(rrset, desired)) yield rrset;
  }
}

const declaredBeneath = (desired: RRset, place: Place) =>
  hiddenBy(desired, place).find((r) => ownershipOf(r) === 'declared')?.name;

/** Another party's; none once the delegation stands. */
function othersBeneath(desired: RRset, place: Place): RRset | undefined {
  if (place.current.some(({ type }) => type === 'NS')) return undefined;
  const group = sharingGroup(resourceOf(desired));
  return hiddenBy(desired, place).find((r) => ownershipOf(r) === 'foreign' || sharingGroup(resourceOf(r)) !== group);
}
