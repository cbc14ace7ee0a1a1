import { isWithin, parentOf } from '../name.ts';
import { isAddress } from './apex.ts';

interface OwnerAndType {
  name: string;
  type: string;
}

/** Whether somebody else answers from here on: a delegation (RFC 1034 section 4.2) or a DNAME (RFC 6672). */
export const isCut = ({ name, type }: OwnerAndType, zone: string) =>
  type === 'DNAME' || (type === 'NS' && name !== zone);

/** The cuts of a zone, by their names; a delegation prevails, since the DNAME beside it is never answered. */
export function cutsOf<R extends OwnerAndType>(zone: string, records: Iterable<R>): ReadonlyMap<string, R> {
  const cuts = new Map<string, R>();
  for (const record of records) {
    if (isCut(record, zone) && cuts.get(record.name)?.type !== 'NS') cuts.set(record.name, record);
  }
  return cuts;
}

/** The cut from which on a name is somebody else's. The name of a DNAME itself is not (RFC 6672 section 2.3). */
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
 * Whether an RRset is an address of a server that a delegation names at or below itself, without which nobody could reach
 * it (RFC 1034 section 4.2.1).
 */
export const isGlue = ({ name, type }: OwnerAndType, cut: OwnerAndType & { records: readonly string[] }) =>
  cut.type === 'NS' && isAddress(type) && isWithin(name, cut.name) && cut.records.includes(name);
