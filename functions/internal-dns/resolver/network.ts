import type { k8s } from 'cdk8s-plus-28';
import { resolverPorts, selectorLabels } from '../names.ts';
import { port } from '../server/network.ts';
import type { Spec } from '../spec.ts';
import type { Resolver } from './settings.ts';

/**
 * The traffic that the resolver's NetworkPolicy allows: DNS from everywhere, as dnsdist itself knows who may ask, the
 * agents' port from agents, and metrics from them and from monitoring.
 */
export function ingressOf(composite: string, { monitoring }: Spec, resolver: Resolver): k8s.NetworkPolicyIngressRule[] {
  const { enabled, namespaceSelector = enabled ? {} : undefined } = monitoring;
  const agents: k8s.NetworkPolicyPeer = { podSelector: { matchLabels: selectorLabels(composite) } };
  return [
    {
      ports: [
        port('UDP', resolverPorts.dns),
        port('TCP', resolverPorts.dns),
        ...(resolver.doT ? [port('TCP', resolverPorts.dot)] : []),
        ...(resolver.doH ? [port('TCP', resolverPorts.doh)] : []),
      ],
    },
    { from: [agents], ports: [port('UDP', resolverPorts.agents), port('TCP', resolverPorts.agents)] },
    {
      from: [agents, ...(namespaceSelector ? [{ namespaceSelector }] : [])],
      ports: [port('TCP', resolverPorts.metrics)],
    },
  ];
}
