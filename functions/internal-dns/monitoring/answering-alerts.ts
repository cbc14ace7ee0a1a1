import type { Report, Resolution } from '../../contract/report.ts';
import { type AlertSpec, selectorOf } from './alert.ts';

const unanswered: Resolution['state'][] = ['NotAnswering', 'Unreachable'];
const failed: Report['zones'][number]['state'] = 'Failed';

/** Replacing a pod takes up to a minute, and Prometheus half a minute to notice: five minutes are longer than a restart. */
export function answering(composite: string, replicas: number): AlertSpec[] {
  const series = selectorOf(composite);
  const resolution = series('internal_dns_resolution');
  const rate = (metric: string) => `sum(rate(${series(metric)}[5m]))`;
  const absent: AlertSpec = {
    alert: 'InternalDNSAbsent',
    expr: `absent(${resolution})`,
    for: '5m',
    severity: 'critical',
    summary: `Prometheus gets no metrics from InternalDNS ${composite}`,
    description: `Prometheus has scraped no pod of ${composite} for 5 minutes, so whether names are answered is unknown: no pod is running, or Prometheus cannot reach port 8080. Check the pods, the targets of Prometheus, monitoring.labels and monitoring.namespaceSelector.`,
  };
  const replicaAbsent: AlertSpec = {
    alert: 'InternalDNSReplicaAbsent',
    expr: `count(count by (pod) (${resolution})) < ${replicas}`,
    for: '15m',
    severity: 'warning',
    summary: `InternalDNS ${composite} has {{ $value }} of ${replicas} replicas`,
    description: `Prometheus has scraped fewer than ${replicas} pods of ${composite} for 15 minutes. The others answer, but losing one more may stop the service. kubectl describe pod says why one is missing: it cannot be scheduled, its volume cannot be attached, or its image cannot be pulled.`,
  };
  return [
    absent,
    ...(replicas > 1 ? [replicaAbsent] : []),
    {
      alert: 'InternalDNSNotAnswering',
      expr: `max by (pod, state) (${series('internal_dns_resolution', { state: unanswered })}) == 1`,
      for: '2m',
      severity: 'critical',
      summary: `Clients of InternalDNS ${composite} get no answers from {{ $labels.pod }}`,
      description: `The self-test of {{ $labels.pod }} reports {{ $labels.state }}. NotAnswering: PowerDNS does not answer; check the log of the container powerdns. Unreachable: it answers in the pod, but not through its Service; check EndpointSlices, NetworkPolicies and kube-proxy.`,
    },
    {
      alert: 'InternalDNSZoneFailed',
      expr: `max by (zone) (${series('internal_dns_zone_state', { state: [failed] })}) == 1`,
      for: '5m',
      severity: 'warning',
      summary: `Zone {{ $labels.zone }} of InternalDNS ${composite} is not served as declared`,
      description: `PowerDNS rejects zone {{ $labels.zone }} or does not answer for it. Correct what the condition ZonesReady names: kubectl describe internaldns ${composite}`,
    },
    {
      alert: 'InternalDNSServerFailures',
      expr: `${rate('pdns_auth_servfail_packets')} / (${rate('pdns_auth_udp_queries')} + ${rate('pdns_auth_tcp_queries')}) > 0.05`,
      for: '10m',
      severity: 'warning',
      summary: `InternalDNS ${composite} answers {{ $value | humanizePercentage }} of queries with SERVFAIL`,
      description: `More than 5% of the responses of ${composite} have been SERVFAIL for 10 minutes: PowerDNS cannot read its database, sign a zone, or resolve the target of an ALIAS. The log of the container powerdns says which.`,
    },
    ...overload(composite),
  ];
}

/** PowerDNS bounds the cost of queries, but not their number. */
function overload(composite: string): AlertSpec[] {
  const series = selectorOf(composite);
  const rate = (metric: string) => `sum by (pod) (rate(${series(metric)}[5m]))`;
  // Not pdns_auth_latency, which averages the last thousand answers, however old they are.
  const median = `histogram_quantile(0.5, sum by (pod, le) (rate(${series('internal_dns_canary_seconds_bucket', { way: ['pod'] })}[10m])))`;
  return [
    {
      alert: 'InternalDNSOverloaded',
      expr: `${rate('pdns_auth_overload_drops')} + ${rate('pdns_auth_timedout_packets')} > 1 or max by (pod) (avg_over_time(${series('pdns_auth_qsize_q')}[5m])) > 100`,
      for: '5m',
      severity: 'warning',
      summary: `InternalDNS ${composite} gets more queries than {{ $labels.pod }} can answer`,
      description: `For 5 minutes {{ $labels.pod }} has had more than 100 queries waiting, or has dropped more than one a second: names that are not in its cache get no answer at the first try. If the query rate is high, find the client that floods it; if not, raise resources.powerdns.requests.cpu.`,
    },
    {
      alert: 'InternalDNSSlowAnswers',
      expr: `${median} > 0.1`,
      for: '10m',
      severity: 'warning',
      summary: `InternalDNS ${composite} takes {{ $value | humanizeDuration }} to answer a query in {{ $labels.pod }}`,
      description: `For 10 minutes the median of the agent's own queries to PowerDNS in {{ $labels.pod }}, with no network in between, has been above 100 ms: too many queries, too little CPU, or a slow volume. Check the query rate, the CPU limit in resources.powerdns and the volume.`,
    },
  ];
}
