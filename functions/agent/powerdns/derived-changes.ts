import { type Change, deletion, haveSameAnswer, keyOf, type RRset, replacement, type Zone } from './rrset.ts';

/**
 * Returns the changes of RRsets that are derived from the rest of a zone, which go with changes of the rest.
 * @param isDerived reports whether an RRset is derived; a name has at most one
 * @param derive returns the derived RRsets of a zone with some RRsets
 */
export function derivedChanges(
  zone: Zone,
  changes: Change[],
  isDerived: (rrset: RRset) => boolean,
  derive: (rrsets: RRset[]) => RRset[],
): { deletions: Change[]; replacements: Change[] } {
  const changed = new Set(changes.map(({ rrset }) => keyOf(rrset)));
  const result = [
    ...zone.rrsets.filter((rrset) => !changed.has(keyOf(rrset))),
    ...changes.flatMap((change) => (change.action === 'replace' ? [change.rrset] : [])),
  ];
  const desired = new Map(derive(result).map((rrset) => [rrset.name, rrset]));
  const current = new Map(zone.rrsets.filter(isDerived).map((rrset) => [rrset.name, rrset]));
  const stale = [...current.values()].filter((rrset) => !desired.has(rrset.name) && !changed.has(keyOf(rrset)));
  const changing = [...desired.values()].filter((rrset) => {
    const before = current.get(rrset.name);
    return !before || !haveSameAnswer(before, rrset);
  });
  return { deletions: stale.map(deletion), replacements: changing.map(replacement) };
}
