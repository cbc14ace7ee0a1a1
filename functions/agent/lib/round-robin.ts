/** The first member of each list, then the second of each, and so on, without duplicates. */
export function roundRobin<T>(lists: Iterable<Iterable<T>>): Set<T> {
  const all = new Set<T>();
  let rest = [...lists].map((list) => list[Symbol.iterator]());
  while (rest.length > 0) {
    rest = rest.filter((iterator) => {
      const { done, value } = iterator.next();
      if (!done) all.add(value);
      return !done;
    });
  }
  return all;
}
