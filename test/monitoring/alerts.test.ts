/**
 * The alerts of a rendered PrometheusRule, judged by Prometheus' own tool.
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

/** Values by series, in promtool's notation; one every 30 seconds. */
type SeriesSet = Record<string, string>;

const of = (pod: number, metric: string, labels: Record<string, string> = {}) => {
  const all = { internaldns: 'watched', pod: `idns-watched-${pod}`, endpoint: 'http', ...labels };
  return `${metric}{${Object.entries(all)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`;
};

const forAnHour = (value: number) => `${value}x120`;
const resolution = (pod: number, values: Partial<Record<(typeof resolutionStates)[number], string>>): SeriesSet =>
  Object.fromEntries(
    resolutionStates.map((state) => [of(pod, 'internal_dns_resolution', { state }), values[state] ?? forAnHour(0)]),
  );
const names = (pod: number, values: Partial<Record<(typeof verdicts)[number], string>>): SeriesSet =>
  Object.fromEntries(
    verdicts.map((verdict) => [of(pod, 'internal_dns_names', { verdict }), values[verdict] ?? forAnHour(0)]),
  );
const zone = (pod: number, state: string, values: string): SeriesSet => ({
  [of(pod, 'internal_dns_zone_state', { zone: 'watched.internal', state })]: values,
});
const age = (pod: number, values: string): SeriesSet => ({ [of(pod, 'internal_dns_discovery_age_seconds')]: values });
const failedLoops = (pod: number, values: string): SeriesSet => ({
  [of(pod, 'internal_dns_discovery_failed_loops')]: values,
});
const held = (pod: number, values: string): SeriesSet => ({
  [of(pod, 'internal_dns_delete_guard_held_names')]: values,
});
/** Questions and failures a second. */
const answers = (pod: number, questions: number, failures: number): SeriesSet => ({
  [of(pod, 'pdns_auth_udp_queries')]: `0+${questions * 30}x120`,
  [of(pod, 'pdns_auth_tcp_queries')]: '0+3x120',
  [of(pod, 'pdns_auth_servfail_packets')]: `0+${failures * 30}x120`,
});
/** Questions that are dropped every second, and that wait. */
const load = (pod: number, dropped: number, waiting: string): SeriesSet => ({
  [of(pod, 'pdns_auth_overload_drops')]: `0+${dropped * 30}x120`,
  [of(pod, 'pdns_auth_timedout_packets')]: '0x120',
  [of(pod, 'pdns_auth_qsize_q')]: waiting,
});
/** How many of the agent's questions, four every 30 seconds, were answered within so long. */
const tested = (pod: number, upTo: Record<string, number>, way = 'pod'): SeriesSet =>
  Object.fromEntries(
    Object.entries(upTo).map(([le, count]) => [
      of(pod, 'internal_dns_canary_seconds_bucket', { transport: 'UDP', way, le }),
      `0+${count}x120`,
    ]),
  );
/** How many changes took at most that long, every 30 seconds. */
const propagation = (pod: number, upTo: Record<string, number>): SeriesSet => {
  const buckets = Object.entries(upTo).map(([le, count]) => [
    of(pod, 'internal_dns_propagation_seconds_bucket', { le }),
    `0+${count}x120`,
  ]);
  const count = of(pod, 'internal_dns_propagation_seconds_count');
  return { ...Object.fromEntries(buckets), [count]: `0+${upTo['+Inf']}x120` };
};

