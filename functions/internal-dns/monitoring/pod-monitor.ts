import { type Names, resolverLabels, selectorLabels } from '../names.ts';
import { metricsPorts } from '../server/external-dns.ts';
import type { Spec } from '../spec.ts';
import { prometheusDuration } from './settings.ts';

/** Every series of an instance has this label; alerts and dashboard select by it. */
export const instanceLabel = 'internaldns';

/**
 * Not a ServiceMonitor: the agent is a native sidecar, whose ports Prometheus discovers through endpoints only since
 * 3.0: https://github.com/prometheus/prometheus/pull/14929
 */
export const podMonitor = ({ spec, names }: Instance) =>
  monitorOf(selectorLabels(names.composite), portsOf(spec), { spec, names });

/** The same for the pods of the resolver. */
export const resolverMonitor = ({ spec, names }: Instance) =>
  monitorOf(resolverLabels(names.composite), ['metrics'], { spec, names });

type Instance = { spec: Spec; names: Names };

function monitorOf(matchLabels: Record<string, string>, ports: string[], { spec, names }: Instance) {
  const interval = prometheusDuration(spec.monitoring.interval);
  const relabelings = [{ action: 'replace', targetLabel: instanceLabel, replacement: names.composite }];
  return {
    selector: { matchLabels },
    podMetricsEndpoints: ports.map((port) => ({ port, path: '/metrics', interval, relabelings })),
  };
}

/** The container ports with metrics: the agent, which passes on those of PowerDNS, and each ExternalDNS. */
function portsOf({ discovery }: Spec): string[] {
  return ['http', ...metricsPorts(discovery).map((_, index) => (index === 0 ? 'discovery' : `discovery-${index + 1}`))];
}
