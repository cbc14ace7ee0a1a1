import { type Change, deletion, haveSameAnswer, keyOf, type RRset, replacement, type Zone } from '../powerdns/rrset.ts';

/**
 * What changes of the RRsets that follow from what a zone has, beside changes of the others: those that go, and those that
 * come.
 * @param isDerived which of its RRsets those are, of which a name has one at most
 * @param derive what follows from all RRsets of a zone
 */
export function derivedChanges(
  zone: Zone,
  changes: Change[],
  isDerived: (rrset: RRset) => boolean,
  derive: (rrsets: RRset[]) => RRset[],
): { gone: Change[]; fresh: Change[] } {
  const changed = new Set(changes.map(({ rrset }) => keyOf(rrset)));
  const result = [
    ...zone.rrsets.filter((rrset) => !changed.has(keyOf(rrset))),
    ...changes.flatMap((change) => (change.action === 'replace' ? [change.rrset] : [])),
  ];
  const wanted = new Map(derive(result).map((rrset) => [rrset.name, rrset]));
  const there = new Map(zone.rrsets.filter(isDerived).map((rrset) => [rrset.name, rrset]));
  const gone = [...there.values()].filter((rrset) => !wanted.has(rrset.name) && !changed.has(keyOf(rrset)));
  const fresh = [...wanted.values()].filter((rrset) => {
    const present = there.get(rrset.name);
    return !present || !haveSameAnswer(present, rrset);
  });
  return { gone: gone.map(deletion), fresh: fresh.map(replacement) };
}
