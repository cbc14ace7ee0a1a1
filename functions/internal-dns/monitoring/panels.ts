import { upstreamNames } from '../resolver/backends.ts';
import { stat, timeSeries } from './panel.ts';
import { quantile, rate, series, share, sumOfRates } from './query.ts';

/** The maximum over the replicas, as each of them counts all names. */
const byVerdict = (matchers = '') => `max by (verdict) (${series('internal_dns_names', matchers)})`;
const excluded = 'Filtered|OutsideZones';

const stats = [
  stat(
    {
      title: 'Status',
      description: 'The self-test of the worst replica: the whole chain from an object to a response.',
      unit: 'none',
      queries: { Serving: `min(${series('internal_dns_resolution', ',state="Serving"')})` },
    },
    [
      [null, 'red'],
      [1, 'green'],
    ],
    { 0: 'Not served', 1: 'Served' },
  ),
  stat(
    {
      title: 'Names resolved',
      description:
        'Share of the names that objects request in the zones, without those that a filter of the spec excludes.',
      unit: 'percentunit',
      // No names at all are not a fault.
      queries: {
        Resolved: `sum(${byVerdict(',verdict="Resolved"')}) / (sum(${byVerdict(`,verdict!~"${excluded}"`)}) > 0) or vector(1)`,
      },
    },
    [
      [null, 'red'],
      [0.9, 'orange'],
      [1, 'green'],
    ],
  ),
  stat(
    {
      title: 'Names unresolved',
      description: '/names.txt of the agent lists them with their verdicts.',
      unit: 'short',
      queries: { Unresolved: `sum(${byVerdict(`,verdict!~"Resolved|${excluded}"`)})` },
    },
    [
      [null, 'green'],
      [1, 'orange'],
    ],
  ),
  stat(
    {
      title: 'Held by the delete guard',
      description: 'Names that are still answered although their objects are gone or have lost their address.',
      unit: 'short',
      queries: { Held: `max(${series('internal_dns_delete_guard_held_names')})` },
    },
    [
      [null, 'green'],
      [1, 'orange'],
    ],
  ),
];

const names = [
  timeSeries({
    title: 'Names by verdict',
    description: 'Every name that an object requests, by the verdict of the agent.',
    unit: 'short',
    queries: { '{{verdict}}': `${byVerdict()} > 0` },
  }),
  timeSeries({
    title: 'Propagation time',
    description: 'Time from a change of an object until it is answered.',
    unit: 's',
    queries: {
      p50: quantile(0.5, 'internal_dns_propagation_seconds'),
      p95: quantile(0.95, 'internal_dns_propagation_seconds'),
    },
  }),
];

/**
 * No pdns_auth_noerror_packets: it counts only responses for a name without a record of the queried type:
 * https://github.com/PowerDNS/pdns/blob/auth-5.1.5/pdns/packethandler.cc
 */
const failures = {
  NXDOMAIN: sumOfRates('pdns_auth_nxdomain_packets'),
  REFUSED: sumOfRates('pdns_auth_unauth_packets'),
  SERVFAIL: sumOfRates('pdns_auth_servfail_packets'),
};

const answers = [
  timeSeries({
    title: 'Queries by transport',
    description: 'Queries to PowerDNS from clients, and from the self-test of the agent.',
    unit: 'reqps',
    queries: { UDP: sumOfRates('pdns_auth_udp_queries'), TCP: sumOfRates('pdns_auth_tcp_queries') },
  }),
  timeSeries({
    title: 'Responses by code',
    description: 'REFUSED: names outside the zones. SERVFAIL: faults of the server. NOERROR: all others.',
    unit: 'reqps',
    queries: {
      NOERROR: `clamp_min(${sumOfRates('pdns_auth_udp_answers')} + ${sumOfRates('pdns_auth_tcp_answers')} - ${Object.values(failures).join(' - ')}, 0)`,
      ...failures,
    },
  }),
  timeSeries({
    title: 'Dropped queries',
    description: 'Queries dropped by PowerDNS because its queue was full or they had waited too long.',
    unit: 'reqps',
    queries: {
      'queue full': sumOfRates('pdns_auth_overload_drops'),
      'waited too long': sumOfRates('pdns_auth_timedout_packets'),
    },
  }),
  timeSeries({
    title: 'Response time',
    description: "PowerDNS's own average, and the 95th percentile of the agent's self-test through the Service.",
    unit: 's',
    queries: {
      // In microseconds.
      PowerDNS: `max(${series('pdns_auth_latency')}) / 1e6`,
      'self-test {{transport}}': quantile(0.95, 'internal_dns_canary_seconds', ', transport', ',way="service"'),
    },
  }),
];

