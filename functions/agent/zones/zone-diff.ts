import { cutAt, cutsOf, isCut } from '../../dns/zone/zone-cut.ts';
import {
  areAnsweredTogether,
  areConflicting,
  areMutuallyExclusive,
  type Change,
  deletion,
  haveSameAnswer,
  isAddressType,
  keyOf,
  ownershipOf,
  type RRset,
  replacement,
  type Zone,
} from '../powerdns/rrset.ts';
import { ptrMark } from './ptr-records.ts';

/** What a zone should have. */
export interface Desired {
  rrsets: RRset[];
  /** Whether a current declared RRset stays although it is not desired, as one of a zone file that cannot be read now. */
  isKept: (rrset: RRset) => boolean;
  /** Whether an RRset was derived, not written: it yields to one that is kept. */
  isDerived: (rrset: RRset) => boolean;
}

/** The changes to one zone, and their result. */
export interface ZoneDiff {
  stale: RRset[];
  upserts: RRset[];
  /** Current, but not yet marked as discovered. */
  adopted: RRset[];
  /** Discovered RRsets that move here from other zones. */
  arriving: RRset[];
  /** All RRsets of the zone after the changes. */
  result: RRset[];
}

/**
 * Compares a zone with its desired state.
 * @param movers discovered RRsets in other zones whose names are now in this one
 * @param belongs whether a discovered RRset of this zone may stay in it
 */
export function diffZone(
  zone: Zone,
  { rrsets, ...desired }: Desired,
  movers: RRset[] | undefined,
  belongs: (rrset: RRset) => boolean,
): ZoneDiff {
  const currentByName = Map.groupBy(zone.rrsets, ({ name }) => name);
  const isSuperseded = supersededIn(zone, { rrsets, ...desired }, currentByName);
  const effective = rrsets.filter((rrset) => !isSuperseded(rrset));
  const upserts = effective.filter((rrset) => {
    const current = currentByName.get(rrset.name)?.find(({ type }) => type === rrset.type);
    return !current || !isSame(current, rrset);
  });
  const stale = new Set(staleIn(zone, { rrsets: effective, ...desired }, belongs));
  const replaced = new Set(upserts.map(keyOf));
  const remaining = zone.rrsets.filter((rrset) => !stale.has(rrset) && !replaced.has(keyOf(rrset)));
  const arriving = arrivals(zone.name, movers, [...effective, ...remaining]);
  return {
    stale: [...stale],
    upserts,
    adopted: remaining.filter(({ isAdopted }) => isAdopted),
    arriving,
    result: [...remaining, ...upserts, ...arriving],
  };
}

/** Returns a diff as changes for PowerDNS. */
export function changesOf({ rrsets }: Zone, { stale, upserts, adopted, arriving }: ZoneDiff): Change[] {
  const soa = rrsets.find(({ type }) => type === 'SOA');
  return [
    ...stale.map(deletion),
    ...upserts.map((rrset) => replacement(withSerial(rrset, soa))),
    ...[...adopted, ...arriving].map(replacement),
  ];
}

/** Deletes our RRsets from a zone that is kept for foreign records, except those that make it a zone. */
export function purge(zone: Zone): Change[] {
  const atApex = zone.rrsets.filter(({ name }) => name === zone.name);
  const servers = new Set(atApex.filter(({ type }) => type === 'NS').flatMap(({ records }) => records));
  const isApex = ({ name, type }: RRset) =>
    (name === zone.name && (type === 'SOA' || type === 'NS')) || (servers.has(name) && isAddressType(type));
  return zone.rrsets
    .filter((rrset) => {
      const ownership = ownershipOf(rrset);
      return ownership === 'discovered' || (ownership === 'declared' && !isApex(rrset));
    })
    .map(deletion);
}

export const isForeign = (rrset: RRset) => ownershipOf(rrset) === 'foreign';

const isSame = (current: RRset, desired: RRset) =>
  ownershipOf(current) === 'declared' &&
  current.mark?.content === desired.mark?.content &&
  haveSameAnswer(current, desired);

/** Returns whether a desired RRset yields to a current one. */
function supersededIn(
  zone: Zone,
  { isKept, isDerived }: Desired,
  currentByName: ReadonlyMap<string, RRset[]>,
): (rrset: RRset) => boolean {
  const isHeld = (rrset: RRset) => ownershipOf(rrset) === 'declared' && isKept(rrset);
  const cuts = cutsOf(
    zone.name,
    zone.rrsets.filter((rrset) => isForeign(rrset) || isHeld(rrset)),
  );
  return (rrset) => {
    // A PTR record made by hand is right, whatever the addresses are.
    const isPTR = rrset.mark === ptrMark;
    if (!isPTR && !isDerived(rrset)) return false;
    const supersedes = (current: RRset) =>
      areConflicting(current, rrset) && (isHeld(current) || (isPTR && isForeign(current)));
    return (
      (currentByName.get(rrset.name) ?? []).some(supersedes) ||
      (isPTR && cutAt(rrset.name, zone.name, cuts) !== undefined)
    );
  };
}

/** Returns the RRsets of a zone that must go. */
function staleIn(zone: Zone, { rrsets, isKept }: Desired, belongs: (rrset: RRset) => boolean): RRset[] {
  const desiredByName = Map.groupBy(rrsets, ({ name }) => name);
  // A desired zone cut that cannot be made beside a foreign RRset hides nothing.
  const isBlocked = (cut: RRset) => zone.rrsets.some((rrset) => isForeign(rrset) && areConflicting(rrset, cut));
  const cuts = cutsOf(
    zone.name,
    rrsets.filter((rrset) => isCut(rrset, zone.name) && !isBlocked(rrset)),
  );
  return zone.rrsets.filter((rrset) => {
    const desired = desiredByName.get(rrset.name) ?? [];
    if (desired.some(({ type }) => type === rrset.type)) return false;
    if (isForeign(rrset)) return desired.some((each) => areAnsweredTogether(each, rrset));
    const hasConflict = desired.some((each) => areConflicting(each, rrset));
    if (ownershipOf(rrset) === 'declared') return hasConflict || !isKept(rrset);
    return hasConflict || !belongs(rrset) || cutAt(rrset.name, zone.name, cuts) !== undefined;
  });
}

/** Returns the RRsets from other zones that conflict with nothing here. */
export function arrivals(zone: string, movers: RRset[] = [], current: RRset[] = []): RRset[] {
  if (movers.length === 0) return [];
  const currentByName = Map.groupBy(current, ({ name }) => name);
  const cuts = cutsOf(zone, current);
  const arrived = new Map<string, RRset[]>();
  for (const mover of movers) {
    const before = arrived.get(mover.name) ?? [];
    if (cutAt(mover.name, zone, cuts)) continue;
    if (currentByName.get(mover.name)?.some((other) => areConflicting(other, mover))) continue;
    if (!before.some((other) => areMutuallyExclusive(other, mover))) arrived.set(mover.name, [...before, mover]);
  }
  return [...arrived.values()].flat();
}

/** PowerDNS counts on from the serial that it is given: a changed SOA must not set it back. */
function withSerial(rrset: RRset, current: RRset | undefined): RRset {
  const serial = rrset.type === 'SOA' ? current?.records[0]?.split(' ')[2] : undefined;
  if (serial === undefined) return rrset;
  return { ...rrset, records: rrset.records.map((content) => content.replace(/^(\S+ \S+) \d+/, `$1 ${serial}`)) };
}
