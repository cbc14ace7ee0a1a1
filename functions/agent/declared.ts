import { isIPv4 } from 'node:net';
import type { Declaration } from './declaration.ts';
import { absolute, canonicalAddress, declaredAccount, type RRset, zoneOf } from './zone.ts';

// Seconds. A negative answer is cached for `minimum` (RFC 2308 section 4), so a new name is not missed for long by
// those who asked too early.
const soa = { refresh: 3600, retry: 600, expire: 604800, minimum: 30 };
export const defaultTTL = 60;
const infrastructureTTL = 3600;

const mark = { account: declaredAccount, content: '' };

/** The names of a zone's servers, absolute. */
export function nameServersOf(zone: Declaration['zones'][number]): string[] {
  return zone.nameServers.length > 0 ? [...new Set(zone.nameServers.map(absolute))] : [`ns1.${absolute(zone.name)}`];
}

/** The RRsets that every declared zone must have, by the zone: SOA, NS, and the addresses of the servers inside it. */
export function declaredRRsets({ zones, addresses }: Declaration): Map<string, RRset[]> {
  const names = new Map(zones.map(({ name }) => [absolute(name), absolute(name)]));
  // A server may be named by one zone and live in another: its address belongs to the zone that is asked for it.
  const hosts = Map.groupBy(new Set(zones.flatMap(nameServersOf)), (server) => zoneOf(server, names));
  const canonical = [...new Set(addresses.map(canonicalAddress))];
  return new Map(
    zones.map((zone) => {
      const name = absolute(zone.name);
      return [name, [...topOf(name, nameServersOf(zone)), ...addressesOf(hosts.get(name) ?? [], canonical)]];
    }),
  );
}

function topOf(name: string, servers: string[]): RRset[] {
  const { refresh, retry, expire, minimum } = soa;
  return [
    {
      name,
      type: 'SOA',
      ttl: infrastructureTTL,
      records: [`${servers[0]} hostmaster.${name} 0 ${refresh} ${retry} ${expire} ${minimum}`],
      mark,
    },
    { name, type: 'NS', ttl: infrastructureTTL, records: servers, mark },
  ];
}

function addressesOf(hosts: string[], addresses: string[]): RRset[] {
  const families = [
    { type: 'A', records: addresses.filter(isIPv4) },
    { type: 'AAAA', records: addresses.filter((address) => !isIPv4(address)) },
  ];
  return hosts.flatMap((name) =>
    families
      .filter(({ records }) => records.length > 0)
      .map(({ type, records }) => ({ name, type, ttl: defaultTTL, records, mark })),
  );
}
