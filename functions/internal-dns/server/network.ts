import { k8s } from 'cdk8s-plus-28';
import { ports, resolverName, selectorLabels } from '../names.ts';
import type { Spec } from '../spec.ts';
import { metricsPorts } from './external-dns.ts';

/**
 * The traffic that the NetworkPolicy allows: DNS from everywhere or, behind a resolver, only from the namespace's
 * resolvers and between agents; and other ports from the configured peers only. It does not affect kubelet's probes, which come from the node, or `kubectl port-forward`, which connects inside the pod.
 */
export function ingressOf(
  { discovery, monitoring, statusPage }: Spec,
  { behindResolver }: { behindResolver: string | undefined },
): k8s.NetworkPolicyIngressRule[] {
  const { enabled, namespaceSelector = enabled ? {} : undefined } = monitoring;
  const metrics = [ports.agent, ...metricsPorts(discovery)].map((each) => port('TCP', each));
  const rules = [
    {
      from: behindResolver === undefined ? undefined : resolversAndAgents(behindResolver),
      ports: [port('UDP', ports.dns), port('TCP', ports.dns)],
    },
    { from: namespaceSelector ? [{ namespaceSelector }] : [], ports: metrics },
    { from: statusPage.from, ports: [port('TCP', ports.agent)] },
  ];
  // A rule with an empty `from` would allow everybody.
  return rules.filter(({ from }) => from?.length !== 0);
}

/** Resolvers of other instances have views that lead here. */
const resolversAndAgents = (composite: string): k8s.NetworkPolicyPeer[] => [
  { podSelector: { matchLabels: { 'app.kubernetes.io/name': resolverName } } },
  { podSelector: { matchLabels: selectorLabels(composite) } },
];

export const port = (protocol: string, number: number): k8s.NetworkPolicyPort => ({
  protocol,
  port: k8s.IntOrString.fromNumber(number),
});
