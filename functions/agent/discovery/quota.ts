import { mostHosts } from '../../contract/declaration.ts';
import { discoveredMark, haveSameAnswer, type RRset, resourceOf } from '../powerdns/rrset.ts';
import { isOverLimit } from '../sources/host-limit.ts';
import type { SourceLister, SourceObject } from '../sources/source-object.ts';
import type { DesiredRecord } from './desired-records.ts';
import type { NameEvaluation, RejectedRecord } from './evaluation.ts';
import { namespaceOf } from './resource-label.ts';

/**
 * Evaluates names again, without the namespaces that have too many, until no namespace has more than `limit`. A namespace
 * keeps its current names first, then those that sort first. Another namespace may get such a name, which counts toward
 * its own quota.
 */
export function enforceQuota(
  limit: number,
  evaluations: Map<string, NameEvaluation>,
  reevaluate: (name: string, exhausted: ReadonlySet<string>) => NameEvaluation,
): void {
  if (evaluations.size <= limit) return;
  const exhausted = new Map<string, Set<string>>();
  for (;;) {
    const excess = namesOverQuota(limit, evaluations).filter(
      ([name, namespace]) => !exhausted.get(name)?.has(namespace),
    );
    if (excess.length === 0) return;
    for (const [name, namespace] of excess) exhausted.set(name, new Set(exhausted.get(name)).add(namespace));
    for (const name of new Set(excess.map(([name]) => name))) {
      evaluations.set(name, reevaluate(name, exhausted.get(name) as Set<string>));
    }
  }
}

/** Counts the names of each namespace while one name after another is evaluated again. */
export class QuotaCounter {
  readonly #limit: number;
  readonly #namespaces = new Map<string, ReadonlySet<string>>();
  readonly #counts = new Map<string, number>();

  constructor(limit: number, evaluations: ReadonlyMap<string, NameEvaluation>) {
    this.#limit = limit;
    if (evaluations.size > limit) for (const [name, evaluation] of evaluations) this.update(name, evaluation);
  }

  /** The namespaces that may not have one name more; those that have this one already may keep it. */
  exhaustedFor(name: string): Set<string> {
    const own = this.#namespaces.get(name);
    return new Set(
      [...this.#counts].flatMap(([namespace, count]) =>
        count >= this.#limit && !own?.has(namespace) ? [namespace] : [],
      ),
    );
  }

  update(name: string, evaluation: NameEvaluation): void {
    for (const namespace of this.#namespaces.get(name) ?? []) this.#add(namespace, -1);
    const namespaces = namespacesOf(evaluation);
    for (const namespace of namespaces) this.#add(namespace, 1);
    this.#namespaces.set(name, namespaces);
  }

  #add(namespace: string, count: number): void {
    this.#counts.set(namespace, (this.#counts.get(namespace) ?? 0) + count);
  }
}

/** The namespaces whose records are published at a name. */
const namespacesOf = ({ published, merged }: NameEvaluation): ReadonlySet<string> =>
  new Set([...published, ...merged].map((rrset) => namespaceOf(resourceOf(rrset))).filter((each) => each !== ''));

/** Returns every name that is one too many for a namespace, also those for which it is exhausted and keeps its record. */
function namesOverQuota(
  limit: number,
  evaluations: ReadonlyMap<string, NameEvaluation>,
): [name: string, namespace: string][] {
  // A merged RRset may be marked for another namespace next, so both the current and the published RRset count. So does
  // one of which only the mark is to change: whether PowerDNS has the new one already must make no difference.
  const isCurrent = (name: string, namespace: string) => {
    const { current = [], published = [] } = evaluations.get(name) ?? {};
    const own = published.filter((rrset) => isOfNamespace(rrset, namespace));
    return own.length > 0 && current.some((r) => isOfNamespace(r, namespace) || own.some((o) => haveSameAnswer(o, r)));
  };
  return [...namesByNamespace(evaluations)]
    .filter(([, names]) => names.length > limit)
    .flatMap(([namespace, names]) => {
      const { current = [], fresh = [] } = Object.groupBy(names.sort(), (name) =>
        isCurrent(name, namespace) ? 'current' : 'fresh',
      );
      return [...current, ...fresh].slice(limit).map((name): [string, string] => [name, namespace]);
    });
}

function namesByNamespace(evaluations: ReadonlyMap<string, NameEvaluation>): Map<string, string[]> {
  const byNamespace = new Map<string, string[]>();
  for (const [name, evaluation] of evaluations) {
    for (const namespace of namespacesOf(evaluation)) {
      const names = byNamespace.get(namespace);
      if (names) names.push(name);
      else byNamespace.set(namespace, [name]);
    }
  }
  return byNamespace;
}

const isOfNamespace = (rrset: RRset, namespace: string) => namespaceOf(resourceOf(rrset)) === namespace;

/** Splits off the hosts beyond the limit of one object, with one rejection for each object that has too many. */
export function withoutOverLimit(
  desiredRecords: DesiredRecord[],
  lister: SourceLister,
  { ownerID, namespace }: { ownerID: string; namespace?: string },
): { desiredRecords: DesiredRecord[]; refused: RejectedRecord[] } {
  const overLimit = [...lister.list()].filter(
    (sourceObject) => sourceObject.overflow && (namespace === undefined || sourceObject.namespace === namespace),
  );
  if (overLimit.length === 0) return { desiredRecords, refused: [] };
  const byResource = new Map(overLimit.map((sourceObject) => [sourceObject.resource, sourceObject]));
  return {
    desiredRecords: desiredRecords.filter(
      (desired) => !isOverLimit(byResource.get(resourceOf(desired)) ?? {}, desired.name),
    ),
    refused: overLimit.flatMap((sourceObject) => overLimitRejection(sourceObject, ownerID)),
  };
}

function overLimitRejection({ resource, overflow }: SourceObject, ownerID: string): RejectedRecord[] {
  if (!overflow) return [];
  const count = mostHosts + overflow.hashes.length;
  const message = `the object requests ${count} names, and the limit is ${mostHosts}: split it`;
  const mark = discoveredMark(ownerID, resource);
  return [{ rrset: { name: overflow.host, type: 'A', ttl: 0, records: [], mark }, verdict: 'Refused', message }];
}