/** A pod where all is well. */
const well = (pod: number): SeriesSet => ({
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
const bothWell = { ...well(0), ...well(1) };

/** The same pod away for a while, as Prometheus sees it: nothing, and then counters from zero. */
const away = (series: SeriesSet, from: number, samples: number): SeriesSet =>
  Object.fromEntries(
    Object.entries(series).map(([name, values]) => {
      const before = values.replace(/x120$/, `x${from}`);
      const after = values.replace(/x120$/, `x${120 - from - samples}`);
      return [name, `${before} stale ${'_ '.repeat(samples)}${after}`];
    }),
  );

const rest = (series: SeriesSet, without: SeriesSet): SeriesSet =>
  Object.fromEntries(Object.entries(series).filter(([name]) => !(name in without)));

interface Firing {
  labels?: Record<string, string>;
  summary: string;
}

interface Case {
  alert: string;
  series: SeriesSet;
  /** What is said then; nothing where it is none of them. */
  at: Record<string, Firing[]>;
  replicas?: number;
}

const none: Firing[] = [];
const cases: Record<string, Case> = {
  'no pod at all, for longer than a restart takes': {
    alert: 'InternalDNSAbsent',
    series: Object.fromEntries(Object.keys(bothWell).map((name) => [name, '1x10 stale _x100'])),
    at: { '5m': none, '10m': none, '11m': [{ summary: 'Prometheus sees no server of InternalDNS watched' }] },
  },
  'one of two pods, for longer than a node needs': {
    alert: 'InternalDNSReplicaAbsent',
    series: { ...well(0), ...Object.fromEntries(Object.keys(well(1)).map((name) => [name, '1x10 stale _x100'])) },
    at: { '20m': none, '21m': [{ summary: 'InternalDNS watched has 1 of 2 servers' }] },
  },
  'PowerDNS is silent': {
    alert: 'InternalDNSNotAnswering',
    series: { ...bothWell, ...resolution(1, { Serving: '1x10 0x100', NotAnswering: '0x10 1x100' }) },
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
  'the Service leads nowhere': {
    alert: 'InternalDNSNotAnswering',
    series: { ...bothWell, ...resolution(0, { Serving: '0x120', Unreachable: '1x120' }) },
    at: {
      '2m': [
        {
          labels: { pod: 'idns-watched-0', state: 'Unreachable' },
          summary: 'Clients of InternalDNS watched get no answers from idns-watched-0',
        },
      ],
    },
  },
  'silence shorter than two minutes': {
    alert: 'InternalDNSNotAnswering',
    series: { ...bothWell, ...resolution(1, { Serving: '1x10 0x2 1x100', NotAnswering: '0x10 1x2 0x100' }) },
    at: { '6m': none, '7m': none, '10m': none },
  },
  'a zone that PowerDNS does not take': {
    alert: 'InternalDNSZoneFailed',
    series: { ...bothWell, ...zone(0, 'Serving', '0x120'), ...zone(0, 'Failed', '1x120') },
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
  'one answer in ten is a failure': {
    alert: 'InternalDNSServerFailures',
    series: { ...bothWell, ...answers(0, 10, 2), ...answers(1, 10, 0.02) },
    at: {
      '9m': none,
      '15m': [{ summary: 'InternalDNS watched answers 10% of the questions with SERVFAIL' }],
    },
  },
  'questions are dropped': {
    alert: 'InternalDNSOverloaded',
    series: { ...bothWell, ...load(1, 40, '250x120') },
    at: {
      '4m': none,
      '7m': [
        {
          labels: { pod: 'idns-watched-1' },
          summary: 'InternalDNS watched is asked more than idns-watched-1 can answer',
        },
      ],
    },
  },
  'questions wait': {
    alert: 'InternalDNSOverloaded',
    series: { ...bothWell, ...load(0, 0, '0x10 180x110') },
    at: {
      '5m': none,
      '20m': [
        {
          labels: { pod: 'idns-watched-0' },
          summary: 'InternalDNS watched is asked more than idns-watched-0 can answer',
        },
      ],
    },
  },
  'a burst that is over in a minute': {
    alert: 'InternalDNSOverloaded',
    series: {
      ...bothWell,
      [of(0, 'pdns_auth_overload_drops')]: '0x10 300x110',
      [of(0, 'pdns_auth_qsize_q')]: '0x10 250x2 0x107',
    },
    at: { '7m': none, '10m': none, '15m': none },
  },
  'PowerDNS is slow': {
    alert: 'InternalDNSSlowAnswers',
    series: { ...bothWell, ...tested(1, { 0.0005: 0, 0.1: 0, 0.25: 4, '+Inf': 4 }) },
    at: {
      '9m': none,
      '20m': [
        {
          labels: { pod: 'idns-watched-1' },
          summary: 'InternalDNS watched takes 175ms for an answer in idns-watched-1',
        },
      ],
    },
  },
  'the way through the Service is slow, and PowerDNS is not': {
    alert: 'InternalDNSSlowAnswers',
    series: { ...bothWell, ...tested(1, { 0.0005: 0, 0.1: 0, 0.25: 4, '+Inf': 4 }, 'service') },
    at: { '20m': none },
  },
  'ExternalDNS is not heard of': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...rest(bothWell, age(1, '')), ...resolution(1, { Stalled: '0x10 1x100' }) },
    at: {
      '7m': none,
      '8m': [
        {
          labels: { pod: 'idns-watched-1' },
          summary: 'Objects of the cluster no longer change the records of InternalDNS watched',
        },
      ],
    },
  },
  'ExternalDNS no longer finishes a loop': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...bothWell, ...age(0, '0+30x120') },
    at: {
      '3m': none,
      '5m': [
        {
          labels: { pod: 'idns-watched-0' },
          summary: 'Objects of the cluster no longer change the records of InternalDNS watched',
        },
      ],
    },
  },
  'three loops in a row get no verdict': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...bothWell, ...failedLoops(1, '0x4 1 2 3+1x100') },
    at: {
      '5m': none,
      '6m': [
        {
          labels: { pod: 'idns-watched-1' },
          summary: 'Objects of the cluster no longer change the records of InternalDNS watched',
        },
      ],
    },
  },
  'two that fail are no stall': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...bothWell, ...failedLoops(1, '2x120') },
    at: { '10m': none },
  },
  'both signs of a stall at once are told once': {
    alert: 'InternalDNSDiscoveryStalled',
    series: { ...bothWell, ...age(0, '100+30x120'), ...resolution(0, { Stalled: '1x120' }) },
    at: {
      '5m': [
        {
          labels: { pod: 'idns-watched-0' },
          summary: 'Objects of the cluster no longer change the records of InternalDNS watched',
        },
      ],
    },
  },
  'the API server is away': {
    alert: 'InternalDNSNotUpdating',
    series: { ...bothWell, ...resolution(0, { Serving: '0x120', Blind: '1x120' }) },
    at: {
      '1m': none,
      '2m': [
        {
          labels: { pod: 'idns-watched-0', state: 'Blind' },
          summary: 'InternalDNS watched answers with what it had before',
        },
      ],
    },
  },
  'names without an address': {
    alert: 'InternalDNSNamesUnresolved',
    series: { ...bothWell, ...names(0, { NoAddress: '3x120' }), ...names(1, { NoAddress: '2x120', Refused: '1x120' }) },
    at: {
      '14m': none,
      '15m': [
        {
          labels: { verdict: 'NoAddress' },
          summary: 'Names that objects ask InternalDNS watched for do not resolve: 3 NoAddress',
        },
        {
          labels: { verdict: 'Refused' },
          summary: 'Names that objects ask InternalDNS watched for do not resolve: 1 Refused',
        },
      ],
    },
  },
  'names left out or elsewhere are nobody’s trouble': {
    alert: 'InternalDNSNamesUnresolved',
    series: { ...bothWell, ...names(0, { Filtered: '9x120', OutsideZones: '9x120', Held: '9x120' }) },
    at: { '30m': none },
  },
  'a name that ExternalDNS never asks for': {
    alert: 'InternalDNSNamesUnresolved',
    series: { ...bothWell, ...names(0, { Pending: '0x10 1x100' }) },
    at: {
      '19m': none,
      '21m': [
        {
          labels: { verdict: 'Pending' },
          summary: 'Names that objects ask InternalDNS watched for do not resolve: 1 Pending',
        },
      ],
    },
  },
  'the delete guard holds': {
    alert: 'InternalDNSDeletesHeld',
    series: { ...bothWell, ...held(0, '0x10 30x100'), ...held(1, '0x10 28x100') },
    at: {
      '5m': none,
      '7m': [{ summary: 'InternalDNS watched still answers 30 names whose objects are gone or have no address' }],
    },
  },
  'changes take minutes': {
    alert: 'InternalDNSSlowPropagation',
    series: { ...bothWell, ...propagation(0, { 1: 0, 2: 0, 60: 0, 120: 2, '+Inf': 2 }) },
    at: {
      '5m': none,
      '20m': [{ summary: 'Changes of objects take 1m 54s to be answered by InternalDNS watched' }],
    },
  },
  'a single slow change is no percentile': {
    alert: 'InternalDNSSlowPropagation',
    series: {
      ...propagation(0, { 60: 0, 120: 0, '+Inf': 0 }),
      [of(1, 'internal_dns_propagation_seconds_bucket', { le: '60' })]: '0x120',
      [of(1, 'internal_dns_propagation_seconds_bucket', { le: '120' })]: '0x10 1x100',
      [of(1, 'internal_dns_propagation_seconds_bucket', { le: '+Inf' })]: '0x10 1x100',
      [of(1, 'internal_dns_propagation_seconds_count')]: '0x10 1x100',
    },
    at: { '10m': none, '20m': none },
  },
};

