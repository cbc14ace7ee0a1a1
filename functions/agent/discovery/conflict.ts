import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Reason } from '../../contract/verdict.ts';
import { areConflicting, type RRset, resourceOf, sameResource } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { areExclusive, groupCompatible, mergeByObject, merged, sameAnswer } from './merge.ts';
import { sharingGroup } from './resource-label.ts';

export type SharedHosts = DeclaredDiscovery['sharedHosts'];

/** What is known of a name that is asked for. */
export interface ConflictContext {
  /** What stands there already. */
  current: readonly RRset[];
  /** Everything that is asked for there. */
  desiredRecords: readonly RRset[];
  sharedHosts: SharedHosts;
  lister: SourceLister;
}

/** A wish that is not published. */
export interface RejectedRecord extends Reason {
  rrset: RRset;
  /** Whether only another type of the same object is in its place. */
  isOwn?: boolean;
  /** What gave the name to the other one. */
  because?: string;
}

export interface ConflictResult {
  accepted: RRset[];
  /** Those who want another answer than is given. */
  lost: RejectedRecord[];
}

/**
 * Who has a name that several objects ask for, in whatever order they do: one party, which is an object, the objects
 * of one namespace, or all of them. First is whose it is, then who answers as it stands, then the older object, then
 * addresses before a CNAME, then the object whose name sorts first. Whoever asks for the same answer shares it.
 *
 * `holders` cannot be answered as they wish, and still have the name that stands for them.
 */
export function resolveConflict(candidates: RRset[], holders: RRset[], stand: ConflictContext): ConflictResult {
  const alone = candidates[0];
  if (alone && candidates.length === 1 && holders.length === 0)
    return { accepted: [mergeGroup([alone], stand)], lost: [] };
  const partyOf = sharingGroups[stand.sharedHosts];
  const desiredRecords = mergeByObject(candidates);
  const ranked = inOrder([...desiredRecords, ...holders], stand);
  const first = ranked[0];
  if (!first) return { accepted: [], lost: [] };
  if (stand.sharedHosts === 'Refuse' && !sourceObjectOf(first, stand)) {
    const told = disagreement(ranked, partyOf);
    if (told.length > 0) return { accepted: [], lost: told };
  }
  const isHeld = new Set(holders);
  const valid = ranked.filter((rrset) => !isHeld.has(rrset));
  const isFirst = (rrset: RRset) => partyOf(resourceOf(rrset)) === partyOf(resourceOf(first));
  const { groups, beside } = groupCompatible(valid.filter(isFirst));
  const accepted = groups.map((group) => mergeGroup(group, stand));
  const lost = [...beside, ...valid.filter((rrset) => !isFirst(rrset))]
    .filter((rrset) => !accepted.some((a) => sameAnswer(a, rrset)))
    .map((rrset): RejectedRecord => {
      const rival = accepted.find((a) => areConflicting(a, rrset)) ?? accepted[0] ?? first;
      const because = precedenceReason(first, rrset, stand);
      return {
        rrset,
        verdict: 'Duplicate',
        message: takenBy(rrset, rival),
        ...(sameResource(rival, rrset) ? { isOwn: true } : because && { because }),
      };
    });
  return { accepted, lost };
}

/** Who shares a name with whom. */
const sharingGroups: Record<SharedHosts, (resource: string) => string> = {
  FirstWins: (resource) => resource,
  SameNamespace: sharingGroup,
  Refuse: sharingGroup,
  Merge: () => '',
};

/** Whether what is accepted leaves no room for what stands. */
export function excludes(accepted: RRset, current: RRset, sharedHosts: SharedHosts): boolean {
  const partyOf = sharingGroups[sharedHosts];
  const isSameParty = partyOf(resourceOf(accepted)) === partyOf(resourceOf(current));
  return !isSameParty || accepted.type === current.type || areExclusive(accepted, current);
}

/** The claim that a wish has to a name by what stands there: the lower the better, undefined for none. */
function sourceObjectOf(desired: RRset, { current, sharedHosts }: ConflictContext): number | undefined {
  const partyOf = sharingGroups[sharedHosts];
  const isAlike = current.some((s) => sameAnswer(s, desired));
  const own = current.filter((s) => sameResource(s, desired));
  if (own.some((s) => s.type === desired.type)) return isAlike ? 1 : 2;
  if (own.length > 0) return 3;
  if (current.some((s) => partyOf(resourceOf(s)) === partyOf(resourceOf(desired)))) return isAlike ? 4 : 5;
  return isAlike ? 6 : undefined;
}

