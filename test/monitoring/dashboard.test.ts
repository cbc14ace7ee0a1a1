/**
 * The queries of the rendered dashboard against a real Prometheus.
 *
 * @module-tag PowerDNS
 * @module-tag Prometheus
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { polling } from '../timeouts.ts';
import { startPod, type WatchedPod } from './pod.ts';
import { type RunningPrometheus, startPrometheus } from './prometheus.ts';
import { emptyQueries, matchingAlerts, queriesOf } from './queries.ts';
import { alertsIn, dashboardIn, rendered } from './rendered.ts';

const dir = mkdtempSync(join(tmpdir(), 'dashboard-'));
let pod: WatchedPod;
let prometheus: RunningPrometheus;
let serving: Promise<void>;
let isOver = false;
beforeAll(async () => {
  pod = await startPod(dir);
  prometheus = await startPrometheus(join(dir, 'prometheus'), pod.targets);
  serving = serve();
  // The agent reports no resolution before its first self-test.
  await vi.waitFor(
    async () => expect(await prometheus.api.query('internal_dns_resolution == 1')).toHaveLength(1),
    polling,
  );
});
afterAll(async () => {
  isOver = true;
  await serving;
  await prometheus?.stop();
  await pod?.stop();
  rmSync(dir, { recursive: true });
});

/** Simulates clients until the last test has ended. */
async function serve(): Promise<void> {
  for (let round = 0; !isOver; round++) {
    await pod.serve(round);
    await delay(100);
  }
}

const [, rendering] = rendered();
const queries = queriesOf(dashboardIn(rendering).dashboard, { internaldns: 'watched', rateInterval: '10s' });
/** ExternalDNS runs only in a cluster. */
const isOfExternalDNS = ({ expr }: { expr: string }) => expr.includes('external_dns_');

describe('for a pod that serves names', () => {
  test('every query of the dashboard returns data', async () => {
    const asked = queries.filter((query) => !isOfExternalDNS(query));
    await vi.waitFor(async () => expect(await emptyQueries(prometheus.api, asked)).toEqual([]), polling);
    expect(queries.filter(isOfExternalDNS)).toHaveLength(1);
  });

  test('the stat panels show the state of the pod', async () => {
    const time = await prometheus.api.complete();
    const statOf = async (title: string) => {
      const { expr } = queries.find(({ panel }) => panel.title === title)!;
      return Number((await prometheus.api.query(expr, time))[0]?.value[1]);
    };
    expect(await statOf('Status')).toBe(1);
    expect(await statOf('Names unresolved')).toBe(1);
    const share = await statOf('Names resolved');
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
    expect(await statOf('Held by the delete guard')).toBe(0);
  });

  test('responses are counted by their code', async () => {
    const byCode = queries.filter(({ panel }) => panel.title === 'Responses by code');
    expect(byCode.map(({ legend }) => legend)).toEqual(['NOERROR', 'NXDOMAIN', 'REFUSED', 'SERVFAIL']);
    await vi.waitFor(async () => {
      const time = await prometheus.api.complete();
      const rates = await Promise.all(byCode.map(({ expr }) => prometheus.api.query(expr, time)));
      const [noError, nxDomain, refused, servFail] = rates.map(([first]) => Number(first?.value[1]));
      // Each round queries mostly existing names, three that do not exist, and one outside the zones.
      expect(noError).toBeGreaterThan(nxDomain as number);
      expect(nxDomain).toBeGreaterThan(refused as number);
      expect(refused).toBeGreaterThan(0);
      expect(servFail).toBe(0);
    }, polling);
  });

  test('the dashboard of another instance shows none of its data', async () => {
    const others = queriesOf(dashboardIn(rendering).dashboard, { internaldns: 'other', rateInterval: '10s' });
    const time = await prometheus.api.complete();
    const shown = await Promise.all(others.map(({ expr }) => prometheus.api.query(expr, time)));
    // Without any name the share of resolved names is 1.
    const titles = others.flatMap(({ panel }, index) => (shown[index]?.length ? [panel.title] : []));
    expect(titles).toEqual(['Names resolved']);
  });

  test('no alert expression matches', async () => {
    // One pod runs here, and the rules expect two.
    const alerts = alertsIn(rendering).filter(({ alert }) => alert !== 'InternalDNSReplicaAbsent');
    const lasting = { InternalDNSNamesUnresolved: [expect.objectContaining({ verdict: 'DeclaredElsewhere' })] };
    // An alert may match for a moment, and rightly, after the machine has stalled.
    await vi.waitFor(async () => expect(await matchingAlerts(prometheus.api, alerts)).toEqual(lasting), polling);
  });
});
