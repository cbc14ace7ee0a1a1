import { withoutDot } from '../../dns/name.ts';
import type { RRset, Zone } from '../powerdns/rrset.ts';

/** RRsets per chunk, so that little is buffered for a slow reader. */
const batch = 250;

/** Yields a zone as a zone file (RFC 1035 section 5), in chunks, without the records that signing adds. */
export function* exportZone({ name, rrsets }: Zone): Generator<string> {
  yield `; ${withoutDot(name)} as it is served\n`;
  // The SOA comes first (RFC 1035 section 5.2).
  const isSOA = ({ type }: RRset) => type === 'SOA';
  const sorted = [...rrsets.filter(isSOA), ...rrsets.filter((rrset) => !isSOA(rrset))];
  for (let i = 0; i < sorted.length; i += batch) {
    yield sorted
      .slice(i, i + batch)
      .map(linesOf)
      .join('');
  }
}

/** PowerDNS's own types, which other servers cannot load. */
const isPowerDNSOnly = ({ type }: RRset) => type === 'LUA' || type === 'ALIAS';

const linesOf = (rrset: RRset) =>
  rrset.records
    .map((content) => {
      const line = `${rrset.name} ${rrset.ttl} IN ${rrset.type} ${content}\n`;
      return isPowerDNSOnly(rrset) ? `; ${line}` : line;
    })
    .join('');
