import type { RRset } from '../../zone.ts';

export type Names = ReadonlyMap<string, readonly RRset[]>;

/** By labels from the top, so that what is beneath a name stands behind it. */
type Sorted = readonly (readonly [key: string, name: string])[];

const sorted = new WeakMap<Names, { size: number; list: Sorted }>();

/** The names beneath an absolute one, found without a look at all the others: an object may ask about a thousand. */
export function* namesBeneath(name: string, names: Names): Generator<string> {
  const list = sortedOf(names);
  const prefix = keyOf(name);
  for (let i = firstBehind(prefix, list); i < list.length; i++) {
    const [key, below] = list[i] as Sorted[number];
    if (!key.startsWith(prefix)) return;
    if (key !== prefix) yield below;
  }
}

const byParent = new WeakMap<Names, { size: number; map: ReadonlyMap<string, string[]> }>();

/** Those one label below. */
export function namesRightBelow(name: string, names: Names): readonly string[] {
  const known = byParent.get(names);
  if (known?.size === names.size) return known.map.get(name) ?? [];
  const map = Map.groupBy(names.keys(), (each) => each.slice(each.indexOf('.') + 1));
  byParent.set(names, { size: names.size, map });
  return map.get(name) ?? [];
}

function sortedOf(names: Names): Sorted {
  const known = sorted.get(names);
  if (known?.size === names.size) return known.list;
  const list = [...names.keys()].map((name) => [keyOf(name), name] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  sorted.set(names, { size: names.size, list });
  return list;
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
