import { withoutDot } from '../../dns/name.ts';
import type { RRset, Zone } from '../powerdns/rrset.ts';

/** How many RRsets are made into text at once: what waits for a slow reader stays small. */
const batch = 250;

/** A zone as a zone file (RFC 1035 section 5), in pieces: all that is served, but for what signing adds to it. */
export function* masterFileOf({ name, rrsets }: Zone): Generator<string> {
  yield `; ${withoutDot(name)} as it is served\n`;
  // The SOA comes first (RFC 1035 section 5.2).
  const isTop = ({ type }: RRset) => type === 'SOA';
  const sorted = [...rrsets.filter(isTop), ...rrsets.filter((rrset) => !isTop(rrset))];
  for (let i = 0; i < sorted.length; i += batch) {
    yield sorted
      .slice(i, i + batch)
      .map(linesOf)
      .join('');
  }
}

/** PowerDNS's own types, of which no other server knows what to answer. */
const isPowerDNSOnly = ({ type }: RRset) => type === 'LUA' || type === 'ALIAS';

const linesOf = (rrset: RRset) =>
  rrset.records
    .map((content) => {
      const line = `${rrset.name} ${rrset.ttl} IN ${rrset.type} ${content}\n`;
      return isPowerDNSOnly(rrset) ? `; ${line}` : line;
    })
    .join('');
