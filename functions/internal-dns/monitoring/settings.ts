import * as z from 'zod';
import { durationOf, seconds, withRules } from '../../contract/rules.ts';
import { labelSelector, labelsOf } from '../../contract/selector-schema.ts';

const labels = withRules(labelsOf('labels'), {
  cel: "self.all(k, !k.startsWith('app.kubernetes.io/'))",
  holds: (map) => Object.keys(map).every((key) => !key.startsWith('app.kubernetes.io/')),
  message: 'labels must not use app.kubernetes.io/*: they identify the instance; use another prefix',
})
  .default({})
  .describe(
    'Additional labels of the PodMonitor, the PrometheusRule and the dashboard, by which Prometheus and Grafana select them.',
  );

export const monitoring = z
  .object({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        'Whether to create a PodMonitor, a PrometheusRule and a Grafana dashboard. The first two require the CRDs of the Prometheus operator.',
      ),
    labels,
    namespaceSelector: labelSelector
      .optional()
      .describe(
        'Selects the namespaces whose pods can reach the metrics, and the status page on the same port. {} selects every namespace. Defaults to every namespace if monitoring is enabled, otherwise to none.',
      ),
    // Prometheus drops a sample after five minutes, and the alerts use rates over five minutes.
    interval: durationOf('interval', '1s', '1m').default('30s').describe('Scrape interval of Prometheus.'),
  })
  .prefault({})
  .describe('Metrics, alerts and a dashboard.');

/** Converts a Go duration to Prometheus' format, which has no fractions and a fixed order of units. */
export function prometheusDuration(duration: string): string {
  const milliseconds = Math.round(seconds(duration) * 1000);
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}
