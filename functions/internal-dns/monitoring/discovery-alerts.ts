import { failedLoops, type Report, type Resolution } from '../../contract/report.ts';
import { type AlertSpec, selectorOf } from './alert.ts';

type Verdict = NonNullable<Report['names']>['problems'][number]['verdict'];

/** Pending names are counted only once they are overdue. Held ones have an alert of their own. */
const unresolved: Verdict[] = ['Pending', 'NoAddress', 'Duplicate', 'DeclaredElsewhere', 'ForeignRecord', 'Refused'];
const outdated: Resolution['state'][] = ['NotUpdating', 'Blind'];
const stalled: Resolution['state'] = 'Stalled';

/** A loop of ExternalDNS may take several intervals. */
export function discovering(composite: string, intervalSeconds: number): AlertSpec[] {
  const series = selectorOf(composite);
  const age = Math.max(60, intervalSeconds * 10);
  return [
    {
      alert: 'InternalDNSDiscoveryStalled',
      expr: `max by (pod) (${series('internal_dns_resolution', { state: [stalled] })}) == 1 or max by (pod) (${series('internal_dns_discovery_age_seconds')}) > ${age} or max by (pod) (${series('internal_dns_discovery_failed_loops')}) >= ${failedLoops}`,
      for: '2m',
      severity: 'warning',
      summary: `Changes of objects no longer reach the records of InternalDNS ${composite}`,
      description: `ExternalDNS in {{ $labels.pod }} has not completed a loop for more than ${age} seconds, or ${failedLoops} loops in a row have failed. Published records are still answered, but changes are not. The condition DiscoveryReady and the log of the container external-dns say why.`,
    },
    {
      alert: 'InternalDNSNotUpdating',
      expr: `max by (pod, state) (${series('internal_dns_resolution', { state: outdated })}) == 1`,
      for: '2m',
      severity: 'warning',
      summary: `InternalDNS ${composite} answers with outdated records`,
      description: `The self-test of {{ $labels.pod }} reports {{ $labels.state }}. NotUpdating: PowerDNS accepts no changes; check its log and whether its volume is full. Blind: the agent cannot reach the API server; check its log and the NetworkPolicies of the pod.`,
    },
    {
      alert: 'InternalDNSNamesUnresolved',
      expr: `max by (verdict) (${series('internal_dns_names', { verdict: unresolved })}) > 0`,
      for: '15m',
      severity: 'warning',
      summary: `Names that objects request from InternalDNS ${composite} do not resolve: {{ $value }} {{ $labels.verdict }}`,
      description: `They have had this verdict for 15 minutes. Which objects they belong to and how to fix each is in the status of ${composite}, in the events of the objects, and at /names.txt of the agent.`,
    },
    {
      alert: 'InternalDNSDeletesHeld',
      expr: `max(${series('internal_dns_delete_guard_held_names')}) > 0`,
      for: '1m',
      severity: 'warning',
      summary: `InternalDNS ${composite} still answers {{ $value }} names whose objects are gone or have lost their address`,
      description: `The delete guard keeps them, in case of a mistake or an outage. If it is one, restore the objects. If not, release the names as the verdict Held says (in the status and at /names.txt of the agent), or the condition DiscoveryReady if many vanished at once; otherwise they are deleted after discovery.deleteGuard.hold.`,
    },
    {
      alert: 'InternalDNSAnticipationSuspended',
      expr: `max by (kind) (${series('internal_dns_anticipation_suspended')}) == 1`,
      for: '1m',
      severity: 'warning',
      summary: `Changes of objects of kind {{ $labels.kind }} wait for ExternalDNS in InternalDNS ${composite}`,
      description:
        'Three times within an hour ExternalDNS asked for something else than the agent had published. Its word counts, and records are right, but for this kind they are as late as its next loop until the agent restarts. The log of the agent has both sides of each difference: please report them.',
    },
    ...slowness(composite, Math.max(30, intervalSeconds * 5)),
  ];
}

/** The largest finite bucket of the histogram, in seconds: a percentile above it cannot be measured. */
const longest = 600;

function slowness(composite: string, limit: number): AlertSpec[] {
  if (limit >= longest) return [];
  const series = selectorOf(composite);
  const bucket = `sum by (le) (rate(${series('internal_dns_propagation_seconds_bucket')}[30m]))`;
  return [
    {
      alert: 'InternalDNSSlowPropagation',
      // Fewer than five changes make no percentile.
      expr: `histogram_quantile(0.95, ${bucket}) > ${limit} and on () sum(increase(${series('internal_dns_propagation_seconds_count')}[30m])) >= 5`,
      for: '10m',
      severity: 'warning',
      summary: `InternalDNS ${composite} takes {{ $value | humanizeDuration }} to publish changes of objects`,
      description: `5% of the changes of the last 30 minutes took longer than that; up to ${limit} seconds are normal. The API server, ExternalDNS or PowerDNS is slow: check the CPU of the pod against its limits, and the metrics of ExternalDNS.`,
    },
  ];
}
