import { isIPv4 } from 'node:net';
import { absolute, isWithin } from '../name.ts';
import { type SOA, soaContent } from '../rdata/soa.ts';
import type { RRset } from './rrset.ts';

/** The settings of a zone as a whole. Names are in lower case and without the trailing dot. */
export interface ZoneSettings {
  name: string;
  /** An empty list means `ns1` below the zone. */
  nameServers: string[];
  soa?: SOA | undefined;
  /** Seconds. */
  defaultTTL?: number | undefined;
}

/** In seconds, for records and zones without a TTL: clients see a changed address within a minute. */
export const defaultTTL = 60;

/** In seconds, for SOA, NS and DS records, which change only with the servers. */
const infrastructureTTL = 3600;

/** The fully qualified names of a zone's servers. */
export function nameServersOf({ name, nameServers }: Pick<ZoneSettings, 'name' | 'nameServers'>): string[] {
  return nameServers.length > 0 ? [...new Set(nameServers.map(absolute))] : [`ns1.${absolute(name)}`];
}

/** The SOA and NS RRsets at the apex of a zone. */
export function apexOf(zone: ZoneSettings): RRset[] {
  const name = absolute(zone.name);
  const servers = nameServersOf(zone);
  return [
    { name, type: 'SOA', ttl: infrastructureTTL, records: [soaContent(name, servers[0] as string, zone.soa)] },
    { name, type: 'NS', ttl: infrastructureTTL, records: servers },
  ];
}

/** The A and AAAA RRsets of a host. */
export function hostRRsets(name: string, addresses: string[], ttl: number): RRset[] {
  return [
    { name, type: 'A', ttl, records: addresses.filter(isIPv4) },
    { name, type: 'AAAA', ttl, records: addresses.filter((address) => !isIPv4(address)) },
  ].filter(({ records }) => records.length > 0);
}

/**
 * The delegation in a zone's parent: NS, DS if the zone is signed, and as glue the addresses of the servers within the
 * zone, which could not be resolved otherwise (RFC 1034 section 4.2.1).
 */
export function delegationOf(zone: ZoneSettings, ds: string[], hosts: RRset[]): RRset[] {
  const name = absolute(zone.name);
  const servers = nameServersOf(zone);
  const isGlue = (host: RRset) => servers.includes(host.name) && isWithin(host.name, name) && isAddress(host.type);
  return [
    { name, type: 'NS', ttl: infrastructureTTL, records: servers },
    ...(ds.length > 0 ? [{ name, type: 'DS', ttl: infrastructureTTL, records: ds }] : []),
    ...hosts.filter(isGlue).map(({ name, type, ttl, records }) => ({ name, type, ttl, records })),
  ];
}

export const isAddress = (type: string) => type === 'A' || type === 'AAAA';
