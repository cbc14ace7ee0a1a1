/**
 * Unit tests of the rendered alerts, run by promtool:
 * https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
 *
 * @module-tag Prometheus
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolutionStates } from '../../functions/contract/report.ts';
import { verdicts } from '../../functions/contract/verdict.ts';
import { find } from '../programs.ts';
import type { Programs } from './install.ts';
import { alertsIn, objectOf, rendered, watched } from './rendered.ts';

const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'alerts-'));
let programs: Programs;
beforeAll(async () => {
  programs = await find('Prometheus');
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Samples by series, in promtool's notation; one every 30 seconds. */
type SeriesSet = Record<string, string>;

const seriesOf = (pod: number, metric: string, labels: Record<string, string> = {}) => {
  const all = { internaldns: 'watched', pod: `idns-watched-${pod}`, endpoint: 'http', ...labels };
  return `${metric}{${Object.entries(all)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`;
};

const forAnHour = (value: number) => `${value}x120`;
const resolution = (pod: number, values: Partial<Record<(typeof resolutionStates)[number], string>>): SeriesSet =>
  Object.fromEntries(
    resolutionStates.map((state) => [
      seriesOf(pod, 'internal_dns_resolution', { state }),
      values[state] ?? forAnHour(0),
    ]),
  );
const names = (pod: number, values: Partial<Record<(typeof verdicts)[number], string>>): SeriesSet =>
  Object.fromEntries(
    verdicts.map((verdict) => [seriesOf(pod, 'internal_dns_names', { verdict }), values[verdict] ?? forAnHour(0)]),
  );
const zone = (pod: number, state: string, values: string): SeriesSet => ({
  [seriesOf(pod, 'internal_dns_zone_state', { zone: 'watched.internal', state })]: values,
});
const age = (pod: number, values: string): SeriesSet => ({
  [seriesOf(pod, 'internal_dns_discovery_age_seconds')]: values,
});
const failedLoops = (pod: number, values: string): SeriesSet => ({
  [seriesOf(pod, 'internal_dns_discovery_failed_loops')]: values,
});
const held = (pod: number, values: string): SeriesSet => ({
  [seriesOf(pod, 'internal_dns_delete_guard_held_names')]: values,
});
/** Queries and SERVFAIL responses per second. */
const answers = (pod: number, queries: number, failures: number): SeriesSet => ({
  [seriesOf(pod, 'pdns_auth_udp_queries')]: `0+${queries * 30}x120`,
  [seriesOf(pod, 'pdns_auth_tcp_queries')]: '0+3x120',
  [seriesOf(pod, 'pdns_auth_servfail_packets')]: `0+${failures * 30}x120`,
});
/** Queries dropped per second, and queries waiting. */
const load = (pod: number, dropped: number, waiting: string): SeriesSet => ({
  [seriesOf(pod, 'pdns_auth_overload_drops')]: `0+${dropped * 30}x120`,
  [seriesOf(pod, 'pdns_auth_timedout_packets')]: '0x120',
  [seriesOf(pod, 'pdns_auth_qsize_q')]: waiting,
});
/** Cumulative counts by bucket of the agent's queries, every 30 seconds. */
const tested = (pod: number, upTo: Record<string, number>, way = 'pod'): SeriesSet =>
  Object.fromEntries(
    Object.entries(upTo).map(([le, count]) => [
      seriesOf(pod, 'internal_dns_canary_seconds_bucket', { transport: 'UDP', way, le }),
      `0+${count}x120`,
    ]),
  );
/** Cumulative counts by bucket of propagated changes, every 30 seconds. */
const propagation = (pod: number, upTo: Record<string, number>): SeriesSet => {
  const buckets = Object.entries(upTo).map(([le, count]) => [
    seriesOf(pod, 'internal_dns_propagation_seconds_bucket', { le }),
    `0+${count}x120`,
  ]);
  const count = seriesOf(pod, 'internal_dns_propagation_seconds_count');
  return { ...Object.fromEntries(buckets), [count]: `0+${upTo['+Inf']}x120` };
};

/** All alerts exist with it. */
const resolver = { forward: { upstreams: [{ address: '192.0.2.53' }, { address: '192.0.2.54' }] } };

