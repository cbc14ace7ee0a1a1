import { execFileSync } from 'node:child_process';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { type MetricSources, Metrics } from '../../functions/agent/http/metrics.ts';
import { sourceResources } from '../../functions/contract/source-kinds.ts';
import { verdicts } from '../../functions/contract/verdict.ts';
import { find } from '../programs.ts';
import { countsOf, initialSources } from './sources.ts';

/** Metrics of the given sources, and a scrape that returns the samples of one metric by their labels. */
function measuring(sources: Partial<MetricSources> = {}) {
  const registry = new Registry();
  const metrics = new Metrics(registry, { ...initialSources, ...sources });
  const scrape = async (metric: string): Promise<Record<string, number>> => {
    const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith(metric));
    return Object.fromEntries(
      lines.map((line) => {
        const end = line.lastIndexOf(' ');
        return [line.slice(metric.length, end), Number(line.slice(end + 1))];
      }),
    );
  };
  return { registry, metrics, scrape };
}

test('every verdict has a series, also with no names', async () => {
  const names = countsOf({ Resolved: 2, Held: 1 });
  const { scrape } = measuring({ names: () => names });
  const found = await scrape('internal_dns_names');
  expect(Object.keys(found)).toEqual(verdicts.map((verdict) => `{verdict="${verdict}"}`));
  expect(found).toMatchObject({ '{verdict="Resolved"}': 2, '{verdict="Held"}': 1, '{verdict="Refused"}': 0 });
  names.Held = 0;
  expect(await scrape('internal_dns_names')).toMatchObject({ '{verdict="Held"}': 0 });
});

test('held names are counted regardless of their verdict', async () => {
  const { scrape } = measuring({ names: () => countsOf({ NoAddress: 2, Held: 1 }), heldNames: () => 3 });
  expect(await scrape('internal_dns_delete_guard_held_names')).toEqual({ '': 3 });
});

test('every kind that the agent reads has its differences, also without any', async () => {
  const counts = new Map([['Ingress', 3]]);
  const { scrape } = measuring({ anticipation: () => ({ counts, suspended: new Set(['Ingress']) }) });
  const differences = await scrape('internal_dns_anticipation_differences_total');
  expect(Object.keys(differences)).toEqual(Object.keys(sourceResources).map((kind) => `{kind="${kind}"}`));
  expect(differences).toMatchObject({ '{kind="Ingress"}': 3, '{kind="Service"}': 0 });
  expect(await scrape('internal_dns_anticipation_suspended')).toMatchObject({
    '{kind="Ingress"}': 1,
    '{kind="Service"}': 0,
  });
});

describe('zones', () => {
  test('each zone is in one state, and a removed zone has no series', async () => {
    const zones = [{ name: 'corp.internal', state: 'Failed' as const }];
    const { scrape } = measuring({ zones: () => zones });
    expect(await scrape('internal_dns_zone_state')).toEqual({
      '{zone="corp.internal",state="Serving"}': 0,
      '{zone="corp.internal",state="Pending"}': 0,
      '{zone="corp.internal",state="Failed"}': 1,
      '{zone="corp.internal",state="Retained"}': 0,
    });
    zones.pop();
    expect(await scrape('internal_dns_zone_state')).toEqual({});
  });

  test('only declared zones have a serial, and none has while PowerDNS does not answer', async () => {
    let isDown = false;
    const serials = [
      { name: 'corp.internal.', serial: 7 },
      { name: 'canary.internal-dns.invalid.', serial: 9 },
    ];
    const { scrape } = measuring({
      zones: () => [{ name: 'corp.internal', state: 'Serving' }],
      serials: async () => {
        if (isDown) throw new Error('PowerDNS does not answer');
        return serials;
      },
    });
    expect(await scrape('internal_dns_zone_serial')).toEqual({ '{zone="corp.internal"}': 7 });
    isDown = true;
    expect(await scrape('internal_dns_zone_serial')).toEqual({});
  });
});

test('resolution has one state at a time, and none before the first self-test', async () => {
  let state: ReturnType<MetricSources['resolution']>;
  const { scrape } = measuring({ resolution: () => state });
  const sum = async () => Object.values(await scrape('internal_dns_resolution')).reduce((a, b) => a + b);
  expect(await sum()).toBe(0);
  state = 'Blind';
  expect(await sum()).toBe(1);
  expect(await scrape('internal_dns_resolution')).toMatchObject({ '{state="Blind"}': 1 });
});

test('discovery has no age before ExternalDNS has completed a loop', async () => {
  let age: number | undefined;
  const { scrape } = measuring({ discoveryAge: () => age });
  expect(await scrape('internal_dns_discovery_age_seconds')).toEqual({});
  age = 2.5;
  expect(await scrape('internal_dns_discovery_age_seconds')).toEqual({ '': 2.5 });
  age = undefined;
  expect(await scrape('internal_dns_discovery_age_seconds')).toEqual({});
});

test('failed loops are counted', async () => {
  let failed = 0;
  const { scrape } = measuring({ failedLoops: () => failed });
  expect(await scrape('internal_dns_discovery_failed_loops')).toEqual({ '': 0 });
  failed = 4;
  expect(await scrape('internal_dns_discovery_failed_loops')).toEqual({ '': 4 });
});

test('events are counted by their result', async () => {
  const counts = { created: 3, failed: 0 };
  const { scrape } = measuring({ events: () => counts });
  expect(await scrape('internal_dns_events_total')).toEqual({ '{result="created"}': 3, '{result="failed"}': 0 });
  counts.created = 4;
  expect(await scrape('internal_dns_events_total')).toMatchObject({ '{result="created"}': 4 });
});

test('durations are in seconds, and failures start at 0', async () => {
  const { metrics, scrape } = measuring();
  metrics.observePropagation(1.5);
  expect(await scrape('internal_dns_propagation_seconds_sum')).toEqual({ '': 1.5 });
  expect(await scrape('internal_dns_propagation_seconds_bucket')).toMatchObject({ '{le="1"}': 0, '{le="2"}': 1 });
  metrics.observeCanary('TCP', 0.004, 'service');
  const counts = await scrape('internal_dns_canary_seconds_count');
  expect(counts).toMatchObject({ '{transport="TCP",way="service"}': 1, '{transport="UDP",way="pod"}': 0 });
  metrics.countCanaryFailure('UDP', 'service');
  expect(await scrape('internal_dns_canary_failures_total')).toEqual({
    '{transport="UDP",way="pod"}': 0,
    '{transport="TCP",way="pod"}': 0,
    '{transport="UDP",way="service"}': 1,
    '{transport="TCP",way="service"}': 0,
  });
});

test('promtool accepts the metrics, and their number does not grow with the number of names', {
  tags: 'Prometheus',
}, async () => {
  const names = countsOf({ Resolved: 5000 });
  const zones = [{ name: 'corp.internal', state: 'Serving' as const }];
  const { registry } = measuring({ names: () => names, zones: () => zones, events: () => ({ created: 1 }) });
  const text = await registry.metrics();
  const { promtool } = await find('Prometheus');
  expect(execFileSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' })).toBe('');
  expect(text.split('\n').filter((line) => line.startsWith('internal_dns_')).length).toBeLessThan(140);
});
