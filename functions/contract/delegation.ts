import { isIPv4 } from 'node:net';
import { absolute, isWithin } from '../dns/name.ts';
import { parseIPv6 } from '../dns/rdata/address.ts';
import { entriesOfRecords } from '../dns/record.ts';
import { defaultTTL, delegationOf, hostRRsets, isAddress, nameServersOf } from '../dns/zone/apex.ts';
import type { RRset } from '../dns/zone/rrset.ts';
import { validateZone } from '../dns/zone/validate-zone.ts';
import type { DeclaredZone } from './declaration.ts';
import { serverAddressesOf } from './server-addresses.ts';

/** What name servers are reached at, as in a declaration. */
export interface ServerAddresses {
  addresses: string[];
  replicaAddresses?: string[][] | undefined;
  /** Whether clients reach the servers although these have no address. */
  lacksAddresses: boolean;
}

/**
 * The records that a zone's parent must have, as lines of a zone file. Undefined if the parent is a zone of this
 * instance, too: the agent adds the delegation there.
 * @param ds RDATA of the DS records if the zone is signed
 */
export function delegationLines(
  zone: DeclaredZone,
  zones: DeclaredZone[],
  ds: string[],
  { addresses, replicaAddresses, lacksAddresses }: ServerAddresses,
): string[] | undefined {
  const name = absolute(zone.name);
  if (zones.some((other) => other !== zone && isWithin(name, absolute(other.name)))) return undefined;
  const lines = ({ name, ttl, type, records }: RRset) =>
    records.map((content) => `${name} ${ttl} IN ${type} ${content}`);
  const hosts = hostsOf(zone, serverAddressesOf({ zones, addresses, replicaAddresses }));
  const isLost = (server: string) => isWithin(server, name) && hosts.every((host) => host.name !== server);
  const lost = lacksAddresses ? nameServersOf(zone).filter(isLost) : [];
  return [
    ...delegationOf(zone, ds, hosts).flatMap(lines),
    ...lost.map((server) => `; no glue: ${server} has no address: see the condition ServerReady`),
  ];
}

/** The addresses of the name servers: those declared in the zone, or else those of the Services. */
function hostsOf(zone: DeclaredZone, addresses: ReadonlyMap<string, string[]>): RRset[] {
  const name = absolute(zone.name);
  const ttl = zone.defaultTTL ?? defaultTTL;
  const servers = nameServersOf(zone);
  const { entries } = entriesOfRecords(
    (zone.records ?? []).filter(({ type }) => isAddress(type)),
    name,
  );
  const { rrsets } = validateZone({ name, defaultTTL: ttl, children: [], servers }, entries);
  return servers.flatMap((server) => {
    const declared = rrsets.filter((rrset) => rrset.name === server);
    const canonical = (addresses.get(server) ?? []).map((each) => (isIPv4(each) ? each : parseIPv6(each)));
    return declared.length > 0 ? declared : hostRRsets(server, canonical, ttl);
  });
}
