import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { isGlue } from '../../dns/zone/zone-cut.ts';
import { compare } from '../lib/compare.ts';
import { areConflicting, canonicalAddress, type RRset, resourceOf, sameResource } from '../powerdns/rrset.ts';
import { hasTooManyTargets } from '../sources/host-limit.ts';
import type { SourceLister } from '../sources/source-object.ts';
import type { RejectedRecord } from './evaluation.ts';
import { sharingGroup } from './resource-label.ts';

export type SharedHosts = DeclaredDiscovery['sharedHosts'];

export interface ConflictContext {
  /** The provider's RRsets at the name. */
  current: readonly RRset[];
  /** All desired records of the name. */
  desiredRecords: readonly RRset[];
  sharedHosts: SharedHosts;
  lister: SourceLister;
}

export interface ConflictResult {
  accepted: RRset[];
  /** The candidates that want another answer than the accepted one. */
  lost: RejectedRecord[];
}

/**
 * Decides which of the objects that want a name get it: one object, the objects of one namespace, or all, as
 * `discovery.sharedHosts` says. Precedence: the object of the current record, then whoever wants the current answer, then
 * the older object, then addresses before a CNAME, then the object whose name sorts first. Objects that want the same
 * answer share it. The order of the candidates changes nothing.
 *
 * `holders` are rejected, but keep the name by the current record that they have.
 */
export function resolveConflict(candidates: RRset[], holders: RRset[], context: ConflictContext): ConflictResult {
  const only = candidates[0];
  if (only && candidates.length === 1 && holders.length === 0)
    return { accepted: [mergeGroup([only], context)], lost: [] };
  const groupOf = sharingGroups[context.sharedHosts];
  const ranked = byPrecedence([...mergeByObject(candidates), ...holders], context);
  const first = ranked[0];
  if (!first) return { accepted: [], lost: [] };
  if (context.sharedHosts === 'Refuse' && currentRank(first, context) === noRank) {
    const lost = disagreement(ranked, groupOf);
    if (lost.length > 0) return { accepted: [], lost };
  }
  const isHolder = new Set(holders);
  const valid = ranked.filter((rrset) => !isHolder.has(rrset));
  const isOfFirst = (rrset: RRset) => groupOf(resourceOf(rrset)) === groupOf(resourceOf(first));
  const { groups, incompatible } = groupCompatible(valid.filter(isOfFirst));
  const accepted = groups.map((group) => mergeGroup(group, context));
  const lost = [...incompatible, ...valid.filter((rrset) => !isOfFirst(rrset))]
    .filter((rrset) => !accepted.some((other) => sameAnswer(other, rrset)))
    .map((rrset): RejectedRecord => {
      const rival = accepted.find((other) => areConflicting(other, rrset)) ?? accepted[0] ?? first;
      const because = precedenceReason(first, rrset, context);
      return {
        rrset,
        verdict: 'Duplicate',
        message: takenBy(rrset, rival),
        ...(sameResource(rival, rrset) ? { isOwn: true } : because && { because }),
      };
    });
  return { accepted, lost };
}

/** Which objects may share a name: those of which this is the same. */
const sharingGroups: Record<SharedHosts, (resource: string) => string> = {
  FirstWins: (resource) => resource,
  SameNamespace: sharingGroup,
  Refuse: sharingGroup,
  Merge: () => '',
};

/** Reports whether the objects of two RRsets may share a name. */
export function mayShare(a: RRset, b: RRset, sharedHosts: SharedHosts): boolean {
  const groupOf = sharingGroups[sharedHosts];
  return groupOf(resourceOf(a)) === groupOf(resourceOf(b));
}

/** Reports whether an accepted RRset and a current one cannot both be published. */
export function excludes(accepted: RRset, current: RRset, sharedHosts: SharedHosts): boolean {
  return !mayShare(accepted, current, sharedHosts) || accepted.type === current.type || areExclusive(accepted, current);
}

/** The rank of an object whose answer is not there, nor any other of its sharing group. */
const noRank = 7;

