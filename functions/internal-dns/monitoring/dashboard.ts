import { shortDigest } from '../../contract/digest.ts';
import { datasource, layOut, type Panel } from './panel.ts';
import { rowsOf } from './panels.ts';
import { instanceLabel } from './pod-monitor.ts';
import { prometheusDuration } from './settings.ts';

/** Grafana's classic JSON model: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
export interface Dashboard {
  title: string;
  uid: string;
  panels: Panel[];
  [field: string]: unknown;
}

/** Opens with this instance selected; shows any other that Prometheus has metrics of. */
export function dashboardOf(composite: string, interval: string, hasResolver = false): Dashboard {
  return {
    // Grafana identifies a dashboard by its uid, also in links, and allows 40 characters.
    uid: `idns-${shortDigest(composite)}`,
    title: `Internal DNS: ${composite}`,
    tags: ['dns', 'internal-dns'],
    // That of Grafana 12. Later versions migrate it.
    schemaVersion: 41,
    version: 1,
    editable: true,
    graphTooltip: 1,
    time: { from: 'now-6h', to: 'now' },
    refresh: '30s',
    annotations: { list: [] },
    templating: { list: variables(composite) },
    panels: layOut(rowsOf(hasResolver), prometheusDuration(interval)),
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