const ofResolver = (pod: string, metric: string, labels: Record<string, string> = {}) =>
  seriesOf(0, metric, { ...labels, pod: `idns-watched-resolver-${pod}`, endpoint: 'metrics' });
const [upstream, second] = ['192.0.2.53:53', '192.0.2.54:53'];
/** The series that dnsdist has of a backend: test/monitoring/resolver.test.ts gets them from a real one. */
const backend = (pod: string, server: string, address: string, isUp: string, drops = 0): SeriesSet => ({
  [ofResolver(pod, 'dnsdist_server_status', { server, address })]: isUp,
  [ofResolver(pod, 'dnsdist_server_drops', { server, address })]: `0+${drops * 30}x120`,
});
const healthyResolver = (pod: string): SeriesSet => ({
  [ofResolver(pod, 'dnsdist_queries')]: '0+3000x120',
  ...backend(pod, 'own-0', '198.18.0.53:53', '1x120'),
  ...backend(pod, 'upstream-0', upstream, '1x120'),
  ...backend(pod, 'upstream-1', second, '1x120', 1),
});
const bothResolvers = { ...healthyResolver('a'), ...healthyResolver('b') };
const day = 86_400;
const certificate = (pod: number, field: string, expiry: number): SeriesSet => ({
  [seriesOf(pod, 'internal_dns_resolver_certificate_expiry_timestamp_seconds', { certificate: field })]:
    forAnHour(expiry),
  ...shown(pod, field, forAnHour(1)),
});
const shown = (pod: number, field: string, values: string): SeriesSet => ({
  [seriesOf(pod, 'internal_dns_resolver_certificate_shown', { certificate: field })]: values,
});
const forwarding = (pod: number, values: string): SeriesSet => ({
  [seriesOf(pod, 'internal_dns_resolver_forwarding')]: values,
});

/** A healthy pod. */
const healthy = (pod: number): SeriesSet => ({
  ...resolution(pod, { Serving: forAnHour(1) }),
  ...names(pod, { Resolved: forAnHour(40), Filtered: forAnHour(3), OutsideZones: forAnHour(2) }),
  ...zone(pod, 'Serving', forAnHour(1)),
  ...zone(pod, 'Failed', forAnHour(0)),
  ...age(pod, forAnHour(1)),
  ...held(pod, forAnHour(0)),
  ...answers(pod, 10, 0.1),
  ...load(pod, 0, '0 3 0 0 12x116'),
  ...tested(pod, { 0.0005: 3, 0.1: 4, '+Inf': 4 }),
  ...propagation(pod, { 1: 1, 2: 2, 60: 2, 120: 2, '+Inf': 2 }),
});
const bothHealthy = { ...healthy(0), ...healthy(1) };

/** A restarted pod: its series go stale, and then its counters start from zero. */
const restarted = (series: SeriesSet, from: number, samples: number): SeriesSet =>
  Object.fromEntries(
    Object.entries(series).map(([name, values]) => {
      const before = values.replace(/x120$/, `x${from}`);
      const after = values.replace(/x120$/, `x${120 - from - samples}`);
      return [name, `${before} stale ${'_ '.repeat(samples)}${after}`];
    }),
  );

const omit = (series: SeriesSet, without: SeriesSet): SeriesSet =>
  Object.fromEntries(Object.entries(series).filter(([name]) => !(name in without)));

interface Firing {
  labels?: Record<string, string>;
  summary: string;
}

interface Case {
  alert: string;
  series: SeriesSet;
  /** The alerts that fire at each time. */
  at: Record<string, Firing[]>;
  replicas?: number;
}

