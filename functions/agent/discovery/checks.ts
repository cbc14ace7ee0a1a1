import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Reason } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';
import { isGlue } from '../../dns/zone/zone-cut.ts';
import { answerOf, answersAlike, areRivals, claimantOf, ownershipOf, type RRset } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { type Surroundings, type Trespass, trespassOf } from './across-namespaces.ts';
import { type ClosedTargets, whyClosed } from './cname-loops.ts';
import type { Wish } from './desired-record.ts';
import { sameAnswer } from './merge.ts';
import type { Owns, Place } from './name-context.ts';
import { namesBeneath } from './names-below.ts';
import { fault, verdictOf } from './record-checks.ts';
import { householdOf, namespaceOf } from './resource-label.ts';
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
export function objectionTo(wish: Wish, place: Place, circumstances: Circumstances): Objection | undefined {
  const beneath = wish.type === 'NS' ? declaredBeneath(wish, place) : undefined;
  const wrong = fault(wish, beneath === undefined ? place.setting : { ...place.setting, beneath });
  const bar = barTo(wish, place, circumstances);
  const circle = whyClosed(wish, circumstances.closed);
  const standsClosed = circle !== undefined && place.standing.some((r) => sameAnswer(r, wish));
  const trespass = wrong || bar ? undefined : trespassIn(wish, place, circumstances);
  const isFinal = wish.isFiltered === true || beneath !== undefined || standsClosed || trespass?.isFinal === true;
  const isEntitled = !isFinal && !trespass && (!bar || bar.isPassing === true);
  const reason: Reason | undefined =
    wrong ??
    (bar?.isPassing ? undefined : refused(bar?.message ?? trespass?.message)) ??
    occupant(wish, place, circumstances) ??
    (bar?.isPassing ? { verdict: 'Pending', message: bar.message } : undefined) ??
    refused(bar?.message ?? circle ?? refusalOf(wish, place, circumstances));
  return reason && { ...reason, isEntitled, isFinal };
}

/** Nothing where a tenant is given the name. */
function trespassIn(wish: Wish, place: Place, circumstances: Circumstances): Trespass | undefined {
  const { discovery, lister, accepted, bars } = circumstances;
  const { allowAcrossNamespaces } = discovery;
  return bars.isGiven(wish) ? undefined : trespassOf(wish, place, { allowAcrossNamespaces, lister, accepted });
}

const refused = (message: string | undefined): Reason | undefined =>
  message === undefined ? undefined : { verdict: 'Refused', message };

/** Whether another owner gives the same answer at the name, so that there is nothing to add and nothing to report. */
export const isGiven = (wish: RRset, { there }: Place, owns: Owns) =>
  there.some((r) => isOthers(r, owns) && sameAnswer(r, wish));

/** What PowerDNS said when it was asked for the same. */
export function refusalOf(wish: RRset, { there }: Place, { refusals, owns }: Circumstances): string | undefined {
  const refusal = refusals.size > 0 ? refusals.get(answerOf(wish)) : undefined;
  if (!refusal || !isNoBetter(there, refusal.beside, owns)) return undefined;
  return `change the object, as PowerDNS refuses this: ${refusal.message}`;
}

const isOthers = (rrset: RRset, owns: Owns) => ownershipOf(rrset) === 'discovered' && !owns(rrset);

function barTo(wish: RRset, { standing }: Place, { discovery, bars, full }: Circumstances): Bar | undefined {
  const bar = bars.to(wish);
  const namespace = bar?.isPassing || full ? namespaceOf(claimantOf(wish)) : '';
  if (bar?.isPassing) {
    // It changes nothing but the time to live.
    const isThere = (r: RRset) =>
      r.type === wish.type &&
      namespaceOf(claimantOf(r)) === namespace &&
      wish.records.every((content) => r.records.includes(content));
    return standing.some(isThere) ? undefined : bar;
  }
  if (bar || !full?.has(namespace)) return bar;
  const limit = discovery.maxNamesPerNamespace;
  return {
    message: `beyond the ${limit} names of namespace ${namespace} (discovery.maxNamesPerNamespace): remove some, or raise it`,
  };
}

/** Who has the place that a wish would take. */
function occupant(wish: RRset, place: Place, { owns, discovery }: Circumstances): Reason | undefined {
  const { there } = place;
  if (there.length > 0) {
    const other = there.find((r) => ownershipOf(r) !== 'discovered' && areRivals(r, wish));
    if (other) return occupied(other);
    if (isGiven(wish, place, owns)) return undefined;
    // Another owner is another namespace: the whole name is its own, unless all answers are merged.
    const first = there.find((r) => isOthers(r, owns) && (discovery.sharedHosts !== 'Merge' || areRivals(r, wish)));
    if (first) return { verdict: 'Duplicate', message: `${claimantOf(first)} has the name already` };
  }
  const isOpen = discovery.allowAcrossNamespaces.includes('Delegations');
  const hidden = wish.type === 'NS' && !isOpen ? othersBeneath(wish, place) : undefined;
  return refused(
    hidden &&
      `a delegation would hide ${withoutDot(hidden.name)}, which ${claimantOf(hidden) || 'somebody else'} has: delegate another name`,
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
function* hiddenBy(wish: RRset, { names, there }: Place): Generator<RRset> {
  const isKept = (rrset: RRset) => rrset.name === wish.name && (rrset.type === 'NS' || rrset.type === 'DS');
  for (const rrset of there) if (!isKept(rrset) && !isGlue(rrset, wish)) yield rrset;
  for (const below of namesBeneath(wish.name, names)) {
    for (const rrset of names.get(below) ?? []) if (!isGlue(rrset, wish)) yield rrset;
  }
}

const declaredBeneath = (wish: RRset, place: Place) =>
  hiddenBy(wish, place).find((r) => ownershipOf(r) === 'declared')?.name;

/** Another party's; none once the delegation stands. */
function othersBeneath(wish: RRset, place: Place): RRset | undefined {
  if (place.standing.some(({ type }) => type === 'NS')) return undefined;
  const household = householdOf(claimantOf(wish));
  return hiddenBy(wish, place).find((r) => ownershipOf(r) === 'foreign' || householdOf(claimantOf(r)) !== household);
}
