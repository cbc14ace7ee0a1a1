import { isWithin, parentOf } from '../name.ts';
import { isAddress } from './apex.ts';

interface OwnerAndType {
  name: string;
  type: string;
}

/**
 * Reports whether the zone's own records end here: at a zone cut (RFC 9499), that is a delegation, or at a DNAME (RFC
 * 6672).
 */
export const isCut = ({ name, type }: OwnerAndType, zone: string) =>
  type === 'DNAME' || (type === 'NS' && name !== zone);

/** The cuts of a zone by owner name. A delegation wins over a DNAME of the same name, which is never answered. */
export function cutsOf<R extends OwnerAndType>(zone: string, records: Iterable<R>): ReadonlyMap<string, R> {
  const cuts = new Map<string, R>();
  for (const record of records) {
    if (isCut(record, zone) && cuts.get(record.name)?.type !== 'NS') cuts.set(record.name, record);
  }
  return cuts;
}

/** The cut that a name is at or below. The owner name of a DNAME itself is not cut off (RFC 6672 section 2.3). */
export function cutAt<R extends OwnerAndType>(name: string, zone: string, cuts: ReadonlyMap<string, R>): R | undefined {
  const here = cuts.get(name);
  return here?.type === 'NS' ? here : cutAbove(name, zone, cuts);
}

/** The cut that a name is below. */
export function cutAbove<R>(name: string, zone: string, cuts: ReadonlyMap<string, R>): R | undefined {
  if (cuts.size === 0) return undefined;
  for (let above = parentOf(name); isWithin(above, zone); above = parentOf(above)) {
    const cut = cuts.get(above);
    if (cut || above === zone) return cut;
  }
  return undefined;
}

/**
 * Reports whether an RRset is glue of a delegation: an address of one of its servers at or below the cut, which could
 * not be resolved otherwise (RFC 1034 section 4.2.1).
 */
export const isGlue = ({ name, type }: OwnerAndType, cut: OwnerAndType & { records: readonly string[] }) =>
  cut.type === 'NS' && isAddress(type) && isWithin(name, cut.name) && cut.records.includes(name);