const none: Firing[] = [];
const cases: Record<string, Case> = {
  'all pods are gone for longer than a restart': {
    alert: 'InternalDNSAbsent',
    series: Object.fromEntries(Object.keys(bothHealthy).map((name) => [name, '1x10 stale _x100'])),
    at: { '5m': none, '10m': none, '11m': [{ summary: 'Prometheus gets no metrics from InternalDNS watched' }] },
  },
  'one of two pods is gone for 15 minutes': {
    alert: 'InternalDNSReplicaAbsent',
    series: { ...healthy(0), ...Object.fromEntries(Object.keys(healthy(1)).map((name) => [name, '1x10 stale _x100'])) },
    at: { '20m': none, '21m': [{ summary: 'InternalDNS watched has 1 of 2 replicas' }] },
  },
  'PowerDNS does not answer': {
    alert: 'InternalDNSNotAnswering',
    series: { ...bothHealthy, ...resolution(1, { Serving: '1x10 0x100', NotAnswering: '0x10 1x100' }) },
    at: {
      '5m': none,
      '7m': none,
      '8m': [
        {
          labels: { pod: 'idns-watched-1', state: 'NotAnswering' },
          summary: 'Clients of InternalDNS watched get no answers from idns-watched-1',
        },
      ],
    },
  },
  'PowerDNS is unreachable through its Service': {
    alert: 'InternalDNSNotAnswering',
    series: { ...bothHealthy, ...resolution(0, { Serving: '0x120', Unreachable: '1x120' }) },
    at: {
      '2m': [
        {
          labels: { pod: 'idns-watched-0', state: 'Unreachable' },
          summary: 'Clients of InternalDNS watched get no answers from idns-watched-0',
        },
      ],
    },
  },
  'PowerDNS does not answer for less than two minutes': {
    alert: 'InternalDNSNotAnswering',
    series: { ...bothHealthy, ...resolution(1, { Serving: '1x10 0x2 1x100', NotAnswering: '0x10 1x2 0x100' }) },
    at: { '6m': none, '7m': none, '10m': none },
  },
  'PowerDNS rejects a zone': {
    alert: 'InternalDNSZoneFailed',
    series: { ...bothHealthy, ...zone(0, 'Serving', '0x120'), ...zone(0, 'Failed', '1x120') },
    at: {
      '4m': none,
      '5m': [
        {
          labels: { zone: 'watched.internal' },
          summary: 'Zone watched.internal of InternalDNS watched is not served as declared',
        },
      ],
    },
  },
  '10% of the responses are SERVFAIL': {
    alert: 'InternalDNSServerFailures',
    series: { ...bothHealthy, ...answers(0, 10, 2), ...answers(1, 10, 0.02) },
    at: {
      '9m': none,
      '15m': [{ summary: 'InternalDNS watched answers 10% of queries with SERVFAIL' }],
    },
  },
  'queries are dropped': {
    alert: 'InternalDNSOverloaded',
    series: { ...bothHealthy, ...load(1, 40, '250x120') },
    at: {
      '4m': none,
      '7m': [
        {
          labels: { pod: 'idns-watched-1' },
          summary: 'InternalDNS watched gets more queries than idns-watched-1 can answer',
        },
      ],
    },
  },
  'queries wait': {
    alert: 'InternalDNSOverloaded',
    series: { ...bothHealthy, ...load(0, 0, '0x10 180x110') },
    at: {
      '5m': none,
      '20m': [
        {
          labels: { pod: 'idns-watched-0' },
          summary: 'InternalDNS watched gets more queries than idns-watched-0 can answer',
        },
      ],
    },
  },
  'a burst of queries lasts a minute': {
    alert: 'InternalDNSOverloaded',
    series: {
      ...bothHealthy,
      [seriesOf(0, 'pdns_auth_overload_drops')]: '0x10 300x110',
      [seriesOf(0, 'pdns_auth_qsize_q')]: '0x10 250x2 0x107',
    },
    at: { '7m': none, '10m': none, '15m': none },
  },
  'PowerDNS is slow': {
    alert: 'InternalDNSSlowAnswers',
    series: { ...bothHealthy, ...tested(1, { 0.0005: 0, 0.1: 0, 0.25: 4, '+Inf': 4 }) },
    at: {
      '9m': none,
      '20m': [
        {
          labels: { pod: 'idns-watched-1' },
          summary: 'InternalDNS watched takes 175ms to answer a query in idns-watched-1',
        },
      ],
    },
  },
  'only the path through the Service is slow': {
    alert: 'InternalDNSSlowAnswers',
    series: { ...bothHealthy, ...tested(1, { 0.0005: 0, 0.1: 0, 0.25: 4, '+Inf': 4 }, 'service') },
    at: { '20m': none },
  },
  'ExternalDNS stops calling the agent': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...omit(bothHealthy, age(1, '')), ...resolution(1, { Stalled: '0x10 1x100' }) },
    at: {
      '7m': none,
      '8m': [
        {
          labels: { pod: 'idns-watched-1' },
          summary: 'Changes of objects no longer reach the records of InternalDNS watched',
        },
      ],
    },
  },
  'ExternalDNS no longer completes a loop': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...bothHealthy, ...age(0, '0+30x120') },
    at: {
      '3m': none,
      '5m': [
        {
          labels: { pod: 'idns-watched-0' },
          summary: 'Changes of objects no longer reach the records of InternalDNS watched',
        },
      ],
    },
  },
  'three loops in a row fail': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...bothHealthy, ...failedLoops(1, '0x4 1 2 3+1x100') },
    at: {
      '5m': none,
      '6m': [
        {
          labels: { pod: 'idns-watched-1' },
          summary: 'Changes of objects no longer reach the records of InternalDNS watched',
        },
      ],
    },
  },
  'only two loops in a row fail': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...bothHealthy, ...failedLoops(1, '2x120') },
    at: { '10m': none },
  },
  'two signs of a stall at once fire a single alert': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...bothHealthy, ...age(0, '100+30x120'), ...resolution(0, { Stalled: '1x120' }) },
    at: {
      '5m': [
        {
          labels: { pod: 'idns-watched-0' },
          summary: 'Changes of objects no longer reach the records of InternalDNS watched',
        },
      ],
    },
  },
  'the API server is unreachable': {
    alert: 'InternalDNSNotUpdating',
    series: { ...bothHealthy, ...resolution(0, { Serving: '0x120', Blind: '1x120' }) },
    at: {
      '1m': none,
      '2m': [
        {
          labels: { pod: 'idns-watched-0', state: 'Blind' },
          summary: 'InternalDNS watched answers with outdated records',
        },
      ],
    },
  },
  'names have no address or are refused': {
    alert: 'InternalDNSNamesUnresolved',
    series: {
      ...bothHealthy,
      ...names(0, { NoAddress: '3x120' }),
      ...names(1, { NoAddress: '2x120', Refused: '1x120' }),
    },
    at: {
      '14m': none,
      '15m': [
        {
          labels: { verdict: 'NoAddress' },
          summary: 'Names that objects request from InternalDNS watched do not resolve: 3 NoAddress',
        },
        {
          labels: { verdict: 'Refused' },
          summary: 'Names that objects request from InternalDNS watched do not resolve: 1 Refused',
        },
      ],
    },
  },
  'names are filtered, outside the zones or held': {
    alert: 'InternalDNSNamesUnresolved',
    series: { ...bothHealthy, ...names(0, { Filtered: '9x120', OutsideZones: '9x120', Held: '9x120' }) },
    at: { '30m': none },
  },
  'ExternalDNS never requests a name': {
    alert: 'InternalDNSNamesUnresolved',
    series: { ...bothHealthy, ...names(0, { Pending: '0x10 1x100' }) },
    at: {
      '19m': none,
      '21m': [
        {
          labels: { verdict: 'Pending' },
          summary: 'Names that objects request from InternalDNS watched do not resolve: 1 Pending',
        },
      ],
    },
  },
  'the delete guard holds names': {
    alert: 'InternalDNSDeletesHeld',
    series: { ...bothHealthy, ...held(0, '0x10 30x100'), ...held(1, '0x10 28x100') },
    at: {
      '5m': none,
      '7m': [
        { summary: 'InternalDNS watched still answers 30 names whose objects are gone or have lost their address' },
      ],
    },
  },
  'one kind is left to ExternalDNS': {
    alert: 'InternalDNSAnticipationSuspended',
    series: {
      ...bothHealthy,
      [seriesOf(0, 'internal_dns_anticipation_suspended', { kind: 'Ingress' })]: '0x120',
      [seriesOf(0, 'internal_dns_anticipation_suspended', { kind: 'Service' })]: '0x10 1x110',
    },
    at: {
      '5m': none,
      '12m': [
        {
          labels: { kind: 'Service' },
          summary: 'Changes of objects of kind Service wait for ExternalDNS in InternalDNS watched',
        },
      ],
    },
  },
  'changes take minutes to propagate': {
    alert: 'InternalDNSSlowPropagation',
    series: { ...bothHealthy, ...propagation(0, { 1: 0, 2: 0, 60: 0, 120: 2, '+Inf': 2 }) },
    at: {
      '5m': none,
      '20m': [{ summary: 'InternalDNS watched takes 1m 54s to publish changes of objects' }],
    },
  },
  'a single change is slow': {
    alert: 'InternalDNSSlowPropagation',
    series: {
      ...propagation(0, { 60: 0, 120: 0, '+Inf': 0 }),
      [seriesOf(1, 'internal_dns_propagation_seconds_bucket', { le: '60' })]: '0x120',
      [seriesOf(1, 'internal_dns_propagation_seconds_bucket', { le: '120' })]: '0x10 1x100',
      [seriesOf(1, 'internal_dns_propagation_seconds_bucket', { le: '+Inf' })]: '0x10 1x100',
      [seriesOf(1, 'internal_dns_propagation_seconds_count')]: '0x10 1x100',
    },
    at: { '10m': none, '20m': none },
  },
  'an upstream is down for one pod of the resolver': {
    alert: 'InternalDNSUpstreamDown',
    series: { ...bothResolvers, ...backend('b', 'upstream-1', second, '1x10 0x110') },
    at: {
      '5m': none,
      '10m': none,
      '11m': [
        {
          labels: { address: second },
          summary: `Upstream ${second} gives the resolver of InternalDNS watched no answers`,
        },
      ],
    },
  },
  'the server itself is down for the resolver': {
    alert: 'InternalDNSUpstreamDown',
    series: { ...bothResolvers, ...backend('b', 'own-0', '198.18.0.53:53', '0x120') },
    at: { '20m': none },
  },
  'names elsewhere are not answered': {
    alert: 'InternalDNSNotForwarding',
    series: { ...bothHealthy, ...forwarding(0, forAnHour(1)), ...forwarding(1, '1x10 0x110') },
    at: {
      '6m': none,
      '8m': [
        {
          labels: { pod: 'idns-watched-1' },
          summary: 'The resolver of InternalDNS watched does not answer for names elsewhere',
        },
      ],
    },
  },
  '10% of the questions get no answer': {
    alert: 'InternalDNSResolverDrops',
    series: { ...bothResolvers, ...backend('a', 'upstream-0', upstream, '1x120', 10) },
    at: {
      '4m': none,
      '10m': [
        {
          labels: { pod: 'idns-watched-resolver-a' },
          summary:
            'The resolver of InternalDNS watched leaves 11% of questions in idns-watched-resolver-a without an answer',
        },
      ],
    },
  },
  'a Secret has no certificate': {
    alert: 'InternalDNSCertificateMissing',
    series: { ...certificate(0, 'doT', 30 * day), ...shown(0, 'doH', '1x10 0x110') },
    at: {
      '9m': none,
      '17m': [
        {
          labels: { certificate: 'doH' },
          summary: 'The resolver of InternalDNS watched shows no certificate for resolver.doH',
        },
      ],
    },
  },
  'a certificate expires in less than a week': {
    alert: 'InternalDNSCertificateExpires',
    series: { ...certificate(0, 'doT', 7 * day + 600), ...certificate(0, 'doH', 30 * day) },
    at: {
      '20m': none,
      '40m': [
        {
          labels: { certificate: 'doT' },
          summary: 'The certificate of resolver.doT of InternalDNS watched expires in 6d 23h 30m 0s',
        },
      ],
    },
  },
};

