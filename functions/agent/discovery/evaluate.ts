import type { Declaration } from '../../contract/declaration.ts';
import { compare } from '../lib/compare.ts';
import { answerOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import { noSources, type SourceLister } from '../sources/source-object.ts';
import { byDependence, isChallenge } from './across-namespaces.ts';
import type { Refusal } from './checks.ts';
import { type ClosedTargets, withoutCircles } from './cname-loops.ts';
import type { Refused } from './conflict.ts';
import type { DesiredRecord } from './desired-record.ts';
import { evaluateName, type NameEvaluation } from './evaluate-name.ts';
import { currentIn, type Owns, placesIn } from './name-context.ts';
import { keepWithin, Tally } from './quota.ts';
import { type Barrier, barrierOf } from './tenancy.ts';

export type { Owns, Refusal, Refused };

export interface Evaluation {
  /** What ExternalDNS is to go on with: whatever is left out of it and stands, it deletes. */
  accepted: RRset[];
  /** In an order that does not depend on that of the wishes. */
  refused: Refused[];
  /** What stands and closes a circle: it goes, whatever the policy keeps. */
  closed: RRset[];
}

export interface EvaluateOptions {
  /** None means that every discovered RRset is. */
  owns?: Owns;
  /** By what the refused wish would have answered. */
  refusals?: ReadonlyMap<string, Refusal>;
  lister?: SourceLister;
  /** As `barrierOf` has it. */
  bars?: Barrier;
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
  { owns = everything, refusals = new Map(), lister = noSources, bars }: EvaluateOptions = {},
): Evaluation {
  const { discovery } = declaration;
  // Until its pod is replaced ExternalDNS goes on; what it would publish goes with the next reconciliation.
  if (!discovery) return { accepted: [], refused: [], closed: [] };
  const placeOf = placesIn(zones, declaration, owns);
  const accepted = new Map<string, RRset[]>();
  const circumstances = { discovery, owns, refusals, lister, bars: bars ?? barrierOf(discovery, lister), accepted };
  const byName = Map.groupBy(desiredRecords, (desired) => desired.name);
  const fullFor = new Map<string, ReadonlySet<string>>();
  const closedFor = new Map<string, ClosedTargets>();
  const evaluated = (name: string): NameEvaluation => {
    const known = { ...circumstances, full: fullFor.get(name), closed: closedFor.get(name) };
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
    evaluations.set(name, { accepted: current, refused: [], current, merged: [], closed: [] });
  }
  const limit = discovery.maxNamesPerNamespace;
  const surroundings = { zones, owns, lister, isCurrentKept: discovery.policy === 'CreateOnly' };
  const settle = () => {
    keepWithin(limit, evaluations, (name, full) => {
      withFull(name, full);
      return evaluated(name);
    });
    const tally = new Tally(limit, evaluations);
    withoutCircles(evaluations, surroundings, (name, closed) => {
      closedFor.set(name, new Map([...(closedFor.get(name) ?? []), ...closed]));
      // Whoever has the name instead is within his bounds, too.
      withFull(name, tally.fullBeside(name));
      const evaluation = evaluated(name);
      tally.take(name, evaluation);
      return evaluation;
    });
  };
  settle();
  // A host that is not published after all is in nobody's way: once more, and no further.
  if (fullFor.size + closedFor.size > 0) {
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
    closed: [...evaluations.values()].flatMap(({ closed }) => closed),
  };
}

/** What an owner's ExternalDNS finds. */
export function currentRRsets(zones: Zone[], declaration: Declaration, owns: Owns = everything): RRset[] {
  return declaration.discovery ? currentIn(zones, declaration, owns) : [];
}

/** Sorted by what they would answer, and each once. */
function inOrder(refused: Refused[]): Refused[] {
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

const whoAndWhy = ({ rrset, message }: Refused) => `${rrset.mark?.content} ${message}`;
