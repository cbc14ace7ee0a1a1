/** What the Prometheus operator 0.93 takes, as far as it is composed: https://prometheus-operator.dev/docs/api-reference/api/ */
import * as z from 'zod';

const metadata = z.looseObject({ name: z.string(), namespace: z.string() });
const apiVersion = z.literal('monitoring.coreos.com/v1');
const texts = z.record(z.string(), z.string());
const duration = z.string().regex(/^(0|(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$/);

const relabeling = z.strictObject({ action: z.literal('replace'), targetLabel: z.string(), replacement: z.string() });

const podMonitor = z.strictObject({
  apiVersion,
  kind: z.literal('PodMonitor'),
  metadata,
  spec: z.strictObject({
    selector: z.strictObject({ matchLabels: texts }),
    podMetricsEndpoints: z
      .array(
        z.strictObject({
          port: z.string(),
          path: z.string(),
          interval: duration,
          relabelings: z.array(relabeling),
        }),
      )
      .min(1),
  }),
});

const prometheusRule = z.strictObject({
  apiVersion,
  kind: z.literal('PrometheusRule'),
  metadata,
  spec: z.strictObject({
    groups: z.array(
      z.strictObject({
        name: z.string().min(1),
        rules: z.array(
          z.strictObject({ alert: z.string(), expr: z.string(), for: duration, labels: texts, annotations: texts }),
        ),
      }),
    ),
  }),
});

/** A schema as a library of Kubernetes' kinds would have it. */
const modelOf = (schema: z.ZodType) =>
  class {
    readonly #object: unknown;
    constructor(object: unknown) {
      this.#object = object;
    }
    validate(): void {
      schema.parse(this.#object);
    }
  };

export const PodMonitor = modelOf(podMonitor);
export const PrometheusRule = modelOf(prometheusRule);