/** Scenarios in which no alert may fire. */
const quiet: Record<string, { series: SeriesSet; replicas?: number }> = {
  'both pods are healthy': { series: bothHealthy },
  'two replicas restart one after the other': {
    series: { ...restarted(healthy(0), 20, 3), ...restarted(healthy(1), 28, 3) },
  },
  'the only replica restarts': { series: restarted(healthy(0), 20, 3), replicas: 1 },
  'a new pod has not completed its first self-test': {
    series: { ...healthy(0), ...omit({ ...healthy(1), ...resolution(1, { Serving: '0x2 1x100' }) }, age(1, '')) },
  },
  'the resolver is healthy': {
    series: {
      ...{ ...bothHealthy, ...bothResolvers, ...forwarding(0, forAnHour(1)), ...forwarding(1, forAnHour(1)) },
      ...certificate(0, 'doT', 8 * day),
    },
  },
  'another instance fails': {
    series: {
      ...bothHealthy,
      'internal_dns_resolution{internaldns="other",pod="idns-other-0",state="NotAnswering"}': '1x120',
      'internal_dns_names{internaldns="other",pod="idns-other-0",verdict="Refused"}': '9x120',
      'internal_dns_discovery_age_seconds{internaldns="other",pod="idns-other-0"}': '9999x120',
      'internal_dns_delete_guard_held_names{internaldns="other",pod="idns-other-0"}': '9x120',
    },
  },
};

