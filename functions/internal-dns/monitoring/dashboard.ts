import { createHash } from 'node:crypto';
import { datasource, type Panel, placed } from './panel.ts';
import { rows } from './panels.ts';
import { instanceLabel } from './pod-monitor.ts';
import { prometheusDuration } from './settings.ts';

/** A dashboard of Grafana: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
export interface Dashboard {
  title: string;
  uid: string;
  panels: Panel[];
  [field: string]: unknown;
}

/** The dashboard shows any instance that Prometheus knows; it opens with this one. */
export function dashboardOf(composite: string, interval: string): Dashboard {
  return {
    // Grafana takes at most 40 characters, and finds the dashboard of links by it.
    uid: `idns-${createHash('sha256').update(composite).digest('hex').slice(0, 16)}`,
    title: `Internal DNS: ${composite}`,
    tags: ['dns', 'internal-dns'],
    // Grafana 12's; a later one brings it forward by itself.
    schemaVersion: 41,
    version: 1,
    editable: true,
    graphTooltip: 1,
    time: { from: 'now-6h', to: 'now' },
    refresh: '30s',
    annotations: { list: [] },
    templating: { list: variables(composite) },
    panels: placed(rows, prometheusDuration(interval)),
  };
}

function variables(composite: string): object[] {
  const query = `label_values(internal_dns_resolution, ${instanceLabel})`;
  return [
    { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, refresh: 1 },
    {
      name: instanceLabel,
      label: 'InternalDNS',
      type: 'query',
      datasource,
      definition: query,
      query: { query, refId: instanceLabel },
      current: { text: composite, value: composite },
      refresh: 2,
      sort: 1,
    },
  ];
}
