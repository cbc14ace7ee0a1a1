import type { Declaration } from '../../contract/declaration.ts';
import { compare } from '../lib/compare.ts';
import { answerOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import { noSources, type SourceLister } from '../sources/source-object.ts';
import { byDependence, isChallenge } from './across-namespaces.ts';
import type { PowerDNSRejection } from './checks.ts';
import { breakLoops, type LoopingTargets } from './cname-loops.ts';
import type { RejectedRecord } from './conflict.ts';
import type { DesiredRecord } from './desired-record.ts';
import { evaluateName, type NameEvaluation } from './evaluate-name.ts';
import { currentIn, nameContextsIn, type Owns } from './name-context.ts';
import { keepWithin, Tally } from './quota.ts';
import { type NameRestrictions, nameRestrictions } from './tenancy.ts';

export type { Owns, PowerDNSRejection, RejectedRecord };

export interface Evaluation {
  /** What ExternalDNS is to go on with: whatever is left out of it and stands, it deletes. */
  accepted: RRset[];
  /** In an order that does not depend on that of the wishes. */
  refused: RejectedRecord[];
  /** What stands and closes a circle: it goes, whatever the policy keeps. */
  looping: RRset[];
}

export interface EvaluateOptions {
  /** None means that every discovered RRset is. */
  owns?: Owns;
  /** By what the refused wish would have answered. */
  rejections?: ReadonlyMap<string, PowerDNSRejection>;
  lister?: SourceLister;
  /** As `barrierOf` has it. */
  restrictions?: NameRestrictions;
}

const everything: Owns = () => true;

/**
 * Pure: `wanted + actual -> evaluation`. Each name is judged by itself, so one bad name stays one bad name; only the
 * number of names of a namespace is judged after all of them.
 */
export function evaluate(
  desiredRecords: DesiredRecord[],
  zones: Zone[],
  declaration: Declaration,
  { owns = everything, rejections = new Map(), lister = noSources, restrictions }: EvaluateOptions = {},
): Evaluation {
  const { discovery } = declaration;
  // Until its pod is replaced ExternalDNS goes on; what it would publish goes with the next reconciliation.
  if (!discovery) return { accepted: [], refused: [], looping: [] };
  const placeOf = nameContextsIn(zones, declaration, owns);
  const accepted = new Map<string, RRset[]>();
  const context = {
    discovery,
    owns,
    rejections,
    lister,
    restrictions: restrictions ?? nameRestrictions(discovery, lister),
    accepted,
  };
  const byName = Map.groupBy(desiredRecords, (desired) => desired.name);
  const fullFor = new Map<string, ReadonlySet<string>>();
  const loopingFor = new Map<string, LoopingTargets>();
  const evaluated = (name: string): NameEvaluation => {
    const known = { ...context, full: fullFor.get(name), looping: loopingFor.get(name) };
    const evaluation = evaluateName(byName.get(name) ?? [], placeOf(name), known);
    accepted.set(name, evaluation.accepted);
    return evaluation;
  };
  const withFull = (name: string, full: ReadonlySet<string>) =>
    fullFor.set(name, full.union(fullFor.get(name) ?? full));
  const order = byDependence(byName);
  const evaluations = new Map(order.all.map((name) => [name, evaluated(name)]));
  // What is never deleted counts for as long as it stands: else a namespace could have any number of names, in turns.
  const lasting = discovery.policy === 'UpsertOnly' || discovery.policy === 'CreateOnly';
  const left = (lasting ? currentIn(zones, declaration, owns) : []).filter(({ name }) => !byName.has(name));
  for (const [name, current] of Map.groupBy(left, (rrset) => rrset.name)) {
    evaluations.set(name, { accepted: current, refused: [], current, merged: [], looping: [] });
  }
  const limit = discovery.maxNamesPerNamespace;
  const loopContext = { zones, owns, lister, isCurrentKept: discovery.policy === 'CreateOnly' };
  const settle = () => {
    keepWithin(limit, evaluations, (name, full) => {
      withFull(name, full);
      return evaluated(name);
    });
    const tally = new Tally(limit, evaluations);
    breakLoops(evaluations, loopContext, (name, looping) => {
      loopingFor.set(name, new Map([...(loopingFor.get(name) ?? []), ...looping]));
      // Whoever has the name instead is within his bounds, too.
      withFull(name, tally.fullBeside(name));
      const evaluation = evaluated(name);
      tally.take(name, evaluation);
      return evaluation;
    });
  };
  settle();
  // A host that is not published after all is in nobody's way: once more, and no further.
  if (fullFor.size + loopingFor.size > 0) {
    for (const name of order.dependent) accepted.set(name, []);
    for (const name of order.dependent) evaluations.set(name, evaluated(name));
    settle();
    // But no challenge is published for a host that has just come to another namespace.
    for (const name of order.dependent.filter(isChallenge)) {
      const again = evaluated(name);
      if (again.accepted.length === 0) evaluations.set(name, again);
    }
  }
  const all = [...byName.keys()].flatMap((name) => evaluations.get(name) ?? []);
  return {
    accepted: all.flatMap(({ accepted }) => accepted),
    refused: inOrder(all.flatMap(({ refused }) => refused)),
    looping: [...evaluations.values()].flatMap(({ looping }) => looping),
  };
}

/** What an owner's ExternalDNS finds. */
export function currentRRsets(zones: Zone[], declaration: Declaration, owns: Owns = everything): RRset[] {
  return declaration.discovery ? currentIn(zones, declaration, owns) : [];
}

/** Sorted by what they would answer, and each once. */
function inOrder(refused: RejectedRecord[]): RejectedRecord[] {
  const sorted = refused
    .map((each) => ({ each, answer: answerOf(each.rrset) }))
    .sort((a, b) => compare(a.answer, b.answer) || compare(whoAndWhy(a.each), whoAndWhy(b.each)));
  return sorted
    .filter(({ each, answer }, i) => {
      const before = sorted[i - 1];
      return answer !== before?.answer || whoAndWhy(each) !== whoAndWhy(before.each);
    })
    .map(({ each }) => each);
}

const whoAndWhy = ({ rrset, message }: RejectedRecord) => `${rrset.mark?.content} ${message}`;