/** Runs promtool on the rendered rules and these unit tests of them. Rejects with its output if one fails. */
async function runPromtool(name: string, replicas: number, tests: object[]): Promise<string> {
  const rule = objectOf(rendered(watched({ replicas, resolver }))[1], 'PrometheusRule');
  const [rules, unit] = [join(dir, `${name}.rules.json`), join(dir, `${name}.test.json`)];
  writeFileSync(rules, JSON.stringify(rule?.spec));
  writeFileSync(unit, JSON.stringify({ rule_files: [rules], evaluation_interval: '30s', tests }));
  const check = await run(programs.promtool, ['check', 'rules', '--lint=all', '--lint-fatal', rules]);
  await run(programs.promtool, ['test', 'rules', unit]).catch(({ stdout, stderr }) => {
    throw new Error(`${stdout}${stderr}`);
  });
  return check.stdout;
}

const asInput = (series: SeriesSet) => Object.entries(series).map(([name, values]) => ({ series: name, values }));

/** The firing alert: the labels and annotations of its rule, with the template variables replaced. */
function expected(alert: string, replicas: number, { labels = {}, summary }: Firing): object {
  const rule = alertsIn(rendered(watched({ replicas, resolver }))[1]).find((each) => each.alert === alert);
  if (!rule) throw new Error(`there is no alert ${alert}`);
  const { description, runbook_url } = rule.annotations;
  const filled = Object.entries(labels).reduce(
    (text, [name, value]) => text.replaceAll(`{{ $labels.${name} }}`, value),
    description,
  );
  return {
    exp_labels: { ...rule.labels, ...labels },
    exp_annotations: { summary, description: filled, runbook_url },
  };
}

