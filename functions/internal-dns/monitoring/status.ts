import type { Condition } from '../../cdk8s-function-xp/composition.ts';
import type { Report } from '../../contract/report.ts';
import { no, yes } from '../condition.ts';
import type { Spec } from '../spec.ts';
import { kinds, servedIn } from './kind.ts';

/** Never holds back whether the composite is ready: names are served without anybody watching. */
export function monitoringReady({ monitoring }: Spec, reports: readonly (Report | undefined)[]): Condition {
  const type = 'MonitoringReady';
  if (!monitoring.enabled)
    return yes(type, 'Off', 'monitoring.enabled is false: Prometheus is told nothing of this server');
  // A report from before this was asked for speaks of no kinds at all.
  if (reports.every((report) => report?.served === undefined)) {
    return no(type, 'Waiting', 'no agent has said yet whether the cluster serves PodMonitor and PrometheusRule');
  }
  const served = servedIn(reports);
  const missing = kinds.filter((kind) => !served.includes(kind));
  if (missing.length === 0) return yes(type, 'Composed');
  return no(
    type,
    'CRDsMissing',
    `the cluster does not serve ${missing.join(' and ')}: install the CRDs of the Prometheus operator, and within a minute the rest follows; the dashboard is there, and everything else works without`,
  );
}
