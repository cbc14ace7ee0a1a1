import { seconds } from '../../contract/rules.ts';
import { intervalOf } from '../discovery/anticipation.ts';
import type { Names } from '../names.ts';
import type { Spec } from '../spec.ts';
import type { Alert } from './alert.ts';
import { answering } from './answering-alerts.ts';
import { discovering } from './discovery-alerts.ts';
import { instanceLabel } from './pod-monitor.ts';
import { resolving } from './resolver-alerts.ts';

const runbooks = 'https://github.com/internal-dns/internal-dns-xp/blob/main/docs/troubleshooting.md';

/** The alerts of one instance. Without sources there are none about discovery, and without a resolver none about it. */
export function alertsOf({ spec, names }: { spec: Spec; names: Names }): Alert[] {
  const { namespace, replicas, discovery, resolver } = spec;
  const { composite } = names;
  const alerts = [
    ...answering(composite, replicas),
    ...(resolver ? resolving(composite) : []),
    ...(discovery.sources.length > 0 ? discovering(composite, seconds(intervalOf(discovery))) : []),
  ];
  return alerts.map(({ alert, expr, for: duration, severity, summary, description }) => ({
    alert,
    expr,
    for: duration,
    // By default an AlertmanagerConfig matches only alerts whose namespace label is its own namespace.
    labels: { severity, [instanceLabel]: composite, namespace },
    annotations: { summary, description, runbook_url: `${runbooks}#${anchorOf(alert)}` },
  }));
}

/** GitHub's anchor of the heading `Alert: NAME`. */
export const anchorOf = (alert: string) => `alert-${alert.toLowerCase()}`;