/** Ranks an object by the current records of the name: the lower the better. */
function currentRank(desired: RRset, { current, sharedHosts }: ConflictContext): number {
  const groupOf = sharingGroups[sharedHosts];
  const isCurrentAnswer = current.some((rrset) => sameAnswer(rrset, desired));
  const own = current.filter((rrset) => sameResource(rrset, desired));
  if (own.some(({ type }) => type === desired.type)) return isCurrentAnswer ? 1 : 2;
  if (own.length > 0) return 3;
  const group = groupOf(resourceOf(desired));
  if (current.some((rrset) => groupOf(resourceOf(rrset)) === group)) return isCurrentAnswer ? 4 : 5;
  return isCurrentAnswer ? 6 : noRank;
}

/** What decides which record comes first, in this order. */
interface Precedence {
  /** By the current records: the lower the better. */
  rank: number;
  /** When the object was created. */
  created: string;
  /** A CNAME or NS comes after addresses. */
  isLate: boolean;
  /** Everything else, so that the order is always the same. */
  text: string;
}

const comparePrecedence = (a: Precedence, b: Precedence) =>
  a.rank - b.rank || compare(a.created, b.created) || Number(a.isLate) - Number(b.isLate) || compare(a.text, b.text);

function sortByPrecedence(rrsets: RRset[], lister: SourceLister, rankOf: (rrset: RRset) => number): RRset[] {
  if (rrsets.length < 2) return rrsets;
  const precedenceOf = (rrset: RRset): Precedence => ({
    rank: rankOf(rrset),
    created: lister.get(resourceOf(rrset))?.created ?? unknownAge,
    isLate: isLate(rrset),
    text: [resourceOf(rrset), rrset.type, ...rrset.records, rrset.ttl].join(' '),
  });
  return rrsets
    .map((rrset) => ({ rrset, precedence: precedenceOf(rrset) }))
    .sort((a, b) => comparePrecedence(a.precedence, b.precedence))
    .map(({ rrset }) => rrset);
}

/** Sorts after every timestamp: an object that is not visible counts as the youngest. */
const unknownAge = '~';

const isLate = ({ type }: RRset) => type === 'CNAME' || type === 'NS';

const byPrecedence = (rrsets: RRset[], context: ConflictContext) =>
  sortByPrecedence(rrsets, context.lister, (rrset) => currentRank(rrset, context));

/** Merges a group into one RRset with the mark and TTL of the current object among them, or else of the oldest. */
function mergeGroup(group: RRset[], { current, desiredRecords, lister }: ConflictContext): RRset {
  const existing = current.find(({ type }) => type === group[0]?.type);
  const isOfCurrent = (rrset: RRset) => existing !== undefined && sameResource(rrset, existing);
  const rrset = merged(sortByPrecedence(group, lister, (each) => (isOfCurrent(each) ? 0 : 1)));
  if (!existing || existing.ttl !== rrset.ttl || !sameAnswer(existing, rrset)) return rrset;
  const isSameOwner = existing.mark?.account === rrset.mark?.account;
  if (isSameOwner && isOfCurrent(rrset)) return existing;
  // ExternalDNS names one of the objects that want the same, and not always the same one.
  const isUnsure = !lister.hasSynced(resourceOf(existing)) && !desiredRecords.some(isOfCurrent);
  return isSameOwner && isUnsure ? existing : rrset;
}

/** Returns why the first record has precedence over another object's, as a relative clause. */
function precedenceReason(first: RRset, desired: RRset, context: ConflictContext): string | undefined {
  if (sameResource(first, desired)) return undefined;
  if (currentRank(first, context) !== currentRank(desired, context)) return 'which was published first';
  const [older, younger] = [first, desired].map((rrset) => context.lister.get(resourceOf(rrset))?.created);
  if (older !== younger) return 'which is older';
  return isLate(first) === isLate(desired) ? 'whose name sorts first' : 'whose addresses take precedence over a CNAME';
}

