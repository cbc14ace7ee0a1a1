/** Minimal CRDs of the kinds of the Prometheus operator that are composed. */
import { scenarioLabel } from './objects.ts';

export const group = 'monitoring.coreos.com';

const kinds = { podmonitors: 'PodMonitor', prometheusrules: 'PrometheusRule' };

export const plurals = Object.keys(kinds);

export const definitions = Object.entries(kinds).map(([plural, kind]) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  // It stays for the rest of the run, because other instances may have composed such objects.
  metadata: { name: `${plural}.${group}`, labels: { [scenarioLabel]: 'monitoring' } },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
      },
    ],
  },
}));
