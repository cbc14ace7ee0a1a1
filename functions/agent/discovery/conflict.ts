import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Reason } from '../../contract/verdict.ts';
import { areRivals, claimantOf, type RRset, sameClaimant } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { combined, crowdEachOther, gathered, sameAnswer, united } from './merge.ts';
import { householdOf } from './resource-label.ts';

export type SharedHosts = DeclaredDiscovery['sharedHosts'];

/** What is known of a name that is asked for. */
export interface Stand {
  /** What stands there already. */
  standing: readonly RRset[];
  /** Everything that is asked for there. */
  wishes: readonly RRset[];
  sharedHosts: SharedHosts;
  lister: SourceLister;
}

/** A wish that is not published. */
export interface Refused extends Reason {
  rrset: RRset;
  /** Whether only another type of the same object is in its place. */
  isOwn?: boolean;
  /** What gave the name to the other one. */
  because?: string;
}

export interface Shared {
  accepted: RRset[];
  /** Those who want another answer than is given. */
  lost: Refused[];
}

/**
 * Who has a name that several objects ask for, in whatever order they do: one party, which is an object, the objects
 * of one namespace, or all of them. First is whose it is, then who answers as it stands, then the older object, then
 * addresses before a CNAME, then the object whose name sorts first. Whoever asks for the same answer shares it.
 *
 * `holders` cannot be answered as they wish, and still have the name that stands for them.
 */
export function share(candidates: RRset[], holders: RRset[], stand: Stand): Shared {
  const alone = candidates[0];
  if (alone && candidates.length === 1 && holders.length === 0)
    return { accepted: [settled([alone], stand)], lost: [] };
  const partyOf = parties[stand.sharedHosts];
  const wishes = gathered(candidates);
  const ranked = inOrder([...wishes, ...holders], stand);
  const first = ranked[0];
  if (!first) return { accepted: [], lost: [] };
  if (stand.sharedHosts === 'Refuse' && !sourceObjectOf(first, stand)) {
    const told = disagreement(ranked, partyOf);
    if (told.length > 0) return { accepted: [], lost: told };
  }
  const isHeld = new Set(holders);
  const valid = ranked.filter((rrset) => !isHeld.has(rrset));
  const isFirst = (rrset: RRset) => partyOf(claimantOf(rrset)) === partyOf(claimantOf(first));
  const { groups, beside } = combined(valid.filter(isFirst));
  const accepted = groups.map((group) => settled(group, stand));
  const lost = [...beside, ...valid.filter((rrset) => !isFirst(rrset))]
    .filter((rrset) => !accepted.some((a) => sameAnswer(a, rrset)))
    .map((rrset): Refused => {
      const rival = accepted.find((a) => areRivals(a, rrset)) ?? accepted[0] ?? first;
      const because = precedence(first, rrset, stand);
      return {
        rrset,
        verdict: 'Duplicate',
        message: taken(rrset, rival),
        ...(sameClaimant(rival, rrset) ? { isOwn: true } : because && { because }),
      };
    });
  return { accepted, lost };
}

/** Who shares a name with whom. */
const parties: Record<SharedHosts, (resource: string) => string> = {
  FirstWins: (resource) => resource,
  SameNamespace: householdOf,
  Refuse: householdOf,
  Merge: () => '',
};

/** Whether what is accepted leaves no room for what stands. */
export function excludes(accepted: RRset, standing: RRset, sharedHosts: SharedHosts): boolean {
  const partyOf = parties[sharedHosts];
  const isSameParty = partyOf(claimantOf(accepted)) === partyOf(claimantOf(standing));
  return !isSameParty || accepted.type === standing.type || crowdEachOther(accepted, standing);
}

/** The claim that a wish has to a name by what stands there: the lower the better, undefined for none. */
function sourceObjectOf(wish: RRset, { standing, sharedHosts }: Stand): number | undefined {
  const partyOf = parties[sharedHosts];
  const isAlike = standing.some((s) => sameAnswer(s, wish));
  const own = standing.filter((s) => sameClaimant(s, wish));
  if (own.some((s) => s.type === wish.type)) return isAlike ? 1 : 2;
  if (own.length > 0) return 3;
  if (standing.some((s) => partyOf(claimantOf(s)) === partyOf(claimantOf(wish)))) return isAlike ? 4 : 5;
  return isAlike ? 6 : undefined;
}

