import { isIPv4 } from 'node:net';
import type { DeclaredZone } from '../../contract/declaration.ts';
import { absolute, isWithin } from '../../dns/name.ts';
import { parseIPv6 } from '../../dns/rdata/address.ts';
import { entriesOfRecords } from '../../dns/record.ts';
import { defaultTTL, delegationOf, hostRRsets, isAddress, nameServersOf } from '../../dns/zone/apex.ts';
import type { RRset } from '../../dns/zone/rrset.ts';
import { validateZone } from '../../dns/zone/validate-zone.ts';

/**
 * The records that a zone's parent must have, as lines of a zone file. Undefined if the parent is a zone of this
 * instance, too: the agent adds the delegation there.
 * @param ds RDATA of the DS records if the zone is signed
 * @param addresses those of the DNS Service
 */
export function delegationLines(
  zone: DeclaredZone,
  zones: DeclaredZone[],
  ds: string[],
  addresses: string[],
): string[] | undefined {
  const name = absolute(zone.name);
  if (zones.some((other) => other !== zone && isWithin(name, absolute(other.name)))) return undefined;
  const lines = ({ name, ttl, type, records }: RRset) =>
    records.map((content) => `${name} ${ttl} IN ${type} ${content}`);
  return delegationOf(zone, ds, hostsOf(zone, addresses)).flatMap(lines);
}

/** The addresses of the name servers: those declared in the zone, or else those of the DNS Service. */
function hostsOf(zone: DeclaredZone, addresses: string[]): RRset[] {
  const name = absolute(zone.name);
  const ttl = zone.defaultTTL ?? defaultTTL;
  const servers = nameServersOf(zone);
  const { entries } = entriesOfRecords(
    (zone.records ?? []).filter(({ type }) => isAddress(type)),
    name,
  );
  const { rrsets } = validateZone({ name, defaultTTL: ttl, children: [], servers }, entries);
  const canonical = addresses.map((address) => (isIPv4(address) ? address : parseIPv6(address)));
  return servers.flatMap((server) => {
    const declared = rrsets.filter((rrset) => rrset.name === server);
    return declared.length > 0 ? declared : hostRRsets(server, canonical, ttl);
  });
}
