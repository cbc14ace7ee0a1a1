import type { Declaration } from '../../contract/declaration.ts';
import { compare } from '../lib/compare.ts';
import { answerOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import { noSources, type SourceLister } from '../sources/source-object.ts';
import { inDependencyOrder, isChallenge } from './across-namespaces.ts';
import { breakLoops, type LoopContext, mergeLooping } from './cname-loops.ts';
import type { DesiredRecord } from './desired-records.ts';
import { evaluateName } from './evaluate-name.ts';
import type {
  Evaluation,
  EvaluationContext,
  LoopingTargets,
  NameEvaluation,
  PowerDNSRejection,
  RejectedRecord,
} from './evaluation.ts';
import { currentIn, type NameContext, nameContextsIn, type Owns } from './name-context.ts';
import { enforceQuota, QuotaCounter } from './quota.ts';
import { type NameRestrictions, nameRestrictions } from './tenancy.ts';

export interface EvaluateOptions {
  /** Defaults to all discovered RRsets. */
  owns?: Owns;
  /** By what the rejected record would have answered. */
  rejections?: ReadonlyMap<string, PowerDNSRejection>;
  lister?: SourceLister;
  /** Defaults to those of the declaration. */
  restrictions?: NameRestrictions;
}

const ownsAll: Owns = () => true;

/**
 * Decides which desired records are published. Pure. Each name is evaluated by itself, so one bad name affects no other;
 * only quotas, CNAME loops and names that answer for other hosts depend on several.
 */
export function evaluate(
  desiredRecords: DesiredRecord[],
  zones: Zone[],
  declaration: Declaration,
  { owns = ownsAll, rejections = new Map(), lister = noSources, restrictions }: EvaluateOptions = {},
): Evaluation {
  const { discovery } = declaration;
  // ExternalDNS runs on until its pod is replaced; the next reconcile removes its records.
  if (!discovery) return { accepted: [], refused: [], looping: [] };
  const byName = Map.groupBy(desiredRecords, ({ name }) => name);
  const names = new NameEvaluations(byName, nameContextsIn(zones, declaration, owns), {
    discovery,
    owns,
    rejections,
    lister,
    restrictions: restrictions ?? nameRestrictions(discovery, lister),
  });
  const limit = discovery.maxNamesPerNamespace;
  const loopContext = { zones, owns, lister };
  const { all, dependent } = inDependencyOrder(byName);
  names.evaluateAll(all);
  // Records that the policy never deletes count toward the quota: else a namespace could have any number, one by one.
  if (discovery.policy === 'UpsertOnly' || discovery.policy === 'CreateOnly')
    names.evaluateAll(undesiredIn(currentIn(zones, declaration, owns), byName));
  names.enforceLimits(limit, loopContext);
  // A host that is not published after all conflicts with nothing: evaluate once more, and no further.
  if (names.hasExclusions) {
    names.reevaluate(dependent);
    names.enforceLimits(limit, loopContext);
    names.rejectLateChallenges(dependent.filter(isChallenge));
  }
  return names.result();
}

/** Returns the names of current records that nobody desires. */
const undesiredIn = (current: RRset[], desired: ReadonlyMap<string, unknown>): string[] => [
  ...new Set(current.map(({ name }) => name)).difference(desired),
];

/** The evaluations of all names, and what later ones have to take into account of earlier ones. */
class NameEvaluations {
  readonly #byName: ReadonlyMap<string, DesiredRecord[]>;
  readonly #contextOf: (name: string) => NameContext;
  readonly #context: EvaluationContext;
  readonly #accepted = new Map<string, RRset[]>();
  readonly #evaluations = new Map<string, NameEvaluation>();
  /** The namespaces that are over their quota at a name. */
  readonly #exhausted = new Map<string, ReadonlySet<string>>();
  readonly #looping = new Map<string, LoopingTargets>();

  constructor(
    byName: ReadonlyMap<string, DesiredRecord[]>,
    contextOf: (name: string) => NameContext,
    context: Omit<EvaluationContext, 'accepted'>,
  ) {
    this.#byName = byName;
    this.#contextOf = contextOf;
    this.#context = { ...context, accepted: this.#accepted };
  }

  /** Reports whether a quota or a CNAME loop has excluded records that passed the checks. */
  get hasExclusions(): boolean {
    return this.#exhausted.size + this.#looping.size > 0;
  }

  evaluateAll(names: readonly string[]): void {
    for (const name of names) this.#evaluations.set(name, this.#evaluate(name));
  }

  /** Evaluates names as if none of them had been accepted before. */
  reevaluate(names: readonly string[]): void {
    for (const name of names) this.#accepted.set(name, []);
    this.evaluateAll(names);
  }

  /** Enforces the quota of every namespace, then breaks CNAME loops. */
  enforceLimits(limit: number, loopContext: LoopContext): void {
    enforceQuota(limit, this.#evaluations, (name, exhausted) => {
      this.#exclude(name, exhausted);
      return this.#evaluate(name);
    });
    const counter = new QuotaCounter(limit, this.#evaluations);
    breakLoops(this.#evaluations, loopContext, (name, looping) => {
      this.#looping.set(name, mergeLooping(this.#looping.get(name), looping));
      // The quota applies to whoever gets the name instead, too.
      this.#exclude(name, counter.exhaustedFor(name));
      const evaluation = this.#evaluate(name);
      counter.update(name, evaluation);
      return evaluation;
    });
  }

  /** Rejects challenges for a host that another namespace has got only now. */
  rejectLateChallenges(names: readonly string[]): void {
    for (const name of names) {
      const evaluation = this.#evaluate(name);
      if (evaluation.accepted.length === 0) this.#evaluations.set(name, evaluation);
    }
  }

  result(): Evaluation {
    const desired = [...this.#byName.keys()].flatMap((name) => this.#evaluations.get(name) ?? []);
    return {
      accepted: desired.flatMap(({ accepted }) => accepted),
      refused: sortedOnce(desired.flatMap(({ refused }) => refused)),
      looping: [...this.#evaluations.values()].flatMap(({ looping }) => looping),
    };
  }

  #evaluate(name: string): NameEvaluation {
    const evaluation = evaluateName(this.#byName.get(name) ?? [], this.#contextOf(name), {
      ...this.#context,
      exhausted: this.#exhausted.get(name),
      looping: this.#looping.get(name),
    });
    this.#accepted.set(name, evaluation.accepted);
    return evaluation;
  }

  #exclude(name: string, namespaces: ReadonlySet<string>): void {
    this.#exhausted.set(name, namespaces.union(this.#exhausted.get(name) ?? namespaces));
  }
}

/** Returns what ExternalDNS finds. */
export function currentRRsets(zones: Zone[], declaration: Declaration, owns: Owns = ownsAll): RRset[] {
  return declaration.discovery ? currentIn(zones, declaration, owns) : [];
}

/** Sorts by what the records would answer, and drops duplicates. */
function sortedOnce(refused: RejectedRecord[]): RejectedRecord[] {
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
