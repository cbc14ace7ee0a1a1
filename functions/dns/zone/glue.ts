import { isWithin, withoutDot } from '../name.ts';
import { isAddress } from './apex.ts';
import type { RRset } from './rrset.ts';
import { cutsOf } from './zone-cut.ts';

/**
 * Warns about each delegation whose servers are all in-domain and have no glue (RFC 1034 section 4.2.1).
 * @param rrsets all those of the zone
 */
export function missingGlue(zone: string, rrsets: readonly Pick<RRset, 'name' | 'type' | 'records'>[]): string[] {
  const delegations = [...cutsOf(zone, rrsets).values()].filter(({ type }) => type === 'NS');
  if (delegations.length === 0) return [];
  const addressed = new Set(rrsets.filter(({ type }) => isAddress(type)).map(({ name }) => name));
  return delegations.flatMap(({ name, records }) => {
    const missing = records.filter((server) => isWithin(server, name) && !addressed.has(server));
    // One reachable server is enough: it knows the addresses of the others.
    if (missing.length === 0 || missing.length < records.length) return [];
    const [cut, servers] = [withoutDot(name), missing.map(withoutDot).join(', ')];
    return [
      `${cut} is delegated to ${servers}, which has no address here: it is unreachable without an A or AAAA record (glue)`,
    ];
  });
}
