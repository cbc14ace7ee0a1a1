import { cutAt, cutsOf, isCut } from '../../dns/zone/zone-cut.ts';
import {
  answersAlike,
  answerTogether,
  areRivals,
  type Change,
  deletion,
  excludeEachOther,
  isAddressType,
  keyOf,
  ownershipOf,
  type RRset,
  replacement,
  type Zone,
} from '../powerdns/rrset.ts';
import { ptrMark } from './ptr-records.ts';

/** What a zone is to have, and what of its own stays as it is. */
export interface Wanted {
  rrsets: RRset[];
  holds: (rrset: RRset) => boolean;
  /** Whether nobody wrote an RRset, so that it gives way to what is held. */
  isDerived: (rrset: RRset) => boolean;
}

/** What is to be done in one zone. */
export interface ZoneDiff {
  gone: RRset[];
  missing: RRset[];
  /** There, and to be marked as discovered. */
  adopted: RRset[];
  /** From other zones. */
  arriving: RRset[];
  /** Everything that is there afterwards. */
  result: RRset[];
}

/**
 * Compares a zone with what it is to have.
 * @param movers discovered RRsets that this zone answers for and another one has
 * @param isAtHome whether a discovered RRset of this zone is one that it answers for
 */
export function diffZone(
  zone: Zone,
  { rrsets, ...wanted }: Wanted,
  movers: RRset[] | undefined,
  isAtHome: (rrset: RRset) => boolean,
): ZoneDiff {
  const present = Map.groupBy(zone.rrsets, ({ name }) => name);
  const givesWay = yielding(zone, { rrsets, ...wanted }, present);
  const due = rrsets.filter((rrset) => !givesWay(rrset));
  const missing = due.filter((w) => {
    const there = present.get(w.name)?.find(({ type }) => type === w.type);
    return !there || !isSame(there, w);
  });
  const gone = new Set(leftovers(zone, { rrsets: due, ...wanted }, isAtHome));
  const replaced = new Set(missing.map(keyOf));
  const staying = zone.rrsets.filter((rrset) => !gone.has(rrset) && !replaced.has(keyOf(rrset)));
  const arriving = arrivals(zone.name, movers, [...due, ...staying]);
  return {
    gone: [...gone],
    missing,
    adopted: staying.filter(({ isAdopted }) => isAdopted),
    arriving,
    result: [...staying, ...missing, ...arriving],
  };
}

/** A settlement as PowerDNS gets it. */
export function changesOf({ rrsets }: Zone, { gone, missing, adopted, arriving }: ZoneDiff): Change[] {
  const soa = rrsets.find(({ type }) => type === 'SOA');
  return [
    ...gone.map(deletion),
    ...missing.map((rrset) => replacement(withSerial(rrset, soa))),
    ...[...adopted, ...arriving].map(replacement),
  ];
}

/** What leaves a zone that is only kept for other people's records: all but what makes it a zone. */
export function purge(zone: Zone): Change[] {
  const atTop = zone.rrsets.filter(({ name }) => name === zone.name);
  const servers = new Set(atTop.filter(({ type }) => type === 'NS').flatMap(({ records }) => records));
  const isFrame = ({ name, type }: RRset) =>
    (name === zone.name && (type === 'SOA' || type === 'NS')) || (servers.has(name) && isAddressType(type));
  return zone.rrsets
    .filter((rrset) => {
      const ownership = ownershipOf(rrset);
      return ownership === 'discovered' || (ownership === 'declared' && !isFrame(rrset));
    })
    .map(deletion);
}

export const isForeign = (rrset: RRset) => ownershipOf(rrset) === 'foreign';

const isSame = (there: RRset, wanted: RRset) =>
  ownershipOf(there) === 'declared' && there.mark?.content === wanted.mark?.content && answersAlike(there, wanted);

/** Which wanted RRsets leave the place to what has it. */
function yielding(zone: Zone, { holds, isDerived }: Wanted, present: Map<string, RRset[]>): (rrset: RRset) => boolean {
  const isHeld = (rrset: RRset) => ownershipOf(rrset) === 'declared' && holds(rrset);
  const cuts = cutsOf(
    zone.name,
    zone.rrsets.filter((rrset) => isForeign(rrset) || isHeld(rrset)),
  );
  return (rrset) => {
    // A PTR record that a person made is what was meant, whatever the addresses say.
    const isPointer = rrset.mark === ptrMark;
    if (!isPointer && !isDerived(rrset)) return false;
    const stays = (other: RRset) => areRivals(other, rrset) && (isHeld(other) || (isPointer && isForeign(other)));
    return (
      (present.get(rrset.name) ?? []).some(stays) || (isPointer && cutAt(rrset.name, zone.name, cuts) !== undefined)
    );
  };
}

/** What is ours in a zone and not to be there any more. */
function leftovers(zone: Zone, { rrsets, holds }: Wanted, isAtHome: (rrset: RRset) => boolean): RRset[] {
  const wanted = Map.groupBy(rrsets, ({ name }) => name);
  // A cut whose place is somebody else's will not be there, and hides nothing.
  const isTaken = (cut: RRset) => zone.rrsets.some((rrset) => isForeign(rrset) && areRivals(rrset, cut));
  const cuts = cutsOf(
    zone.name,
    rrsets.filter((rrset) => isCut(rrset, zone.name) && !isTaken(rrset)),
  );
  return zone.rrsets.filter((rrset) => {
    const here = wanted.get(rrset.name) ?? [];
    if (here.some((w) => w.type === rrset.type)) return false;
    if (isForeign(rrset)) return here.some((w) => answerTogether(w, rrset));
    const hasRival = here.some((w) => areRivals(w, rrset));
    if (ownershipOf(rrset) === 'declared') return hasRival || !holds(rrset);
    return hasRival || !isAtHome(rrset) || cutAt(rrset.name, zone.name, cuts) !== undefined;
  });
}

/** Of the names that come from another zone those that find their place free. */
export function arrivals(zone: string, movers: RRset[] = [], there: RRset[] = []): RRset[] {
  if (movers.length === 0) return [];
  const taken = Map.groupBy(there, (rrset) => rrset.name);
  const cuts = cutsOf(zone, there);
  const arrived = new Map<string, RRset[]>();
  for (const mover of movers) {
    const before = arrived.get(mover.name) ?? [];
    if (cutAt(mover.name, zone, cuts)) continue;
    if (taken.get(mover.name)?.some((other) => areRivals(other, mover))) continue;
    if (!before.some((other) => excludeEachOther(other, mover))) arrived.set(mover.name, [...before, mover]);
  }
  return [...arrived.values()].flat();
}

/** PowerDNS counts on from the serial that it is given: a SOA that changes must not set it back. */
function withSerial(rrset: RRset, there: RRset | undefined): RRset {
  const serial = rrset.type === 'SOA' ? there?.records[0]?.split(' ')[2] : undefined;
  if (serial === undefined) return rrset;
  return { ...rrset, records: rrset.records.map((content) => content.replace(/^(\S+ \S+) \d+/, `$1 ${serial}`)) };
}