function inOrder(wishes: RRset[], stand: Stand): RRset[] {
  const rankOf = (rrset: RRset) => `${sourceObjectOf(rrset, stand) ?? 9} ${seniorityOf(rrset, stand.lister)}`;
  return wishes.length === 1 ? wishes : sortedBy(wishes, rankOf);
}

/** How old the object is, and whatever else gives everything its place. Unknown is youngest. */
function seniorityOf(rrset: RRset, lister: SourceLister): string {
  const { type, ttl, records } = rrset;
  const resource = claimantOf(rrset);
  return [lister.get(resource)?.created ?? '~', standsLast(rrset) ? 1 : 0, resource, type, ...records, ttl].join(' ');
}

const standsLast = ({ type }: RRset) => type === 'CNAME' || type === 'NS';

function sortedBy(rrsets: RRset[], keyOf: (rrset: RRset) => string): RRset[] {
  return rrsets
    .map((rrset) => ({ rrset, key: keyOf(rrset) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ rrset }) => rrset);
}

/** What a group of wishes becomes: it is marked, and lives, as its first says, who is whose it was, or the oldest. */
function settled(group: RRset[], { standing, wishes, lister }: Stand): RRset {
  const stands = standing.find(({ type }) => type === group[0]?.type);
  const isStanding = (rrset: RRset) => stands !== undefined && sameClaimant(rrset, stands);
  const rankOf = (rrset: RRset) => `${isStanding(rrset) ? 0 : 1} ${seniorityOf(rrset, lister)}`;
  const rrset = united(group.length === 1 ? group : sortedBy(group, rankOf));
  if (!stands || stands.ttl !== rrset.ttl || !sameAnswer(stands, rrset)) return rrset;
  const isSameOwner = stands.mark?.account === rrset.mark?.account;
  if (isSameOwner && isStanding(rrset)) return stands;
  // ExternalDNS names one of the objects that want the same, and not always the same one.
  const isUnsure = !lister.hasSynced(claimantOf(stands)) && !wishes.some(isStanding);
  return isSameOwner && isUnsure ? stands : rrset;
}

/** What places one wish before another of a rival. */
function precedence(first: RRset, wish: RRset, stand: Stand): string | undefined {
  if (sameClaimant(first, wish)) return undefined;
  if (sourceObjectOf(first, stand) !== sourceObjectOf(wish, stand)) return 'it answers there already';
  const [elder, younger] = [first, wish].map((rrset) => stand.lister.get(claimantOf(rrset))?.created);
  if (elder !== younger) return 'it is older';
  return standsLast(first) === standsLast(wish) ? 'its name sorts first' : 'addresses go before a CNAME';
}

/** Each wish with one of a party that wants another answer, if there are such. */
function disagreement(ranked: RRset[], partyOf: (resource: string) => string): Refused[] {
  const sides = Map.groupBy(ranked, (rrset) => partyOf(claimantOf(rrset)))
    .values()
    .map((wishes) => ({ wishes, answer: answerText(combined(wishes).groups) }))
    .toArray();
  const [first] = sides;
  const second = sides.find(({ answer }) => answer !== first?.answer);
  return sides.flatMap(({ wishes, answer }) => {
    const other = (answer === first?.answer ? second : first)?.wishes[0];
    if (!other) return [];
    const message = `${claimantOf(other)} wants another answer: neither has the name (discovery.sharedHosts: Refuse)`;
    return wishes.map((rrset): Refused => ({ rrset, verdict: 'Duplicate', message }));
  });
}

const answerText = (groups: RRset[][]) =>
  groups
    .map(united)
    .map(({ type, records }) => [type, ...records].join(' '))
    .sort()
    .join('\n');

/** Who has what a wish would take. */
function taken(rrset: RRset, rival: RRset): string {
  if (sameClaimant(rival, rrset))
    return `its own ${rival.type} has the name already, and ${rival.type} and ${rrset.type} cannot stand together`;
  return `${claimantOf(rival)} has the name already`;
}
