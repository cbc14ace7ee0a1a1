import type { Report, Resolution } from '../../contract/report.ts';
import { type Sketch, selectorOf } from './alert.ts';

const unanswered: Resolution['state'][] = ['NotAnswering', 'Unreachable'];
const failed: Report['zones'][number]['state'] = 'Failed';

/** A pod takes up to a minute to be replaced, and Prometheus half of one to see it: five minutes are no restart. */
export function answering(composite: string, replicas: number): Sketch[] {
  const of = selectorOf(composite);
  const resolution = of('internal_dns_resolution');
  const rate = (metric: string) => `sum(rate(${of(metric)}[5m]))`;
  const absent: Sketch = {
    alert: 'InternalDNSAbsent',
    expr: `absent(${resolution})`,
    for: '5m',
    severity: 'critical',
    summary: `Prometheus sees no server of InternalDNS ${composite}`,
    description: `No pod of ${composite} has given metrics for 5 minutes: there is none, or Prometheus does not reach it, and nobody can say whether names are answered.`,
  };
  const replicaAbsent: Sketch = {
    alert: 'InternalDNSReplicaAbsent',
    expr: `count(count by (pod) (${resolution})) < ${replicas}`,
    for: '15m',
    severity: 'warning',
    summary: `InternalDNS ${composite} has {{ $value }} of ${replicas} servers`,
    description: `For 15 minutes Prometheus has not seen all ${replicas} pods of ${composite}: the loss of another one may be the last.`,
  };
  return [
    absent,
    ...(replicas > 1 ? [replicaAbsent] : []),
    {
      alert: 'InternalDNSNotAnswering',
      expr: `max by (pod, state) (${of('internal_dns_resolution', { state: unanswered })}) == 1`,
      for: '2m',
      severity: 'critical',
      summary: `Clients of InternalDNS ${composite} get no answers from {{ $labels.pod }}`,
      description: `The test of {{ $labels.pod }} says {{ $labels.state }}: NotAnswering means that PowerDNS itself is silent, Unreachable that it answers in the pod and not through the Service.`,
    },
    {
      alert: 'InternalDNSZoneFailed',
      expr: `max by (zone) (${of('internal_dns_zone_state', { state: [failed] })}) == 1`,
      for: '5m',
      severity: 'warning',
      summary: `Zone {{ $labels.zone }} of InternalDNS ${composite} is not served as declared`,
      description: `PowerDNS does not take or does not answer zone {{ $labels.zone }}; the reason is in the status: kubectl get internaldns ${composite} -o yaml`,
    },
    {
      alert: 'InternalDNSServerFailures',
      expr: `${rate('pdns_auth_servfail_packets')} / (${rate('pdns_auth_udp_queries')} + ${rate('pdns_auth_tcp_queries')}) > 0.05`,
      for: '10m',
      severity: 'warning',
      summary: `InternalDNS ${composite} answers {{ $value | humanizePercentage }} of the questions with SERVFAIL`,
      description: `For 10 minutes more than one answer in twenty of ${composite} has been SERVFAIL: PowerDNS cannot read its database, sign a zone, or resolve what an ALIAS stands for.`,
    },
    ...overload(composite),
  ];
}

/** More questions than PowerDNS can answer: it bounds what they cost, and not how many there are. */
function overload(composite: string): Sketch[] {
  const of = selectorOf(composite);
  const rate = (metric: string) => `sum by (pod) (rate(${of(metric)}[5m]))`;
  // Not pdns_auth_latency, which is an average of the last thousand answers, however old.
  const median = `histogram_quantile(0.5, sum by (pod, le) (rate(${of('internal_dns_canary_seconds_bucket', { way: ['pod'] })}[10m])))`;
  return [
    {
      alert: 'InternalDNSOverloaded',
      expr: `${rate('pdns_auth_overload_drops')} + ${rate('pdns_auth_timedout_packets')} > 1 or max by (pod) (avg_over_time(${of('pdns_auth_qsize_q')}[5m])) > 100`,
      for: '5m',
      severity: 'warning',
      summary: `InternalDNS ${composite} is asked more than {{ $labels.pod }} can answer`,
      description: `For 5 minutes {{ $labels.pod }} has had more than 100 questions waiting, or has dropped some every second: names that were not asked for a moment ago get no answer at the first try. Somebody floods it, or it has too little CPU.`,
    },
    {
      alert: 'InternalDNSSlowAnswers',
      expr: `${median} > 0.1`,
      for: '10m',
      severity: 'warning',
      summary: `InternalDNS ${composite} takes {{ $value | humanizeDuration }} for an answer in {{ $labels.pod }}`,
      description: `For 10 minutes every other of the agent's own questions to PowerDNS in {{ $labels.pod }} has taken longer than 100 ms, without a network between them: too many questions, too little CPU, or a slow volume.`,
    },
  ];
}
