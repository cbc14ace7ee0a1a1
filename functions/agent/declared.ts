import { isIPv4 } from 'node:net';
import type { Declaration } from './declaration.ts';
import { absolute, declaredAccount, isWithin, type RRset } from './zone.ts';

// Seconds. A negative answer is cached for `minimum` (RFC 2308 section 4), so a new name is not missed for long by
// those who asked too early.
const soa = { refresh: 3600, retry: 600, expire: 604800, minimum: 30 };
export const defaultTTL = 60;
const infrastructureTTL = 3600;

const mark = { account: declaredAccount, content: '' };

/** The names of a zone's servers, absolute. */
export function nameServersOf(zone: Declaration['zones'][number]): string[] {
  return zone.nameServers.length > 0 ? zone.nameServers.map(absolute) : [`ns1.${absolute(zone.name)}`];
}

/** The RRsets that a zone must have: SOA, NS, and the addresses of those of its servers that are inside it. */
export function declaredRRsets(zone: Declaration['zones'][number], addresses: string[]): RRset[] {
  const name = absolute(zone.name);
  const servers = nameServersOf(zone);
  const { refresh, retry, expire, minimum } = soa;
  const families = [
    { type: 'A', records: addresses.filter(isIPv4) },
    { type: 'AAAA', records: addresses.filter((address) => !isIPv4(address)) },
  ];
  const hosts = servers.filter((server) => isWithin(server, name));
  return [
    {
      name,
      type: 'SOA',
      ttl: infrastructureTTL,
      records: [`${servers[0]} hostmaster.${name} 0 ${refresh} ${retry} ${expire} ${minimum}`],
      mark,
    },
    { name, type: 'NS', ttl: infrastructureTTL, records: servers, mark },
    ...hosts.flatMap((host) =>
      families
        .filter(({ records }) => records.length > 0)
        .map(({ type, records }) => ({ name: host, type, ttl: defaultTTL, records, mark })),
    ),
  ];
}