test('promtool accepts the rules without a warning', async () => {
  expect(await runPromtool('accepted', 2, [])).toContain(
    `SUCCESS: ${alertsIn(rendered(watched({ resolver }))[1]).length} rules found`,
  );
});

describe.concurrent('the alert fires exactly when it should', () => {
  test.each(Object.entries(cases))('when %s', async (name, { alert, series, at, replicas = 2 }) => {
    const alert_rule_test = Object.entries(at).map(([eval_time, firing]) => ({
      eval_time,
      alertname: alert,
      exp_alerts: firing.map((each) => expected(alert, replicas, each)),
    }));
    await runPromtool(name, replicas, [{ interval: '30s', input_series: asInput(series), alert_rule_test }]);
  });

  test('and every alert fires in one of these cases', () => {
    const fired = Object.values(cases).flatMap(({ alert, at }) => (Object.values(at).flat().length > 0 ? [alert] : []));
    expect([...new Set(fired)].sort()).toEqual(
      alertsIn(rendered(watched({ resolver }))[1])
        .map(({ alert }) => alert)
        .sort(),
    );
  });
});

describe.concurrent('no alert fires', () => {
  test.each(Object.entries(quiet))('while %s', async (name, { series, replicas = 2 }) => {
    const alerts = alertsIn(rendered(watched({ replicas, resolver }))[1]);
    const times = Array.from({ length: 60 }, (_, minute) => `${minute}m`);
    const alert_rule_test = alerts.flatMap(({ alert }) =>
      times.map((eval_time) => ({ eval_time, alertname: alert, exp_alerts: [] })),
    );
    await runPromtool(name, replicas, [{ interval: '30s', input_series: asInput(series), alert_rule_test }]);
  });
});
