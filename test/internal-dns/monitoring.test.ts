import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import type { Report } from '../../functions/contract/report.ts';
import { anchorOf } from '../../functions/internal-dns/monitoring/alerts.ts';
import { monitoredKinds } from '../../functions/internal-dns/monitoring/kind.ts';
import { prometheusDuration } from '../../functions/internal-dns/monitoring/settings.ts';
import { monitoringReady } from '../../functions/internal-dns/monitoring/status.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { alertsIn, dashboardIn, objectOf, rendered, type Spec, watched } from '../monitoring/rendered.ts';

const kindsIn = (objects: KubernetesObject[]) =>
  objects.map(({ kind }) => kind).filter((kind) => ['PodMonitor', 'PrometheusRule'].includes(kind));

/** Reports of agents on the kinds that the cluster serves. */
const reporting = (served: string[] | undefined) => (observed: Observed) =>
  Object.fromEntries(
    Object.entries(observed).map(([key, object]) => {
      if (!object.metadata.name.endsWith('-status') || object.kind !== 'ConfigMap') return [key, object];
      const data = Object.fromEntries(
        Object.entries(object.data as Record<string, string>).map(([pod, text]) => {
          const { served: _, ...report } = JSON.parse(text);
          return [pod, JSON.stringify({ ...report, ...(served && { served }) })];
        }),
      );
      return [key, { ...object, data }];
    }),
  );

const [podMonitors, prometheusRules] = monitoredKinds as [string, string];

describe('a kind of the Prometheus operator', () => {
  test.each<[string, string[] | undefined, string[], string]>([
    ['is composed where the cluster serves it', monitoredKinds, ['PodMonitor', 'PrometheusRule'], 'Composed'],
    ['is left out where it serves neither', [], [], 'CRDsMissing'],
    ['is left out alone if it is PrometheusRule', [podMonitors], ['PodMonitor'], 'CRDsMissing'],
    ['is left out alone if it is PodMonitor', [prometheusRules], ['PrometheusRule'], 'CRDsMissing'],
    ['waits for the first report', undefined, [], 'Waiting'],
  ])('%s, and the condition has the reason', (_, served, kinds, reason) => {
    const [first, last] = rendered(watched(), reporting(served));
    expect(kindsIn(first.objects)).toEqual([]);
    expect(kindsIn(last.objects).sort()).toEqual(kinds);
    const conditions = last.conditions.filter(({ type }) => type === 'MonitoringReady');
    expect(conditions.map((each) => each.reason)).toEqual([reason]);
    expect(dashboardIn(first).object.kind).toBe('ConfigMap');
    expect(last.ready).toBe(rendered(watched({ monitoring: {} }))[1].ready);
  });

  test('stays while no report can be read', () => {
    const present = { apiVersion: 'monitoring.coreos.com/v1', metadata: { name: 'idns-watched' } };
    const [, last] = rendered(watched(), (observed) => ({
      ...reporting(undefined)(observed),
      one: { ...present, kind: 'PodMonitor' },
      two: { ...present, kind: 'PrometheusRule' },
    }));
    expect(kindsIn(last.objects).sort()).toEqual(['PodMonitor', 'PrometheusRule']);
  });

  test('that is missing is reported with what to install, and that the rest works', () => {
    const spec = parseSpec(watched());
    const report = (served: string[]) => ({ served }) as Report;
    expect(monitoringReady(spec, [undefined, report([])])).toEqual({
      type: 'MonitoringReady',
      status: 'False',
      reason: 'CRDsMissing',
      message:
        'the cluster does not serve PodMonitor and PrometheusRule: install the CRDs of the Prometheus operator, and the objects follow within a minute; the dashboard and everything else work without them',
    });
    // A replica may not have discovered the API yet.
    expect(monitoringReady(spec, [report([]), report([...monitoredKinds])])).toMatchObject({ status: 'True' });
  });

  test('is neither looked up nor composed without monitoring', () => {
    const [first, last] = rendered(watched({ monitoring: {} }));
    expect(kindsIn(last.objects)).toEqual([]);
    expect(() => dashboardIn(last)).toThrow('no dashboard');
    expect(first.conditions.find(({ type }) => type === 'MonitoringReady')).toMatchObject({ reason: 'Off' });
    const declared = last.objects.find(({ metadata }) => metadata.name === 'idns-watched-declared');
    expect(JSON.parse(declared?.data['declaration.json'])).toMatchObject({ optional: [] });
  });
});