/** Scenarios in which nobody is to be woken, whatever the alert. */
const quiet: Record<string, { series: SeriesSet; replicas?: number }> = {
  'all is well': { series: bothWell },
  'two replicas are replaced one after the other': { series: { ...away(well(0), 20, 3), ...away(well(1), 28, 3) } },
  'the only replica is replaced': { series: away(well(0), 20, 3), replicas: 1 },
  'a pod starts and has not tested anything yet': {
    series: { ...well(0), ...rest({ ...well(1), ...resolution(1, { Serving: '0x2 1x100' }) }, age(1, '')) },
  },
  'another instance is in trouble': {
    series: {
      ...bothWell,
      'internal_dns_resolution{internaldns="other",pod="idns-other-0",state="NotAnswering"}': '1x120',
      'internal_dns_names{internaldns="other",pod="idns-other-0",verdict="Refused"}': '9x120',
      'internal_dns_discovery_age_seconds{internaldns="other",pod="idns-other-0"}': '9999x120',
      'internal_dns_delete_guard_held_names{internaldns="other",pod="idns-other-0"}': '9x120',
    },
  },
};

/** Writes the rendered rules and these tests of them, and lets promtool judge. Rejects with what it has against them. */
async function judge(name: string, replicas: number, tests: object[]): Promise<string> {
  const rule = objectOf(rendered(watched({ replicas }))[1], 'PrometheusRule');
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

/** An alert as it fires: the rule's own labels and texts with what is filled in. */
function expected(alert: string, replicas: number, { labels = {}, summary }: Firing): object {
  const rule = alertsIn(rendered(watched({ replicas }))[1]).find((each) => each.alert === alert);
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

test('Prometheus takes the rules, without a remark', async () => {
  expect(await judge('taken', 2, [])).toContain(`SUCCESS: ${alertsIn(rendered()[1]).length} rules found`);
});

describe.concurrent('somebody is told', () => {
  test.each(Object.entries(cases))('%s', async (name, { alert, series, at, replicas = 2 }) => {
    const alert_rule_test = Object.entries(at).map(([eval_time, firing]) => ({
      eval_time,
      alertname: alert,
      exp_alerts: firing.map((each) => expected(alert, replicas, each)),
    }));
    await judge(name, replicas, [{ interval: '30s', input_series: asInput(series), alert_rule_test }]);
  });

  test('by every alert there is', () => {
    const fired = Object.values(cases).flatMap(({ alert, at }) => (Object.values(at).flat().length > 0 ? [alert] : []));
    expect([...new Set(fired)].sort()).toEqual(
      alertsIn(rendered()[1])
        .map(({ alert }) => alert)
        .sort(),
    );
  });
});

describe.concurrent('nobody is told anything', () => {
  test.each(Object.entries(quiet))('while %s', async (name, { series, replicas = 2 }) => {
    const alerts = alertsIn(rendered(watched({ replicas }))[1]);
    const times = Array.from({ length: 60 }, (_, minute) => `${minute}m`);
    const alert_rule_test = alerts.flatMap(({ alert }) =>
      times.map((eval_time) => ({ eval_time, alertname: alert, exp_alerts: [] })),
    );
    await judge(name, replicas, [{ interval: '30s', input_series: asInput(series), alert_rule_test }]);
  });
});
