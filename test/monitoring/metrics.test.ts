import { execFileSync } from 'node:child_process';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { Metrics, type Sources } from '../../functions/agent/http/metrics.ts';
import { verdicts } from '../../functions/contract/verdict.ts';
import { find } from '../programs.ts';
import { countsOf, nothing } from './sources.ts';

/** Metrics with some sources replaced, and what a scrape gives of one of them. */
function measuring(sources: Partial<Sources> = {}) {
  const registry = new Registry();
  const metrics = new Metrics(registry, { ...nothing, ...sources });
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

test('every verdict is always there, with how many names have it', async () => {
  const names = countsOf({ Resolved: 2, Held: 1 });
  const { scrape } = measuring({ names: () => names });
  const found = await scrape('internal_dns_names');
  expect(Object.keys(found)).toEqual(verdicts.map((verdict) => `{verdict="${verdict}"}`));
  expect(found).toMatchObject({ '{verdict="Resolved"}': 2, '{verdict="Held"}': 1, '{verdict="Refused"}': 0 });
  names.Held = 0;
  expect(await scrape('internal_dns_names')).toMatchObject({ '{verdict="Held"}': 0 });
});

test('held names count whatever their verdict is', async () => {
  const { scrape } = measuring({ names: () => countsOf({ NoAddress: 2, Held: 1 }), heldNames: () => 3 });
  expect(await scrape('internal_dns_delete_guard_held_names')).toEqual({ '': 3 });
});

describe('of the zones', () => {
  test('each is in one state, and one that is gone is in none', async () => {
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

  test('each has its serial, others in PowerDNS have none, and while that is away none has', async () => {
    let isAway = false;
    const serials = [
      { name: 'corp.internal.', serial: 7 },
      { name: 'canary.internal-dns.invalid.', serial: 9 },
    ];
    const { scrape } = measuring({
      zones: () => [{ name: 'corp.internal', state: 'Serving' }],
      serials: async () => {
        if (isAway) throw new Error('PowerDNS does not answer');
        return serials;
      },
    });
    expect(await scrape('internal_dns_zone_serial')).toEqual({ '{zone="corp.internal"}': 7 });
    isAway = true;
    expect(await scrape('internal_dns_zone_serial')).toEqual({});
  });
});

test('the self-test says one thing at a time, and nothing before the first one', async () => {
  let state: ReturnType<Sources['resolution']>;
  const { scrape } = measuring({ resolution: () => state });
  const sum = async () => Object.values(await scrape('internal_dns_resolution')).reduce((a, b) => a + b);
  expect(await sum()).toBe(0);
  state = 'Blind';
  expect(await sum()).toBe(1);
  expect(await scrape('internal_dns_resolution')).toMatchObject({ '{state="Blind"}': 1 });
});

test('there is no age of discovery before ExternalDNS has finished a loop', async () => {
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

test('events are counted by what became of them', async () => {
  const counts = { created: 3, failed: 0 };
  const { scrape } = measuring({ events: () => counts });
  expect(await scrape('internal_dns_events_total')).toEqual({ '{result="created"}': 3, '{result="failed"}': 0 });
  counts.created = 4;
  expect(await scrape('internal_dns_events_total')).toMatchObject({ '{result="created"}': 4 });
});

test('what is observed is in seconds, and failures are there from the start', async () => {
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

test('Prometheus has nothing against their names, and five thousand names are no more series than none', {
  tags: 'Prometheus',
}, async () => {
  const names = countsOf({ Resolved: 5000 });
  const zones = [{ name: 'corp.internal', state: 'Serving' as const }];
  const { registry } = measuring({ names: () => names, zones: () => zones, events: () => ({ created: 1 }) });
  const text = await registry.metrics();
  const { promtool } = await find('Prometheus');
  expect(execFileSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' })).toBe('');
  expect(text.split('\n').filter((line) => line.startsWith('internal_dns_')).length).toBeLessThan(120);
});