describe('the PodMonitor', () => {
  const monitorOf = (changes = {}) => {
    const [, last] = rendered(watched(changes));
    return { monitor: objectOf(last, 'PodMonitor')!, pods: objectOf(last, 'StatefulSet')! };
  };

  const allPorts = ({ spec }: KubernetesObject): string[] => {
    const { initContainers, containers } = spec.template.spec;
    return [...initContainers, ...containers].flatMap(({ ports = [] }) =>
      ports.map(({ name }: { name: string }) => name),
    );
  };

  test.each<[string, Spec, string[]]>([
    ['one ExternalDNS', {}, ['http', 'discovery']],
    [
      'one for each namespace',
      { discovery: { namespaces: ['a', 'b', 'c'] } },
      ['http', 'discovery', 'discovery-2', 'discovery-3'],
    ],
    ['none', { discovery: { sources: [] } }, ['http']],
  ])('scrapes the agent and each ExternalDNS: %s', (_, changes, ports) => {
    const { monitor, pods } = monitorOf(changes);
    expect(monitor.spec.podMetricsEndpoints.map(({ port }: { port: string }) => port)).toEqual(ports);
    // Every port of the pod except DNS serves metrics.
    expect(
      allPorts(pods)
        .filter((name) => !name.startsWith('dns'))
        .sort(),
    ).toEqual([...ports].sort());
  });

  test('selects the pods of its own instance, and labels their metrics with it', () => {
    const { monitor, pods } = monitorOf({ monitoring: { enabled: true, interval: '1.5s', labels: { team: 'net' } } });
    expect(monitor.spec.selector.matchLabels).toEqual(pods.spec.selector.matchLabels);
    expect(monitor.metadata).toMatchObject({
      name: 'idns-watched',
      namespace: 'internal-dns',
      labels: { team: 'net', 'app.kubernetes.io/instance': 'watched' },
    });
    expect(monitor.spec.podMetricsEndpoints[0]).toEqual({
      port: 'http',
      path: '/metrics',
      interval: '1500ms',
      relabelings: [{ action: 'replace', targetLabel: 'internaldns', replacement: 'watched' }],
    });
  });

  test.each([
    ['30s', '30s'],
    ['1m', '60s'],
    ['0.5m1.25s', '31250ms'],
    ['2s500ms', '2500ms'],
  ])('has durations in the notation of Prometheus: %s', (go, prometheus) => {
    expect(prometheusDuration(go)).toBe(prometheus);
    // https://github.com/prometheus-operator/prometheus-operator/blob/v0.93.0/pkg/apis/monitoring/v1/types.go
    expect(prometheus).toMatch(
      /^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$/,
    );
  });
});

/** Metrics of the agent, PowerDNS and ExternalDNS, with the labels that select them. */
const selected = (expr: string) =>
  [...expr.matchAll(/\b(internal_dns|pdns_auth|process|external_dns|dnsdist)_[a-z0-9_]+(\{[^}]*\})?/g)].map(
    ([all]) => all,
  );

