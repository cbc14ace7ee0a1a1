import { type RRset, resourceOf } from '../powerdns/rrset.ts';
import type { NameEvaluation } from './evaluate-name.ts';
import { namespaceOf } from './resource-label.ts';

/**
 * Judges names again until no namespace has more than `limit`, without those of it that are beyond: first come the
 * names that stand, then those that sort first. Another namespace may so get a name, which counts among its own.
 */
export function keepWithin(
  limit: number,
  evaluations: Map<string, NameEvaluation>,
  reevaluate: (name: string, full: ReadonlySet<string>) => NameEvaluation,
): void {
  if (evaluations.size <= limit) return;
  const full = new Map<string, Set<string>>();
  for (;;) {
    const beyond = namesBeyond(limit, evaluations).filter(([name, namespace]) => !full.get(name)?.has(namespace));
    if (beyond.length === 0) return;
    for (const [name, namespace] of beyond) full.set(name, new Set(full.get(name)).add(namespace));
    for (const name of new Set(beyond.map(([name]) => name))) {
      evaluations.set(name, reevaluate(name, full.get(name) as Set<string>));
    }
  }
}

/** How many names each namespace has, while one after another is judged anew. */
export class Tally {
  readonly #limit: number;
  readonly #namespaces = new Map<string, ReadonlySet<string>>();
  readonly #counts = new Map<string, number>();

  constructor(limit: number, evaluations: ReadonlyMap<string, NameEvaluation>) {
    this.#limit = limit;
    if (evaluations.size > limit) for (const [name, verdict] of evaluations) this.take(name, verdict);
  }

  /** The namespaces that may have no more names, but for those that have this one. */
  fullBeside(name: string): Set<string> {
    const own = this.#namespaces.get(name);
    return new Set(
      [...this.#counts].flatMap(([namespace, count]) =>
        count >= this.#limit && !own?.has(namespace) ? [namespace] : [],
      ),
    );
  }

  take(name: string, verdict: NameEvaluation): void {
    for (const namespace of this.#namespaces.get(name) ?? []) this.#add(namespace, -1);
    const namespaces = namespacesOf(verdict);
    for (const namespace of namespaces) this.#add(namespace, 1);
    this.#namespaces.set(name, namespaces);
  }

  #add(namespace: string, count: number): void {
    this.#counts.set(namespace, (this.#counts.get(namespace) ?? 0) + count);
  }
}

/** The namespaces that have a part in a name. */
const namespacesOf = ({ accepted, merged }: NameEvaluation): ReadonlySet<string> =>
  new Set([...accepted, ...merged].map((rrset) => namespaceOf(resourceOf(rrset))).filter((each) => each !== ''));

/** Every name that is one too many for a namespace, with it. What was barred and stands is among them again. */
function namesBeyond(
  limit: number,
  evaluations: ReadonlyMap<string, NameEvaluation>,
): [name: string, namespace: string][] {
  // Merged with a name of another namespace it may stand for that one next.
  const stands = (name: string, namespace: string) => {
    const { current = [], accepted = [] } = evaluations.get(name) ?? {};
    return [current, accepted].every((rrsets) => rrsets.some((rrset) => isOfNamespace(rrset, namespace)));
  };
  return [...namesByNamespace(evaluations)]
    .filter(([, names]) => names.length > limit)
    .flatMap(([namespace, names]) => {
      const { current = [], fresh = [] } = Object.groupBy(names.sort(), (name) =>
        stands(name, namespace) ? 'current' : 'fresh',
      );
      return [...current, ...fresh].slice(limit).map((name): [string, string] => [name, namespace]);
    });
}

/** The names in which each namespace has a part. */
function namesByNamespace(evaluations: ReadonlyMap<string, NameEvaluation>): Map<string, string[]> {
  const byNamespace = new Map<string, string[]>();
  for (const [name, verdict] of evaluations) {
    for (const namespace of namespacesOf(verdict)) {
      const names = byNamespace.get(namespace);
      if (names) names.push(name);
      else byNamespace.set(namespace, [name]);
    }
  }
  return byNamespace;
}

const isOfNamespace = (rrset: RRset, namespace: string) => namespaceOf(resourceOf(rrset)) === namespace;