function inOrder(desiredRecords: RRset[], stand: ConflictContext): RRset[] {
  const rankOf = (rrset: RRset) => `${sourceObjectOf(rrset, stand) ?? 9} ${ageRank(rrset, stand.lister)}`;
  return desiredRecords.length === 1 ? desiredRecords : sortedBy(desiredRecords, rankOf);
}

/** How old the object is, and whatever else gives everything its place. Unknown is youngest. */
function ageRank(rrset: RRset, lister: SourceLister): string {
  const { type, ttl, records } = rrset;
  const resource = resourceOf(rrset);
  return [lister.get(resource)?.created ?? '~', ranksLast(rrset) ? 1 : 0, resource, type, ...records, ttl].join(' ');
}

const ranksLast = ({ type }: RRset) => type === 'CNAME' || type === 'NS';

function sortedBy(rrsets: RRset[], keyOf: (rrset: RRset) => string): RRset[] {
  return rrsets
    .map((rrset) => ({ rrset, key: keyOf(rrset) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ rrset }) => rrset);
}

/** What a group of wishes becomes: it is marked, and lives, as its first says, who is whose it was, or the oldest. */
function mergeGroup(group: RRset[], { current, desiredRecords, lister }: ConflictContext): RRset {
  const stands = current.find(({ type }) => type === group[0]?.type);
  const isCurrent = (rrset: RRset) => stands !== undefined && sameResource(rrset, stands);
  const rankOf = (rrset: RRset) => `${isCurrent(rrset) ? 0 : 1} ${ageRank(rrset, lister)}`;
  const rrset = merged(group.length === 1 ? group : sortedBy(group, rankOf));
  if (!stands || stands.ttl !== rrset.ttl || !sameAnswer(stands, rrset)) return rrset;
  const isSameOwner = stands.mark?.account === rrset.mark?.account;
  if (isSameOwner && isCurrent(rrset)) return stands;
  // ExternalDNS names one of the objects that want the same, and not always the same one.
  const isUnsure = !lister.hasSynced(resourceOf(stands)) && !desiredRecords.some(isCurrent);
  return isSameOwner && isUnsure ? stands : rrset;
}

/** What places one wish before another of a rival. */
function precedenceReason(first: RRset, desired: RRset, stand: ConflictContext): string | undefined {
  if (sameResource(first, desired)) return undefined;
  if (sourceObjectOf(first, stand) !== sourceObjectOf(desired, stand)) return 'it answers there already';
  const [elder, younger] = [first, desired].map((rrset) => stand.lister.get(resourceOf(rrset))?.created);
  if (elder !== younger) return 'it is older';
  return ranksLast(first) === ranksLast(desired) ? 'its name sorts first' : 'addresses go before a CNAME';
}

/** Each wish with one of a party that wants another answer, if there are such. */
function disagreement(ranked: RRset[], partyOf: (resource: string) => string): RejectedRecord[] {
  const sides = Map.groupBy(ranked, (rrset) => partyOf(resourceOf(rrset)))
    .values()
    .map((desiredRecords) => ({ desiredRecords, answer: answerText(groupCompatible(desiredRecords).groups) }))
    .toArray();
  const [first] = sides;
  const second = sides.find(({ answer }) => answer !== first?.answer);
  return sides.flatMap(({ desiredRecords, answer }) => {
    const other = (answer === first?.answer ? second : first)?.desiredRecords[0];
    if (!other) return [];
    const message = `${resourceOf(other)} wants another answer: neither has the name (discovery.sharedHosts: Refuse)`;
    return desiredRecords.map((rrset): RejectedRecord => ({ rrset, verdict: 'Duplicate', message }));
  });
}

const answerText = (groups: RRset[][]) =>
  groups
    .map(merged)
    .map(({ type, records }) => [type, ...records].join(' '))
    .sort()
    .join('\n');

/** Who has what a wish would take. */
function takenBy(rrset: RRset, rival: RRset): string {
  if (sameResource(rival, rrset))
    return `its own ${rival.type} has the name already, and ${rival.type} and ${rrset.type} cannot stand together`;
  return `${resourceOf(rival)} has the name already`;
}