const insides = [
  timeSeries({
    title: 'Load',
    description: 'Queries waiting for the database, and open TCP connections. Maximum over the replicas.',
    unit: 'short',
    queries: {
      'queries waiting': `max(${series('pdns_auth_qsize_q')})`,
      'TCP connections': `max(${series('pdns_auth_open_tcp_connections')})`,
    },
  }),
  timeSeries({
    title: 'Cache hit ratio',
    description: "PowerDNS's packet cache (whole responses) and query cache (results of the database).",
    unit: 'percentunit',
    queries: {
      'packet cache': share('pdns_auth_packetcache_hit', 'pdns_auth_packetcache_miss'),
      'query cache': share('pdns_auth_query_cache_hit', 'pdns_auth_query_cache_miss'),
    },
  }),
  timeSeries({
    title: 'Zone changes',
    description: 'Changes of the serial of each zone in the last 10 minutes. Maximum over the replicas.',
    unit: 'short',
    queries: { '{{zone}}': `max by (zone) (changes(${series('internal_dns_zone_serial')}[10m]))` },
  }),
  timeSeries({
    title: 'Discovery age',
    description: 'Time since ExternalDNS completed a loop, as measured by the agent and as reported by ExternalDNS.',
    unit: 's',
    queries: {
      'agent, {{pod}}': `max by (pod) (${series('internal_dns_discovery_age_seconds')})`,
      'ExternalDNS, {{pod}}': `max by (pod) (time() - ${series('external_dns_controller_last_sync_timestamp_seconds')})`,
    },
  }),
];

const costs = [
  timeSeries({
    title: 'Memory',
    description: 'Resident memory of each agent, and what PowerDNS reports as its own.',
    unit: 'bytes',
    queries: {
      'agent, {{pod}}': `max by (pod) (${series('process_resident_memory_bytes', ',endpoint="http"')})`,
      'PowerDNS, {{pod}}': `max by (pod) (${series('pdns_auth_real_memory_usage')})`,
    },
  }),
  timeSeries({
    title: 'CPU',
    description: 'Share of one core, for each replica.',
    unit: 'percentunit',
    queries: {
      'agent, {{pod}}': `sum by (pod) (${rate('process_cpu_seconds_total', ',endpoint="http"')})`,
      // In milliseconds.
      'PowerDNS, {{pod}}': `sum by (pod) (${rate('pdns_auth_user_msec')} + ${rate('pdns_auth_sys_msec')}) / 1000`,
    },
  }),
  timeSeries({
    title: 'Kubernetes events',
    description: 'Events that the agent wrote on objects whose names changed their verdict.',
    unit: 'reqps',
    queries: { '{{result}}': `sum by (result) (${rate('internal_dns_events_total')})` },
  }),
];

const upstreams = `,server=~"${upstreamNames}"`;

const resolver = [
  timeSeries({
    title: 'Questions to the resolver',
    description:
      'All questions, those answered from the cache of forwarded names, and those refused: of outsiders, or for names that are not forwarded.',
    unit: 'reqps',
    queries: {
      all: sumOfRates('dnsdist_queries'),
      'from the cache': sumOfRates('dnsdist_cache_hits'),
      refused: sumOfRates('dnsdist_rule_refused'),
    },
  }),
  timeSeries({
    title: 'Upstreams',
    description: '1 for an upstream that answers, as the worst pod of the resolver sees it.',
    unit: 'short',
    queries: { '{{address}}': `min by (address) (${series('dnsdist_server_status', upstreams)})` },
  }),
  timeSeries({
    title: 'Response time of upstreams',
    description: 'Of the last question by which the resolver checked each of them. Maximum over its pods.',
    unit: 's',
    // In milliseconds.
    queries: { '{{address}}': `max by (address) (${series('dnsdist_server_healthchecklatency', upstreams)}) / 1e3` },
  }),
  timeSeries({
    title: 'Unanswered questions',
    description: 'Questions that the server or an upstream did not answer in time.',
    unit: 'reqps',
    queries: { '{{address}}': `sum by (address) (${rate('dnsdist_server_drops')})` },
  }),
];

/** From top to bottom. */
export const rowsOf = (hasResolver: boolean) => [
  { height: 4, panels: stats },
  { height: 8, panels: names },
  { height: 8, panels: answers },
  ...(hasResolver ? [{ height: 8, panels: resolver }] : []),
  { height: 8, panels: insides },
  { height: 8, panels: costs },
];