describe('the alerts', () => {
  const alerts = alertsIn(rendered(watched({ resolver: {} }))[1]);

  test('select one instance only', () => {
    for (const { expr } of alerts) {
      expect(selected(expr)).not.toEqual([]);
      for (const selector of selected(expr)) expect(selector).toContain('{internaldns="watched"');
    }
  });

  test('have a severity, their instance and a runbook', () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert, labels, annotations } of alerts) {
      expect(labels).toEqual({
        severity: expect.stringMatching(/^(critical|warning)$/),
        internaldns: 'watched',
        namespace: 'internal-dns',
      });
      expect(annotations.summary).toContain('InternalDNS watched');
      expect(annotations.runbook_url).toBe(
        `https://github.com/internal-dns/internal-dns-xp/blob/main/docs/troubleshooting.md#${anchorOf(alert)}`,
      );
    }
  });

  test('link to an entry of docs/troubleshooting.md each', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/troubleshooting.md'), 'utf8');
    const entries = [...page.matchAll(/^#+ Alert: (\w+)$/gm)].map(([, alert]) => alert);
    expect(entries.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  test.each<[string, Spec, string[]]>([
    [
      'of discovery are left out where there is none',
      { discovery: { sources: [] } },
      [
        'InternalDNSAnticipationSuspended',
        'InternalDNSDeletesHeld',
        'InternalDNSDiscoveryStalled',
        'InternalDNSNamesUnresolved',
        'InternalDNSNotUpdating',
        'InternalDNSSlowPropagation',
      ],
    ],
    [
      'of the resolver are left out without one',
      { resolver: undefined },
      [
        'InternalDNSCertificateExpires',
        'InternalDNSCertificateMissing',
        'InternalDNSNotForwarding',
        'InternalDNSResolverDrops',
        'InternalDNSUpstreamDown',
      ],
    ],
    ['of replicas are left out for a single one', { replicas: 1 }, ['InternalDNSReplicaAbsent']],
    [
      'of slowness are left out where slow cannot be told from usual',
      { discovery: { interval: '2m' } },
      ['InternalDNSSlowPropagation'],
    ],
  ])('%s', (_, changes, absent) => {
    const present = alertsIn(rendered(watched({ resolver: {}, ...changes }))[1]).map(({ alert }) => alert);
    const missing = alerts.map(({ alert }) => alert).filter((alert) => !present.includes(alert));
    expect(missing.sort()).toEqual(absent);
  });
});

describe('the dashboard', () => {
  const { object, dashboard } = dashboardIn(rendered(watched({ resolver: {} }))[1]);
  const { panels } = dashboard;

  test('has the label that Grafana watches, and its own file', () => {
    expect(object.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    expect(Object.keys(object.data)).toEqual(['idns-watched.json']);
    expect(dashboard).toMatchObject({
      title: 'Internal DNS: watched',
      uid: expect.stringMatching(/^[-a-z0-9]{1,40}$/),
    });
    const other = dashboardIn(rendered({ ...watched(), metadata: { name: 'other' } })[1]).dashboard;
    expect(other.uid).not.toBe(dashboard.uid);
  });

  test('may have another label, for another Grafana', () => {
    const labels = { grafana_dashboard: 'net' };
    const { object } = dashboardIn(rendered(watched({ monitoring: { enabled: true, labels } }))[1]);
    expect(object.metadata.labels).toMatchObject(labels);
  });

  test('shows the selected instance of the selected data source', () => {
    const { list } = dashboard.templating as { list: { name: string; current: { value?: string } }[] };
    expect(list.map(({ name, current }) => [name, current.value])).toEqual([
      ['datasource', undefined],
      ['internaldns', 'watched'],
    ]);
    for (const { targets } of panels) {
      for (const { expr, datasource } of targets) {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in.
        expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
        for (const selector of selected(expr)) expect(selector).toContain('{internaldns="$internaldns"');
      }
    }
  });

  test('has rates over an interval that is long enough for Prometheus', () => {
    const slow = dashboardIn(rendered(watched({ monitoring: { enabled: true, interval: '1m' } }))[1]).dashboard;
    const intervals = slow.panels.flatMap(({ targets }) => targets.map(({ interval }) => interval));
    expect([...new Set(intervals)]).toEqual(['60s']);
  });

  test('has panels that do not overlap, each with its own id', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});
