/** The queries of a dashboard as Grafana sends them, and those of alerts. Also used with metrics of a real cluster. */
import type { Alert } from '../../functions/internal-dns/monitoring/alert.ts';
import type { Dashboard } from '../../functions/internal-dns/monitoring/dashboard.ts';
import type { Panel } from '../../functions/internal-dns/monitoring/panel.ts';
import type { PrometheusAPI, Series } from './prometheus.ts';

export interface Query {
  panel: Panel;
  /** PromQL with the variables replaced. */
  expr: string;
  legend: string;
}

export interface Variables {
  /** The name of the InternalDNS. */
  internaldns: string;
  /** At least four times the scrape interval, such as 4s. */
  rateInterval: string;
}

export function queriesOf({ panels }: Dashboard, { internaldns, rateInterval }: Variables): Query[] {
  return panels.flatMap((panel) =>
    panel.targets.map(({ expr, legendFormat }) => ({
      panel,
      expr: expr.replaceAll('$internaldns', internaldns).replaceAll('$__rate_interval', rateInterval),
      legend: legendFormat,
    })),
  );
}

/** The queries without a finite value, each with its panel. */
export async function emptyQueries(prometheus: PrometheusAPI, queries: Query[]): Promise<string[]> {
  const time = await prometheus.complete();
  const results = await Promise.all(queries.map(({ expr }) => prometheus.query(expr, time)));
  return queries.flatMap(({ panel, expr }, index) => {
    const hasValue = results[index]?.some(({ value }) => Number.isFinite(Number(value[1])));
    return hasValue ? [] : [`${panel.title}: ${expr}`];
  });
}

/** The alerts whose expression matches, each with the labels of the series that it matches. */
export async function matchingAlerts(
  prometheus: PrometheusAPI,
  alerts: readonly Pick<Alert, 'alert' | 'expr'>[],
): Promise<Record<string, Series['metric'][]>> {
  const time = await prometheus.complete();
  const results = await Promise.all(alerts.map(({ expr }) => prometheus.query(expr, time)));
  const all = alerts.map(({ alert }, index) => [alert, results[index]?.map(({ metric }) => metric) ?? []] as const);
  return Object.fromEntries(all.filter(([, series]) => series.length > 0));
}
