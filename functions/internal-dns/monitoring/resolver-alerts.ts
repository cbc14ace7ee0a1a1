import { certificateWarningDays } from '../../contract/report.ts';
import { upstreamNames } from '../resolver/backends.ts';
import { type AlertSpec, selectorOf } from './alert.ts';

/** Of the resolver: own names have alerts of their own, whoever is asked for them. */
export function resolving(composite: string): AlertSpec[] {
  const series = selectorOf(composite);
  const rate = (metric: string) => `sum by (pod) (rate(${series(metric)}[5m]))`;
  return [
    {
      alert: 'InternalDNSNotForwarding',
      expr: `min by (pod) (${series('internal_dns_resolver_forwarding')}) == 0`,
      for: '2m',
      severity: 'critical',
      summary: `The resolver of InternalDNS ${composite} does not answer for names elsewhere`,
      description: `For 2 minutes a pod of the resolver has not answered the question in resolver.forward.check, as the agent in {{ $labels.pod }} sees it: its clients reach nothing but the own names. The condition ResolverReady says why: kubectl describe internaldns ${composite}`,
    },
    {
      alert: 'InternalDNSUpstreamDown',
      expr: `min by (address) (${series('dnsdist_server_status', { server: [upstreamNames] })}) == 0`,
      for: '5m',
      severity: 'warning',
      summary: `Upstream {{ $labels.address }} gives the resolver of InternalDNS ${composite} no answers`,
      description: `A pod of the resolver has had no answer from {{ $labels.address }} for 5 minutes, and asks the other upstreams only. Check the upstream, its tlsName, and whether the pods can reach it.`,
    },
    {
      alert: 'InternalDNSResolverDrops',
      expr: `${rate('dnsdist_server_drops')} / ${rate('dnsdist_queries')} > 0.05`,
      for: '5m',
      severity: 'warning',
      summary: `The resolver of InternalDNS ${composite} leaves {{ $value | humanizePercentage }} of questions in {{ $labels.pod }} without an answer`,
      description: `For 5 minutes more than 5% of the questions to {{ $labels.pod }} got no answer from the server or an upstream in time. dnsdist_server_drops says from which: one that is overloaded, or a network that loses packets.`,
    },
    {
      alert: 'InternalDNSCertificateMissing',
      expr: `min by (certificate) (${series('internal_dns_resolver_certificate_shown')}) == 0`,
      for: '5m',
      severity: 'critical',
      summary: `The resolver of InternalDNS ${composite} shows no certificate for resolver.{{ $labels.certificate }}`,
      description: `For 5 minutes a pod of the resolver has shown no certificate, so its clients over TLS or HTTPS get no answers. The condition ResolverReady says which Secret is missing or has no valid certificate: kubectl describe internaldns ${composite}`,
    },
    {
      alert: 'InternalDNSCertificateExpires',
      expr: `min by (certificate) (${series('internal_dns_resolver_certificate_expiry_timestamp_seconds')}) - time() < ${certificateWarningDays} * 86400`,
      for: '15m',
      severity: 'warning',
      summary: `The certificate of resolver.{{ $labels.certificate }} of InternalDNS ${composite} expires in {{ $value | humanizeDuration }}`,
      description: `Then clients trust the resolver no more over TLS or HTTPS. Renew the certificate in the Secret that resolver.{{ $labels.certificate }} names; the pods use it within two minutes. If it is renewed already, see their log.`,
    },
  ];
}
