import { failedLoops, type Report, type Resolution } from '../../contract/report.ts';
import { type Sketch, selectorOf } from './alert.ts';

type Verdict = NonNullable<Report['names']>['problems'][number]['verdict'];

/**
 * Of the names that this server is to answer, those that need somebody: of the Pending only those are counted that take
 * too long. What is held has an alert of its own.
 */
const unresolved: Verdict[] = ['Pending', 'NoAddress', 'Duplicate', 'DeclaredElsewhere', 'ForeignRecord', 'Refused'];
const outdated: Resolution['state'][] = ['NotUpdating', 'Blind'];
const stalled: Resolution['state'] = 'Stalled';

/** ExternalDNS may take a few of its intervals for anything. */
export function discovering(composite: string, intervalSeconds: number): Sketch[] {
  const of = selectorOf(composite);
  const age = Math.max(60, intervalSeconds * 10);
  return [
    {
      alert: 'InternalDNSDiscoveryStalled',
      expr: `max by (pod) (${of('internal_dns_resolution', { state: [stalled] })}) == 1 or max by (pod) (${of('internal_dns_discovery_age_seconds')}) > ${age} or max by (pod) (${of('internal_dns_discovery_failed_loops')}) >= ${failedLoops}`,
      for: '2m',
      severity: 'warning',
      summary: `Objects of the cluster no longer change the records of InternalDNS ${composite}`,
      description: `ExternalDNS in {{ $labels.pod }} has not finished a loop for more than ${age} seconds, or the agent has failed to answer it three times in a row (the condition DiscoveryReady says why): what was published is answered, and nothing new is.`,
    },
    {
      alert: 'InternalDNSNotUpdating',
      expr: `max by (pod, state) (${of('internal_dns_resolution', { state: outdated })}) == 1`,
      for: '2m',
      severity: 'warning',
      summary: `InternalDNS ${composite} answers with what it had before`,
      description: `The test of {{ $labels.pod }} says {{ $labels.state }}: NotUpdating means that PowerDNS takes no changes, Blind that the cluster cannot be asked what it has.`,
    },
    {
      alert: 'InternalDNSNamesUnresolved',
      expr: `max by (verdict) (${of('internal_dns_names', { verdict: unresolved })}) > 0`,
      for: '15m',
      severity: 'warning',
      summary: `Names that objects ask InternalDNS ${composite} for do not resolve: {{ $value }} {{ $labels.verdict }}`,
      description: `They have been so for 15 minutes. Each with its object and what to do is in the status of ${composite}, in an event of the object, and at /names of the agent.`,
    },
    {
      alert: 'InternalDNSDeletesHeld',
      expr: `max(${of('internal_dns_delete_guard_held_names')}) > 0`,
      for: '1m',
      severity: 'warning',
      summary: `InternalDNS ${composite} still answers {{ $value }} names whose objects are gone or have no address`,
      description: `The delete guard holds them back, as it may be a mistake or an outage: names with the verdict Held in the status and at /names of the agent, and where many vanished at once in the condition DiscoveryReady. They go when discovery.deleteGuard.hold is over, or when somebody lets go: the verdict says how.`,
    },
    ...slowness(composite, Math.max(30, intervalSeconds * 5)),
  ];
}

/** The last bucket of the histogram: above it nothing can be told. Seconds. */
const longest = 600;

function slowness(composite: string, limit: number): Sketch[] {
  if (limit >= longest) return [];
  const of = selectorOf(composite);
  const bucket = `sum by (le) (rate(${of('internal_dns_propagation_seconds_bucket')}[30m]))`;
  return [
    {
      alert: 'InternalDNSSlowPropagation',
      // Of fewer than five changes there is no percentile.
      expr: `histogram_quantile(0.95, ${bucket}) > ${limit} and on () sum(increase(${of('internal_dns_propagation_seconds_count')}[30m])) >= 5`,
      for: '10m',
      severity: 'warning',
      summary: `Changes of objects take {{ $value | humanizeDuration }} to be answered by InternalDNS ${composite}`,
      description: `Of the last half hour's changes one in twenty took longer than that, where ${limit} seconds are ample: the cluster's API server, ExternalDNS or PowerDNS is slow.`,
    },
  ];
}
