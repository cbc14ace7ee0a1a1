import { parentOf } from '../../dns/name.ts';
import type { RRset } from '../powerdns/rrset.ts';

/** RRsets by absolute name. While names are evaluated entries are added, and none is removed. */
export type Names = ReadonlyMap<string, readonly RRset[]>;

/** Names sorted by their labels from the root, so that a name is followed by those below it. */
type SortedNames = (readonly [key: string, name: string])[];

/** A list or map of names, and what to call for the names added since. */
type Index<T> = T & { added: () => string[] };

const sortedNames = new WeakMap<Names, Index<{ list: SortedNames }>>();

/** Yields the names below an absolute one without a scan of all others: one object may have a thousand names. */
export function* namesBelow(name: string, names: Names): Generator<string> {
  const list = sortedIn(names);
  const prefix = keyOf(name);
  for (let i = indexFrom(prefix, list); i < list.length; i++) {
    const [key, below] = list[i] as SortedNames[number];
    if (!key.startsWith(prefix)) return;
    if (key !== prefix) yield below;
  }
}

const namesByParent = new WeakMap<Names, Index<{ byParent: Map<string, string[]> }>>();

/** Returns the names one label below an absolute one. */
export function childNames(name: string, names: Names): readonly string[] {
  const index = namesByParent.get(names) ?? { added: additionsTo(names), byParent: new Map<string, string[]>() };
  namesByParent.set(names, index);
  for (const each of index.added()) {
    const parent = parentOf(each);
    const siblings = index.byParent.get(parent);
    if (siblings) siblings.push(each);
    else index.byParent.set(parent, [each]);
  }
  return index.byParent.get(name) ?? [];
}

function sortedIn(names: Names): SortedNames {
  const index = sortedNames.get(names) ?? { added: additionsTo(names), list: [] };
  sortedNames.set(names, index);
  const { list } = index;
  const added = index.added().map((name) => [keyOf(name), name] as const);
  // A few are inserted: sorting the whole list after each name would take longer than evaluating the name.
  if (added.length < 8) {
    for (const each of added) list.splice(indexFrom(each[0], list), 0, each);
    return list;
  }
  for (const each of added) list.push(each);
  return list.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Returns a function that returns the names added since its last call. */
function additionsTo(names: Names): () => string[] {
  const keys = names.keys();
  let seen = 0;
  return () => {
    const added: string[] = [];
    for (; seen < names.size; seen++) added.push(keys.next().value as string);
    return added;
  };
}

/** `com.example.www.` of `www.example.com.` */
const keyOf = (name: string) => `${name.split('.').reverse().join('.').slice(1)}.`;

/** Returns the index of the first key that does not sort before a prefix. */
function indexFrom(prefix: string, list: SortedNames): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((list[middle] as SortedNames[number])[0] < prefix) from = middle + 1;
    else to = middle;
  }
  return from;
}