/** Rejects every record if two groups want different answers, each with one of those that want another. */
function disagreement(ranked: RRset[], groupOf: (resource: string) => string): RejectedRecord[] {
  const sides = Map.groupBy(ranked, (rrset) => groupOf(resourceOf(rrset)))
    .values()
    .map((desiredRecords) => ({ desiredRecords, answer: answerText(groupCompatible(desiredRecords).groups) }))
    .toArray();
  const [first] = sides;
  const second = sides.find(({ answer }) => answer !== first?.answer);
  return sides.flatMap(({ desiredRecords, answer }) => {
    const other = (answer === first?.answer ? second : first)?.desiredRecords[0];
    if (!other) return [];
    const message = `${resourceOf(other)} wants another answer: neither is published (discovery.sharedHosts: Refuse)`;
    return desiredRecords.map((rrset): RejectedRecord => ({ rrset, verdict: 'Duplicate', message }));
  });
}

const answerText = (groups: RRset[][]) =>
  groups
    .map(merged)
    .map(({ type, records }) => [type, ...records].join(' '))
    .sort()
    .join('\n');

function takenBy(rrset: RRset, rival: RRset): string {
  if (sameResource(rival, rrset))
    return `already used by its own ${rival.type} record: ${rival.type} and ${rrset.type} cannot coexist`;
  return `already used by ${resourceOf(rival)}`;
}

/** Reports whether two RRsets of one name have the same content, whatever their TTLs. */
export function sameAnswer(a: RRset, b: RRset): boolean {
  if (a.type !== b.type || a.records.length !== b.records.length) return false;
  if (a.records.every((content, i) => content === b.records[i])) return true;
  const contents = new Set(a.records.map(canonicalAddress));
  return b.records.every((content) => contents.has(canonicalAddress(content)));
}

/** Among the records of one name, those of other objects that a merged RRset answers: it is marked for only one of them. */
export const othersIn = <T extends RRset>(merged: RRset, records: readonly T[]): T[] =>
  records.filter((each) => isPartOf(each, merged) && !sameResource(each, merged));

const isPartOf = (desired: RRset, whole: RRset) =>
  desired.type === whole.type && desired.records.every((content) => whole.records.includes(content));

/** Reports whether two RRsets of one name cannot both be published, even for objects that share it. */
export function areExclusive(a: RRset, b: RRset): boolean {
  if (a.type === b.type) return isSingle(a.type);
  return (isExclusive(a.type) || isExclusive(b.type)) && !isGlue(a, b) && !isGlue(b, a);
}

/** A name has one CNAME (RFC 1034 section 3.6.2). */
const isSingle = (type: string) => type === 'CNAME';

/** Beside a delegation nothing is answered (RFC 1034 section 4.2.1). */
const isExclusive = (type: string) => type === 'CNAME' || type === 'NS';

/** Merges the records of one object and type, with the lowest of their TTLs. */
export function mergeByObject(desiredRecords: RRset[]): RRset[] {
  const groups = Map.groupBy(desiredRecords, ({ mark, type, records }) =>
    [mark?.content, type, ...(isSingle(type) ? records : [])].join(' '),
  );
  if (groups.size === desiredRecords.length) return desiredRecords;
  return groups
    .values()
    .map((group) => ({ ...merged(group), ttl: Math.min(...group.map(({ ttl }) => ttl)) }))
    .toArray();
}

/** Returns the first RRset of a group with the records of all. */
export function merged(group: RRset[]): RRset {
  const first = group[0] as RRset;
  if (group.length === 1) return first;
  return { ...first, records: [...new Set(group.flatMap(({ records }) => records))].sort() };
}

/**
 * Groups records of one sharing group, in order of precedence, so that each group becomes one RRset. Those are
 * incompatible that cannot be published beside one with higher precedence.
 */
export function groupCompatible(desiredRecords: RRset[]): { groups: RRset[][]; incompatible: RRset[] } {
  const groups = new Map<string, RRset[]>();
  const incompatible: RRset[] = [];
  for (const rrset of desiredRecords) {
    const group = groups.get(rrset.type);
    if (groups.values().some(([first]) => first && areExclusive(first, rrset))) incompatible.push(rrset);
    else if (group && hasTooManyTargets(merged([...group, rrset]).records)) incompatible.push(rrset);
    else if (group) group.push(rrset);
    else groups.set(rrset.type, [rrset]);
  }
  return { groups: [...groups.values()], incompatible };
}
