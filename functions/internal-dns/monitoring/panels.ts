import { figure, timeSeries } from './panel.ts';
import { of, quantile, rate, share, sumOfRates } from './query.ts';

/** Of each verdict what the replica says that knows most: each of them counts all names. */
const byVerdict = (matchers = '') => `max by (verdict) (${of('internal_dns_names', matchers)})`;
const notCounted = 'Filtered|OutsideZones';

const figures = [
  figure(
    {
      title: 'Names are',
      description: 'What the worst of the replicas says of the whole chain, from an object to an answer.',
      unit: 'none',
      queries: { Serving: `min(${of('internal_dns_resolution', ',state="Serving"')})` },
    },
    [
      [null, 'red'],
      [1, 'green'],
    ],
    { 0: 'Not served', 1: 'Served' },
  ),
  figure(
    {
      title: 'Names that resolve',
      description:
        'Of the names that objects ask for in the zones, without those that a filter of the spec leaves out.',
      unit: 'percentunit',
      // Without any name nothing is amiss.
      queries: {
        Resolved: `sum(${byVerdict(',verdict="Resolved"')}) / (sum(${byVerdict(`,verdict!~"${notCounted}"`)}) > 0) or vector(1)`,
      },
    },
    [
      [null, 'red'],
      [0.9, 'orange'],
      [1, 'green'],
    ],
  ),
  figure(
    {
      title: 'Names that do not',
      description: 'The verdict of each is at /names of the agent.',
      unit: 'short',
      queries: { Unresolved: `sum(${byVerdict(`,verdict!~"Resolved|${notCounted}"`)})` },
    },
    [
      [null, 'green'],
      [1, 'orange'],
    ],
  ),
  figure(
    {
      title: 'Held by the delete guard',
      description: 'Names that are still answered although their objects are gone.',
      unit: 'short',
      queries: { Held: `max(${of('internal_dns_delete_guard_held_names')})` },
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
    description: 'Every host that an object asks for, with what the agent says of it.',
    unit: 'short',
    queries: { '{{verdict}}': `${byVerdict()} > 0` },
  }),
  timeSeries({
    title: 'From a change of an object to its answer',
    description: 'How long it took until a changed object was answered.',
    unit: 's',
    queries: {
      p50: quantile(0.5, 'internal_dns_propagation_seconds'),
      p95: quantile(0.95, 'internal_dns_propagation_seconds'),
    },
  }),
];

/**
 * Not noerror-packets, which are the answers for a name without a record of that type:
 * https://github.com/PowerDNS/pdns/blob/auth-5.1.5/pdns/packethandler.cc
 */
const failures = {
  NXDOMAIN: sumOfRates('pdns_auth_nxdomain_packets'),
  REFUSED: sumOfRates('pdns_auth_unauth_packets'),
  SERVFAIL: sumOfRates('pdns_auth_servfail_packets'),
};

const answers = [
  timeSeries({
    title: 'Questions by transport',
    description: 'What clients ask PowerDNS, with what the agent asks for its tests.',
    unit: 'reqps',
    queries: { UDP: sumOfRates('pdns_auth_udp_queries'), TCP: sumOfRates('pdns_auth_tcp_queries') },
  }),
  timeSeries({
    title: 'Answers by code',
    description: 'REFUSED is for names outside the zones; SERVFAIL is a fault of the server; NOERROR is all the rest.',
    unit: 'reqps',
    queries: {
      NOERROR: `clamp_min(${sumOfRates('pdns_auth_udp_answers')} + ${sumOfRates('pdns_auth_tcp_answers')} - ${Object.values(failures).join(' - ')}, 0)`,
      ...failures,
    },
  }),
  timeSeries({
    title: 'Questions without an answer',
    description: 'Dropped by PowerDNS: its queue was full, or they had waited for too long.',
    unit: 'reqps',
    queries: {
      'queue full': sumOfRates('pdns_auth_overload_drops'),
      'waited too long': sumOfRates('pdns_auth_timedout_packets'),
    },
  }),
  timeSeries({
    title: 'Time to an answer',
    description: "PowerDNS's own average, and the 95th percentile of the agent's test through the Service.",
    unit: 's',
    queries: {
      // It is in microseconds.
      PowerDNS: `max(${of('pdns_auth_latency')}) / 1e6`,
      'test over {{transport}}': quantile(0.95, 'internal_dns_canary_seconds', ', transport', ',way="service"'),
    },
  }),
];

const insides = [
  timeSeries({
    title: 'Load',
    description: 'Questions that wait for the database, and TCP connections, of the replica that has most.',
    unit: 'short',
    queries: {
      'questions waiting': `max(${of('pdns_auth_qsize_q')})`,
      'TCP connections': `max(${of('pdns_auth_open_tcp_connections')})`,
    },
  }),
  timeSeries({
    title: 'Answers from caches',
    description: "Hits of PowerDNS's packet cache (whole answers) and query cache (what the database said).",
    unit: 'percentunit',
    queries: {
      'packet cache': share('pdns_auth_packetcache_hit', 'pdns_auth_packetcache_miss'),
      'query cache': share('pdns_auth_query_cache_hit', 'pdns_auth_query_cache_miss'),
    },
  }),
  timeSeries({
    title: 'Changes of the zones',
    description: 'How often the serial of each zone rose in the last ten minutes, on the replica where it did most.',
    unit: 'short',
    queries: { '{{zone}}': `max by (zone) (changes(${of('internal_dns_zone_serial')}[10m]))` },
  }),
  timeSeries({
    title: 'Since ExternalDNS finished a loop',
    description: 'By the agent that it asks, and by its own word.',
    unit: 's',
    queries: {
      'agent, {{pod}}': `max by (pod) (${of('internal_dns_discovery_age_seconds')})`,
      'ExternalDNS, {{pod}}': `max by (pod) (time() - ${of('external_dns_controller_last_sync_timestamp_seconds')})`,
    },
  }),
];

const costs = [
  timeSeries({
    title: 'Memory',
    description: 'Of each replica: resident, and as PowerDNS counts its own.',
    unit: 'bytes',
    queries: {
      'agent, {{pod}}': `max by (pod) (${of('process_resident_memory_bytes', ',endpoint="http"')})`,
      'PowerDNS, {{pod}}': `max by (pod) (${of('pdns_auth_real_memory_usage')})`,
    },
  }),
  timeSeries({
    title: 'Processor',
    description: 'Of each replica, of one core.',
    unit: 'percentunit',
    queries: {
      'agent, {{pod}}': `sum by (pod) (${rate('process_cpu_seconds_total', ',endpoint="http"')})`,
      // It counts milliseconds.
      'PowerDNS, {{pod}}': `sum by (pod) (${rate('pdns_auth_user_msec')} + ${rate('pdns_auth_sys_msec')}) / 1000`,
    },
  }),
  timeSeries({
    title: 'Events for objects',
    description: 'What the agent told Kubernetes of names whose verdict changed.',
    unit: 'reqps',
    queries: { '{{result}}': `sum by (result) (${rate('internal_dns_events_total')})` },
  }),
];

/** From the top of the dashboard to its end. */
export const rows = [
  { height: 4, panels: figures },
  { height: 8, panels: names },
  { height: 8, panels: answers },
  { height: 8, panels: insides },
  { height: 8, panels: costs },
];
