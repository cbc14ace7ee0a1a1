import type { Condition } from '../../cdk8s-function-xp/composition.ts';
import type { Report } from '../../contract/report.ts';
import { no, yes } from '../condition.ts';
import type { Spec } from '../spec.ts';
import { kinds, servedIn } from './kind.ts';

/** Does not affect whether the composite is ready: names are served without monitoring. */
export function monitoringReady({ monitoring }: Spec, reports: readonly (Report | undefined)[]): Condition {
  const type = 'MonitoringReady';
  if (!monitoring.enabled)
    return yes(type, 'Off', 'monitoring.enabled is false: this server has no PodMonitor, PrometheusRule or dashboard');
  // Reports from before monitoring was enabled have no kinds.
  if (reports.every((report) => report?.served === undefined)) {
    return no(type, 'Waiting', 'no agent has reported yet whether the cluster serves PodMonitor and PrometheusRule');
  }
  const served = servedIn(reports);
  const missing = kinds.filter((kind) => !served.includes(kind));
  if (missing.length === 0) return yes(type, 'Composed');
  return no(
    type,
    'CRDsMissing',
    `the cluster does not serve ${missing.join(' and ')}: install the CRDs of the Prometheus operator, and the objects follow within a minute; the dashboard and everything else work without them`,
  );
}
