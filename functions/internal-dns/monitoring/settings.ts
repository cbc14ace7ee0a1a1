import * as z from 'zod';
import { labelSelector, labelsOf } from '../discovery/label-selector.ts';
import { durationOf, seconds, withRules } from '../rules.ts';

const labels = withRules(labelsOf('labels'), {
  cel: "self.all(k, !k.startsWith('app.kubernetes.io/'))",
  holds: (map) => Object.keys(map).every((key) => !key.startsWith('app.kubernetes.io/')),
  message: 'labels must not use app.kubernetes.io/*: those say whose the objects are',
})
  .default({})
  .describe('Labels of these objects, by which Prometheus and Grafana select them.');

export const monitoring = z
  .object({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        "Whether there are a PodMonitor and a PrometheusRule, for which the cluster needs the Prometheus operator's CRDs, and a Grafana dashboard.",
      ),
    labels,
    namespaceSelector: labelSelector
      .optional()
      .describe(
        'The namespaces whose pods reach the metrics, and the status page on the same port; {} is every namespace. Default: with enabled every namespace, without none.',
      ),
    // Prometheus forgets a value after five minutes, and the rules look at rates over five.
    interval: durationOf('interval', '1s', '1m').default('30s').describe('How often Prometheus asks.'),
  })
  .prefault({})
  .describe('Metrics, alerts and a dashboard.');

/** A duration as Prometheus takes it, which knows no fractions and one order of the units. */
export function prometheusDuration(duration: string): string {
  const milliseconds = Math.round(seconds(duration) * 1000);
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}
