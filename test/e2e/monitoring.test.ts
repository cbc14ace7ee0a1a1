import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Alert } from '../../functions/internal-dns/monitoring/alert.ts';
import { startPrometheus } from '../monitoring/prometheus.ts';
import { emptyQueries, matchingAlerts, queriesOf } from '../monitoring/queries.ts';
import { apply, condition, exists, get, kubectl, until, waitForReady } from './cluster/kubectl.ts';
import { clientOf } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { forward } from './cluster/port-forward.ts';
import { definitions, group, plurals } from './cluster/prometheus-kinds.ts';
import { scenario } from './scenario.ts';

const zone = 'watched.internal';
const namespace = 'internal-dns';

/** The objects for Prometheus and Grafana, and the metrics of real pods. */
scenario('monitoring', ({ shop, ingress, internalDNS }) => {
  test('without the CRDs a condition names them, and the instance becomes Ready', async () => {
    for (const plural of plurals) expect(await exists('crd', `${plural}.${group}`)).toBe(false);
    await apply(
      internalDNS('monitored', {
        zones: [{ name: zone }],
        discovery: { sources: [{ kind: 'Ingress' }], deleteGuard: { percent: 100 } },
        monitoring: { enabled: true, labels: { release: 'prometheus' }, interval: '15s' },
      }),
    );
    await waitForReady('monitored');
    await until('the condition names the missing CRDs', async () => {
      const { status, reason, message } = await condition('monitored', 'MonitoringReady');
      return (reason === 'CRDsMissing' && status === 'False' && message?.includes('PodMonitor')) || { reason, message };
    });
    const { metadata } = await get('configmap', 'idns-monitored-dashboard', namespace);
    expect(metadata.labels).toMatchObject({ grafana_dashboard: '1', release: 'prometheus' });
  });

  test('once the CRDs exist their objects are composed', async () => {
    await apply(...definitions);
    await until('the condition is True', async () => {
      const { status, reason } = await condition('monitored', 'MonitoringReady');
      return (status === 'True' && reason === 'Composed') || { status, reason };
    });
    for (const plural of plurals) {
      const { metadata } = await get(`${plural}.${group}`, 'idns-monitored', namespace);
      expect(metadata.labels).toMatchObject({ release: 'prometheus' });
    }
    await waitForReady('monitored');
  });

  test('each query of the dashboard has data in a Prometheus that scrapes the pod', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'monitoring-'));
    const forwarding = await forward('pod/idns-monitored-0', 8080, 7979);
    const { spec } = await get(`podmonitors.${group}`, 'idns-monitored', namespace);
    const endpoints: PodMetricsEndpoint[] = spec.podMetricsEndpoints;
    expect(endpoints.map(({ port }) => port)).toEqual(['http', 'discovery']);
    // The scrape configuration that the operator generates for the PodMonitor: https://prometheus-operator.dev/docs/developer/getting-started/
    const targets = endpoints.map(({ port, relabelings }, index) => ({
      address: `127.0.0.1:${forwarding.ports[index]}`,
      labels: {
        namespace,
        pod: 'idns-monitored-0',
        endpoint: port,
        ...Object.fromEntries(relabelings.map(({ targetLabel, replacement }) => [targetLabel, replacement])),
      },
    }));
    const prometheus = await startPrometheus(dir, targets);
    try {
      const { data } = await get('configmap', 'idns-monitored-dashboard', namespace);
      const dashboard = JSON.parse(Object.values(data as Record<string, string>)[0] as string);
      const queries = queriesOf(dashboard, { internaldns: 'monitored', rateInterval: '20s' });
      expect(queries.length).toBeGreaterThan(10);
      const client = await clientOf('monitored');
      let n = 0;
      await until(
        'every query has data',
        async () => {
          n++;
          await apply(
            ingress({ name: `seen-${n}`, hosts: [`seen-${n}.${zone}`], annotations: { [target]: '192.0.2.1' } }),
          );
          await client.becomes(`seen-${n}.${zone}`, '192.0.2.1');
          for (const tcp of [false, true]) await client.answer(`seen-1.${zone}`, 'A', tcp);
          const empty = await emptyQueries(prometheus.api, queries);
          return empty.length === 0 || empty;
        },
        { every: 1_000 },
      );
      const alerts = await get(`prometheusrules.${group}`, 'idns-monitored', namespace);
      const rules: Alert[] = alerts.spec.groups[0].rules;
      expect(rules.length).toBeGreaterThan(10);
      // An alert may match for a moment, and rightly, after the machine has stalled.
      await until('no alert matches', async () => {
        const matching = Object.keys(await matchingAlerts(prometheus.api, rules));
        // The machine is as busy as the other scenarios make it.
        const ours = matching.filter((alert) => alert !== 'InternalDNSSlowAnswers');
        return ours.length === 0 || ours;
      });
      await kubectl('-n', shop, 'delete', 'ingress', ...Array.from({ length: n }, (_, i) => `seen-${i + 1}`));
      await client.becomes(`seen-${n}.${zone}`, 'NXDOMAIN');
    } finally {
      await prometheus.stop();
      forwarding.child.kill();
      rmSync(dir, { recursive: true });
    }
  });
});

interface PodMetricsEndpoint {
  port: string;
  relabelings: { targetLabel: string; replacement: string }[];
}
