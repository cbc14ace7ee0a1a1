import { canaryZone } from '../../contract/canary-zone.ts';
import type { Forward, Upstream } from './forward-schema.ts';
import type { Resolver } from './settings.ts';
import { parseUpstreamAddress } from './upstream-address.ts';

// Backends and pools as dnsdist has them: https://www.dnsdist.org/reference/yaml-settings.html#backendconfiguration

/** The pool of the server's own replicas. */
export const ownPool = 'own';
/** The pool for all names without a pool of their own. */
export const forwardPool = 'forward';
export const zonePool = (zone: string) => `forward-${zone}`;
export const viewPool = (view: string) => `view-${view}`;

/** Where dnsdist sends questions. dnsdist resolves no names, so all of it are addresses. */
export interface Servers {
  /** Those of the server's replicas. */
  own: readonly string[];
  /** Those of the other InternalDNSes, by view. */
  views: ReadonlyMap<string, readonly string[]>;
  /** The IP families of the cluster. Some kernels have no IPv6, and dnsdist would not start there. */
  families: readonly Family[];
}

export type Family = 'IPv4' | 'IPv6';

export interface Backend {
  address: string;
  name: string;
  protocol: 'Do53' | 'DoT' | 'DoH';
  pools: string[];
  [setting: string]: unknown;
}

export function backendsOf({ forward }: Resolver, servers: Servers, sendsClients: boolean): Backend[] {
  const ofViews = [...servers.views].flatMap(([view, addresses]) => serversIn(viewPool(view), addresses, sendsClients));
  return [...serversIn(ownPool, servers.own, sendsClients), ...ofViews, ...(forward ? upstreamsOf(forward) : [])];
}

/** `sendsClients`: whether they are told the client, by EDNS Client Subnet (RFC 7871). */
const serversIn = (pool: string, addresses: readonly string[], sendsClients: boolean): Backend[] =>
  addresses.map((ip, index) => ({
    address: withPort({ ip, port: 53 }),
    name: `${pool}-${index}`,
    protocol: 'Do53',
    pools: [pool],
    use_client_subnet: sendsClients,
    // The server limits the connections of each client, and dnsdist is a single one.
    max_in_flight: 100,
    // Every server has this zone; any answer but SERVFAIL will do, so no broken zone takes the others away.
    health_checks: { qname: canaryZone, qtype: 'SOA', interval: 1, timeout: 1000, max_failures: 1 },
  }));

/** The name of an upstream, and of the pool of it alone. */
export const upstreamName = (index: number) => `upstream-${index}`;
/** Matches the names of upstreams, in PromQL. */
export const upstreamNames = 'upstream-.*';

/** Whether all names without a pool of their own can go to a backend. */
export const isForAll = ({ pools }: Pick<Backend, 'pools'>) => pools.includes(forwardPool);

/** Every upstream once, in all of its pools. */
export function upstreamsOf({ upstreams, zones, check }: Forward): Backend[] {
  const uses = [
    ...upstreams.map((upstream) => ({ upstream, pool: forwardPool, question: check })),
    ...zones.flatMap(({ name, upstreams }) =>
      upstreams.map((upstream) => ({ upstream, pool: zonePool(name), question: { name, type: 'SOA' } })),
    ),
  ];
  const byUpstream = Map.groupBy(uses, ({ upstream }) => JSON.stringify(upstream));
  return [...byUpstream.values()].map(([first, ...others], index) => {
    const { upstream, pool, question } = first as (typeof uses)[number];
    return {
      address: addressOf(upstream),
      name: upstreamName(index),
      ...transportOf(upstream),
      pools: [pool, ...others.map((use) => use.pool), ...(pool === forwardPool ? [upstreamName(index)] : [])],
      // By default a client waits for half a minute, long after it has given up.
      tcp: { connect_timeout: 2, send_timeout: 2, receive_timeout: 5, retries: 1 },
      // One lost packet on the way to the internet is no outage.
      health_checks: { qname: question.name, qtype: question.type, interval: 1, timeout: 1000, max_failures: 3 },
    };
  });
}

/** The address of an upstream with its port. */
export function addressOf({ address, protocol }: Upstream): string {
  const { ip, port = defaultPorts[protocol] } = parseUpstreamAddress(address) ?? { ip: address };
  return withPort({ ip, port });
}

const defaultPorts: Record<Upstream['protocol'], number> = { UDP: 53, TCP: 53, DoT: 853, DoH: 443 };

const withPort = ({ ip, port }: { ip: string; port: number }) =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

function transportOf({ address, protocol, tlsName, path }: Upstream) {
  if (protocol === 'UDP' || protocol === 'TCP') return { protocol: 'Do53' as const, tcp_only: protocol === 'TCP' };
  const ip = parseUpstreamAddress(address)?.ip;
  const tls = tlsName === undefined ? { subject_address: ip } : { subject_name: tlsName };
  return { protocol, tls, ...(protocol === 'DoH' && { doh: { path: path ?? '/dns-query' } }) };
}

/** Pools exist even without servers: their questions then get SERVFAIL. */
export function poolsOf({ forward, views }: Resolver, replicas: number) {
  const forwarding = forward ? [forwardPool, ...forward.zones.map(({ name }) => zonePool(name))] : [];
  return [
    // Of several servers, the one that is the least busy. A single one is asked even while it is down: clients wait for
    // its restart, and do not learn that it failed.
    { name: ownPool, policy: replicas === 1 ? 'roundrobin' : 'leastOutstanding' },
    ...views.flatMap(({ name, internalDNS }) => (internalDNS === undefined ? [] : [{ name: viewPool(name) }])),
    ...forwarding.map((name) => ({ name, packet_cache: cacheName })),
    // Asked even while it is down, which an upstream in a circle is.
    ...(forward ? upstreamsOf(forward).filter(isForAll) : []).map(({ name }) => ({ name, policy: 'roundrobin' })),
  ];
}

/** The cache of forwarded names. */
export const cacheName = 'forwarded';
