import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Instance } from '../instance.ts';
import { alertsOf } from './alerts.ts';
import { dashboardOf } from './dashboard.ts';
import { apiVersion, type Kind } from './kind.ts';
import { podMonitor, resolverMonitor } from './pod-monitor.ts';

export interface MonitoringProps extends Instance {
  /** Kinds that the cluster serves: composing any other would block the whole composite. */
  kinds: readonly Kind[];
}

/** The PodMonitors, PrometheusRule and Grafana dashboard of one instance. */
export class Monitoring extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels, kinds }: MonitoringProps) {
    super(scope, id);
    const { enabled, labels: more, interval } = spec.monitoring;
    if (!enabled) return;
    const metadata = { name: names.server, namespace: spec.namespace, labels: { ...more, ...labels } };
    const specs: Record<Kind, () => object> = {
      PodMonitor: () => podMonitor({ spec, names }),
      PrometheusRule: () => ({ groups: [{ name: names.server, rules: alertsOf({ spec, names }) }] }),
    };
    for (const kind of kinds)
      new ApiObject(this, kind.toLowerCase(), { apiVersion, kind, metadata, spec: specs[kind]() });
    if (spec.resolver && kinds.includes('PodMonitor')) {
      new ApiObject(this, 'podmonitor-resolver', {
        ...{ apiVersion, kind: 'PodMonitor' satisfies Kind },
        metadata: { ...metadata, name: names.resolver },
        spec: resolverMonitor({ spec, names }),
      });
    }
    const dashboard = dashboardOf(names.composite, interval, spec.resolver !== undefined);
    new k8s.KubeConfigMap(this, 'dashboard', {
      metadata: {
        ...metadata,
        name: `${names.server}-dashboard`,
        // The default label of the sidecar in Grafana's chart: https://github.com/grafana/helm-charts/tree/main/charts/grafana
        labels: { grafana_dashboard: '1', ...metadata.labels },
      },
      // The sidecar writes all dashboards into one folder, so the file name must be unique.
      data: { [`${names.server}.json`]: `${JSON.stringify(dashboard, undefined, 2)}\n` },
    });
  }
}
