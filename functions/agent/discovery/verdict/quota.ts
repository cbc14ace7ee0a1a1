import { claimantOf, type RRset } from '../../zone.ts';
import { namespaceOf } from '../resource.ts';
import type { NameVerdict } from './name-verdict.ts';

/**
 * Judges names again until no namespace has more than `limit`, without those of it that are beyond: first come the
 * names that stand, then those that sort first. Another namespace may so get a name, which counts among its own.
 */
export function keepWithin(
  limit: number,
  verdicts: Map<string, NameVerdict>,
  judged: (name: string, full: ReadonlySet<string>) => NameVerdict,
): void {
  if (verdicts.size <= limit) return;
  const full = new Map<string, Set<string>>();
  for (;;) {
    const beyond = namesBeyond(limit, verdicts).filter(([name, namespace]) => !full.get(name)?.has(namespace));
    if (beyond.length === 0) return;
    for (const [name, namespace] of beyond) full.set(name, new Set(full.get(name)).add(namespace));
    for (const name of new Set(beyond.map(([name]) => name))) {
      verdicts.set(name, judged(name, full.get(name) as Set<string>));
    }
  }
}

/** Every name that is one too many for a namespace, with it. What was barred and stands is among them again. */
function namesBeyond(limit: number, verdicts: ReadonlyMap<string, NameVerdict>): [name: string, namespace: string][] {
  // Merged with a name of another namespace it may stand for that one next.
  const stands = (name: string, namespace: string) => {
    const { standing = [], accepted = [] } = verdicts.get(name) ?? {};
    return [standing, accepted].every((rrsets) => rrsets.some((rrset) => isOf(rrset, namespace)));
  };
  return [...namesByNamespace(verdicts)]
    .filter(([, names]) => names.length > limit)
    .flatMap(([namespace, names]) => {
      const { standing = [], fresh = [] } = Object.groupBy(names.sort(), (name) =>
        stands(name, namespace) ? 'standing' : 'fresh',
      );
      return [...standing, ...fresh].slice(limit).map((name): [string, string] => [name, namespace]);
    });
}

/** The names in which each namespace has a part. */
function namesByNamespace(verdicts: ReadonlyMap<string, NameVerdict>): Map<string, string[]> {
  const byNamespace = new Map<string, string[]>();
  for (const [name, { accepted, merged }] of verdicts) {
    for (const rrset of merged.length > 0 ? [...accepted, ...merged] : accepted) {
      const namespace = namespaceOf(claimantOf(rrset));
      const names = byNamespace.get(namespace);
      if (namespace !== '' && !names) byNamespace.set(namespace, [name]);
      // A name comes once, with all that is in it.
      else if (names?.at(-1) !== name) names?.push(name);
    }
  }
  return byNamespace;
}

const isOf = (rrset: RRset, namespace: string) => namespaceOf(claimantOf(rrset)) === namespace;
