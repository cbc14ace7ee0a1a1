import { type RRset, resourceOf, sameResource } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import { isAnsweredByOther, rejectionByPowerDNS, rejectionOf } from './checks.ts';
import { isLooping } from './cname-loops.ts';
import { excludes, othersIn, resolveConflict, sameAnswer } from './conflict.ts';
import type { DesiredRecord } from './desired-records.ts';
import type { EvaluationContext, NameEvaluation, RejectedRecord } from './evaluation.ts';
import type { NameContext } from './name-context.ts';
import { applyPolicy } from './policy.ts';

/** A rejected record, and whether the object's current record is deleted, too. */
type Refused = RejectedRecord & { isFinal: boolean };

/** The desired records of a name after the checks. */
interface Checked {
  /** Those that can be published. */
  candidates: RRset[];
  /** Those that cannot, whose objects keep the name by their current record. */
  holders: RRset[];
  refused: Refused[];
}

/** Evaluates all desired records of one name. */
export function evaluateName(
  desiredRecords: DesiredRecord[],
  nameContext: NameContext,
  context: EvaluationContext,
): NameEvaluation {
  const { lister, discovery } = context;
  const { sharedHosts, policy } = discovery;
  const looping = nameContext.current.filter((rrset) => isLooping(rrset, context.looping));
  const current = nameContext.current.filter((rrset) => !looping.includes(rrset));
  const { candidates, holders, refused } = checkAll(desiredRecords, current, nameContext, context);
  const conflict = { current, desiredRecords, sharedHosts, lister };
  const { accepted: resolved, lost } = resolveConflict(candidates, holders, conflict);
  const accepted = resolved.filter((rrset) => {
    if (isLooping(rrset, context.looping)) return false;
    // Each record has passed the checks; merged they are another RRset, which PowerDNS may have refused.
    const isMerged = !desiredRecords.includes(rrset) && !current.includes(rrset);
    const message = isMerged ? rejectionByPowerDNS(rrset, nameContext, context) : undefined;
    if (message === undefined) return true;
    for (const each of [rrset, ...othersIn(rrset, candidates)])
      refused.push({ rrset: each, verdict: 'Refused', message, isFinal: false });
    return false;
  });
  const kept = keptWhileRejected(current, refused, lost, lister).filter(
    (rrset) => !accepted.some((other) => excludes(other, rrset, sharedHosts)),
  );
  const all = [...accepted, ...kept];
  const { answer } = applyPolicy(policy, current, all);
  const unanswered = lost.filter(({ rrset }) => !answer.some((other) => sameAnswer(other, rrset)));
  return {
    accepted: all,
    published: policy === 'Preview' ? all : answer,
    refused: [...refused.map(({ isFinal: _, ...each }) => each), ...unanswered],
    current: nameContext.current,
    merged: sharedHosts === 'Merge' ? without(candidates, lost) : [],
    looping,
  };
}

function checkAll(
  desiredRecords: DesiredRecord[],
  current: RRset[],
  nameContext: NameContext,
  context: EvaluationContext,
): Checked {
  const checked: Checked = { candidates: [], holders: [], refused: [] };
  for (const rrset of desiredRecords) {
    const rejection = rejectionOf(rrset, nameContext, context);
    if (rejection) {
      const { verdict, message, isEntitled, isFinal } = rejection;
      checked.refused.push({ rrset, verdict, message, isFinal });
      if (isEntitled && current.some((each) => sameResource(each, rrset))) checked.holders.push(rrset);
    } else if (!isAnsweredByOther(rrset, nameContext, context.owns)) checked.candidates.push(rrset);
  }
  return checked;
}

/**
 * Returns the current records that stay because what their objects desire instead is rejected: ExternalDNS would delete
 * what is left out.
 */
function keptWhileRejected(
  current: RRset[],
  refused: Refused[],
  lost: RejectedRecord[],
  lister: SourceLister,
): RRset[] {
  if (refused.length + lost.length === 0) return [];
  const final = refused.filter(({ isFinal }) => isFinal);
  const waiting = [...refused.filter(({ isFinal }) => !isFinal), ...lost];
  return current.filter(
    (each) =>
      waiting.some(({ rrset }) => isInsteadOf(rrset, each, lister)) &&
      !final.some(({ rrset }) => rrset.type === each.type && sameResource(rrset, each)),
  );
}

function without(rrsets: RRset[], rejected: RejectedRecord[]): RRset[] {
  const losers = new Set(rejected.map(({ rrset }) => rrset));
  return rrsets.filter((rrset) => !losers.has(rrset));
}

/**
 * Reports whether a desired record is that of the object which has a current one. Where objects are not visible, a record
 * with a part of the current targets may be: ExternalDNS names only one of the objects whose addresses it has merged.
 */
const isInsteadOf = (desired: RRset, current: RRset, lister: SourceLister) =>
  sameResource(desired, current) ||
  (!lister.hasSynced(resourceOf(current)) && desired.records.some((content) => current.records.includes(content)));
