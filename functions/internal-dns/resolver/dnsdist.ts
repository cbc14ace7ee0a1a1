import { stringify } from 'yaml';
import { numberOf, seconds } from '../../contract/rules.ts';
import { paths, resolverPorts } from '../names.ts';
import { memoryLimitOf, type Resources } from '../server/container.ts';
import { featuresOf } from '../server/powerdns.ts';
import type { Spec } from '../spec.ts';
import { backendsOf, cacheName, type Family, poolsOf, type Servers } from './backends.ts';
import { circleOf } from './circle.ts';
import { cacheEntries, connectionsOf, maximumEntrySize, tuningOf } from './dnsdist-bounds.ts';
import { perClient, queryRulesOf } from './query-rules.ts';
import type { Resolver } from './settings.ts';

export const image = 'docker.io/powerdns/dnsdist-21:2.1.3';
const defaultMemory = '256Mi';
export const defaults: Resources = {
  requests: { cpu: '10m', memory: '64Mi' },
  limits: { memory: defaultMemory },
};

/** The certificates of the resolver, by the field that has each. */
export const encrypted = ['doT', 'doH'] as const;
export const certificateFolder = (field: (typeof encrypted)[number]) => `${paths.certificates}/${field}`;

/**
 * The configuration of dnsdist, as data: https://www.dnsdist.org/reference/yaml-settings.html. `--config` reads
 * dnsdist.lua as well if it is beside dnsdist.yml. A change of either replaces the pods: dnsdist cannot read its
 * configuration again.
 */
export function dnsdistFilesFor(spec: Spec, resolver: Resolver, servers: Servers): Record<string, string> {
  const memory = memoryLimitOf(spec.resources.resolver, defaults) ?? numberOf(defaultMemory);
  const { forward, rateLimit } = resolver;
  const addresses = servers.families.map((family) => wildcards[family]);
  const configuration = {
    binds: bindsOf(resolver, addresses, connectionsOf(memory)),
    // The rule `outsiders` decides: this list could only drop, and does not know the agents' port.
    acl: everybody,
    query_rules: queryRulesOf(spec, resolver, circleOf(servers)),
    pools: poolsOf(resolver, spec.replicas),
    backends: backendsOf(resolver, servers, featuresOf(spec).clientSubnet),
    load_balancing_policies: { servfail_on_no_server: true },
    // What a client claims about its network must not choose the answers of the server.
    edns_client_subnet: { override_existing: true, source_prefix_v4: 32, source_prefix_v6: 128 },
    ...(forward && cachingOf(forward, cacheEntries(memory))),
    ...(rateLimit && { dynamic_rules: [floodsOf(rateLimit)] }),
    // Only dynamic rules look at what was asked.
    ring_buffers: rateLimit ? { size: 10_000, shards: 2 } : { record_queries: false, record_responses: false, size: 1 },
    // Metrics need no password, as there is none; without one nothing else is answered.
    webserver: {
      listen_addresses: addresses.map((address) => `${address}:${resolverPorts.metrics}`),
      acl: everybody,
      stats_require_authentication: false,
      max_concurrent_connections: 20,
    },
    // Otherwise it asks powerdns.com about its version.
    security_polling: { suffix: '' },
    tuning: tuningOf(memory),
  };
  const renews = encrypted.some((field) => resolver[field]);
  return {
    'dnsdist.yml': stringify(configuration, { lineWidth: 120, aliasDuplicateObjects: false }),
    ...(renews && { 'dnsdist.lua': renewal }),
  };
}

const everybody = ['0.0.0.0/0', '::/0'];
const wildcards: Record<Family, string> = { IPv4: '0.0.0.0', IPv6: '[::]' };

function bindsOf({ doT, doH }: Resolver, addresses: string[], connections: number) {
  const listen = (port: number, protocol: string, settings = {}) =>
    addresses.map((address) => ({
      listen_address: `${address}:${port}`,
      protocol,
      // Questions on one connection do not wait for each other (RFC 7766 section 6.2.1.1).
      tcp: { max_concurrent_connections: connections, max_in_flight_queries: 100 },
      ...settings,
    }));
  return [
    ...listen(resolverPorts.dns, 'Do53'),
    ...listen(resolverPorts.agents, 'Do53'),
    ...(doT ? listen(resolverPorts.dot, 'DoT', { tls: tlsOf('doT') }) : []),
    ...(doH ? listen(resolverPorts.doh, 'DoH', { tls: tlsOf('doH'), doh: { paths: [doH.path] } }) : []),
  ];
}

const tlsOf = (field: (typeof encrypted)[number]) => ({
  certificates: [{ certificate: `${certificateFolder(field)}/tls.crt`, key: `${certificateFolder(field)}/tls.key` }],
  minimum_version: 'tls1.2',
  // A broken certificate must not take plain DNS away.
  ignore_configuration_errors: true,
});

const cachingOf = ({ cache }: NonNullable<Resolver['forward']>, most: number) => ({
  packet_caches: [
    {
      name: cacheName,
      size: Math.min(cache.size ?? most, most),
      maximum_entry_size: maximumEntrySize,
      keep_stale_data: true,
      // RFC 8767 section 4.
      stale_ttl: 30,
      // Another upstream may know better.
      temporary_failure_ttl: 0,
    },
  ],
  cache_settings: { stale_entries_ttl: Math.round(seconds(cache.serveStale)) },
});

/** A client that gets NXDOMAIN at half its rate for ten seconds is flooding. */
const floodsOf = ({ queriesPerSecond }: NonNullable<Resolver['rateLimit']>) => ({
  name: 'floods',
  mask_ipv4: perClient.ipv4_mask,
  mask_ipv6: perClient.ipv6_mask,
  rules: [
    {
      type: 'rcode-rate',
      rcode: 'NXDomain',
      rate: Math.max(1, Math.floor(queriesPerSecond / 2)),
      seconds: 10,
      action_duration: 10,
      action: 'Truncate',
      comment: 'flood of names that do not exist',
    },
  ],
});

/**
 * The only Lua, and a constant: dnsdist reads a renewed certificate on this call alone, which is otherwise for its
 * console, and a console needs a key. It calls `maintenance` every second.
 * https://github.com/PowerDNS/pdns/blob/dnsdist-2.1.1/pdns/dnsdistdist/dnsdist-lua.cc#L3057
 */
const renewal = `local function certificates()
  local all = ''
  for _, field in ipairs({'${encrypted.join("', '")}'}) do
    local file = io.open('${paths.certificates}/' .. field .. '/tls.crt')
    if file then
      all = all .. file:read('*a')
      file:close()
    end
  end
  return all
end

local known, seconds = certificates(), 0

function maintenance()
  seconds = seconds + 1
  if seconds % 5 ~= 0 then return end
  local present = certificates()
  if present ~= known then
    known = present
    reloadAllCertificates()
  end
end
`;
