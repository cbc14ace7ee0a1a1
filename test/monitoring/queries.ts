/** The queries of a dashboard, as Grafana would send them. Also for a Prometheus that watches a real cluster. */
import type { Dashboard } from '../../functions/internal-dns/monitoring/dashboard.ts';
import type { Panel } from '../../functions/internal-dns/monitoring/panel.ts';
import type { PrometheusAPI } from './prometheus.ts';

export interface Query {
  panel: Panel;
  /** PromQL without a variable in it. */
  expr: string;
  legend: string;
}

export interface Variables {
  /** The name of the InternalDNS. */
  internaldns: string;
  /** At least four times the interval at which Prometheus asks, such as 4s. */
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

/** Those that give nothing, or only what is no number, each with its panel. */
export async function emptyQueries(prometheus: PrometheusAPI, queries: Query[]): Promise<string[]> {
  const time = await prometheus.complete();
  const results = await Promise.all(queries.map(({ expr }) => prometheus.query(expr, time)));
  return queries.flatMap(({ panel, expr }, index) => {
    const isThere = results[index]?.some(({ value }) => Number.isFinite(Number(value[1])));
    return isThere ? [] : [`${panel.title}: ${expr}`];
  });
}
