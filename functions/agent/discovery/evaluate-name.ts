import { type RRset, resourceOf, sameResource } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { type EvaluationContext, isAnsweredByOther, powerdnsRejectionOf, violationOf } from './checks.ts';
import { isLooping } from './cname-loops.ts';
import { excludes, type RejectedRecord, resolveConflict } from './conflict.ts';
import type { DesiredRecord } from './desired-record.ts';
import { sameAnswer } from './merge.ts';
import type { NameContext } from './name-context.ts';

export interface NameEvaluation {
  accepted: RRset[];
  refused: RejectedRecord[];
  /** What the owner had there. */
  current: RRset[];
  /** The wishes that have a part in what is accepted without being its mark. */
  merged: RRset[];
  /** What of the standing closes a circle. */
  looping: RRset[];
}

/** The verdict on all wishes for one name. */
export function evaluateName(
  desiredRecords: DesiredRecord[],
  nameContext: NameContext,
  context: EvaluationContext,
): NameEvaluation {
  const { lister, owns, discovery } = context;
  const looping = context.looping ? nameContext.current.filter((s) => isLooping(s, context.looping)) : [];
  const current = looping.length > 0 ? nameContext.current.filter((s) => !looping.includes(s)) : nameContext.current;
  const { sharedHosts } = discovery;
  const refused: (RejectedRecord & { isFinal: boolean })[] = [];
  const candidates: RRset[] = [];
  const holders: RRset[] = [];
  for (const rrset of desiredRecords) {
    const objection = violationOf(rrset, nameContext, context);
    if (!objection && !isAnsweredByOther(rrset, nameContext, owns)) candidates.push(rrset);
    if (objection) {
      const { verdict, message, isFinal } = objection;
      refused.push({ rrset, verdict, message, isFinal });
    }
    if (objection?.isEntitled && current.some((s) => sameResource(s, rrset))) holders.push(rrset);
  }
  const shared = resolveConflict(candidates, holders, { current, desiredRecords, sharedHosts, lister });
  const accepted = shared.accepted.filter((rrset) => {
    // What each object wants passed above; together they are another answer, which PowerDNS may have refused.
    if (isLooping(rrset, context.looping)) return false;
    const isAsked = desiredRecords.includes(rrset) || current.includes(rrset);
    const message = isAsked ? undefined : powerdnsRejectionOf(rrset, nameContext, context);
    if (message === undefined) return true;
    const others = candidates.filter((each) => isPartOf(each, rrset) && !sameResource(each, rrset));
    for (const each of [rrset, ...others]) refused.push({ rrset: each, verdict: 'Refused', message, isFinal: false });
    return false;
  });
  const merged = sharedHosts === 'Merge' ? without(candidates, shared.lost) : [];
  if (refused.length + shared.lost.length === 0)
    return { accepted, refused, current: nameContext.current, merged, looping };
  // What is still wanted and cannot become what is wanted stays as it is: leaving it out would delete it.
  const waiting = [...refused.filter(({ isFinal }) => !isFinal), ...shared.lost];
  const kept = current.filter(
    (s) =>
      waiting.some(({ rrset }) => isFor(rrset, s, lister)) &&
      !refused.some(({ rrset, isFinal }) => isFinal && rrset.type === s.type && sameResource(rrset, s)) &&
      !accepted.some((a) => excludes(a, s, sharedHosts)),
  );
  const unanswered = shared.lost.filter(({ rrset }) => !kept.some((k) => sameAnswer(k, rrset)));
  return {
    accepted: [...accepted, ...kept],
    refused: [...refused.map(({ isFinal: _, ...each }) => each), ...unanswered],
    current: nameContext.current,
    merged,
    looping,
  };
}

const isPartOf = (desired: RRset, whole: RRset) =>
  desired.type === whole.type && desired.records.every((content) => whole.records.includes(content));

function without(desiredRecords: RRset[], lost: RejectedRecord[]): RRset[] {
  const losers = new Set(lost.map(({ rrset }) => rrset));
  return desiredRecords.filter((rrset) => !losers.has(rrset));
}

/**
 * Whether a wish is for what stands, or for what its object wants instead of it. Where objects are not seen, the wish
 * for a part of what stands may be its own: ExternalDNS names only one of those whose addresses it has merged.
 */
const isFor = (desired: RRset, current: RRset, lister: SourceLister) =>
  sameResource(desired, current) ||
  (!lister.hasSynced(resourceOf(current)) && desired.records.some((content) => current.records.includes(content)));
