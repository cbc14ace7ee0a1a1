import { parentOf } from '../../dns/name.ts';
import type { RRset } from '../powerdns/rrset.ts';

export type Names = ReadonlyMap<string, readonly RRset[]>;

/** By labels from the top, so that what is beneath a name stands behind it. */
type Sorted = (readonly [key: string, name: string])[];

const sorted = new WeakMap<Names, { fresh: () => string[]; list: Sorted }>();

/** The names beneath an absolute one, found without a look at all the others: an object may ask about a thousand. */
export function* namesBelow(name: string, names: Names): Generator<string> {
  const list = sortedOf(names);
  const prefix = keyOf(name);
  for (let i = firstBehind(prefix, list); i < list.length; i++) {
    const [key, below] = list[i] as Sorted[number];
    if (!key.startsWith(prefix)) return;
    if (key !== prefix) yield below;
  }
}

const byParent = new WeakMap<Names, { fresh: () => string[]; map: Map<string, string[]> }>();

/** Those one label below. */
export function childNames(name: string, names: Names): readonly string[] {
  const known = byParent.get(names) ?? { fresh: freshOf(names), map: new Map<string, string[]>() };
  byParent.set(names, known);
  for (const each of known.fresh()) {
    const parent = parentOf(each);
    const there = known.map.get(parent);
    if (there) there.push(each);
    else known.map.set(parent, [each]);
  }
  return known.map.get(name) ?? [];
}

function sortedOf(names: Names): Sorted {
  const known = sorted.get(names) ?? { fresh: freshOf(names), list: [] };
  sorted.set(names, known);
  const { list } = known;
  const fresh = known.fresh().map((name) => [keyOf(name), name] as const);
  // A few are put where they belong: to sort all of them after each name would take longer than to judge it.
  if (fresh.length < 8) {
    for (const each of fresh) list.splice(firstBehind(each[0], list), 0, each);
    return list;
  }
  for (const each of fresh) list.push(each);
  return list.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Those that came since it was last asked. While names are judged more and more of them are accepted, and none goes. */
function freshOf(names: Names): () => string[] {
  const keys = names.keys();
  let seen = 0;
  return () => {
    const fresh: string[] = [];
    for (; seen < names.size; seen++) fresh.push(keys.next().value as string);
    return fresh;
  };
}

/** `com.example.www.` of `www.example.com.` */
const keyOf = (name: string) => `${name.split('.').reverse().join('.').slice(1)}.`;

function firstBehind(prefix: string, list: Sorted): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((list[middle] as Sorted[number])[0] < prefix) from = middle + 1;
    else to = middle;
  }
  return from;
}
