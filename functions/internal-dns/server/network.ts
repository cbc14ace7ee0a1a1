import { k8s } from 'cdk8s-plus-28';
import { ports } from '../names.ts';
import type { Spec } from '../spec.ts';
import { metricsPorts } from './external-dns.ts';

/**
 * What the network lets in to the pod: DNS from everywhere, and only what is named to the rest. kubelet's probes come from
 * the node, which no NetworkPolicy keeps out, and `kubectl port-forward` from inside the pod.
 */
export function ingressOf({ discovery, monitoring, statusPage }: Spec): k8s.NetworkPolicyIngressRule[] {
  const { enabled, namespaceSelector = enabled ? {} : undefined } = monitoring;
  const metrics = [ports.agent, ...metricsPorts(discovery)].map((each) => port('TCP', each));
  const rules = [
    { ports: [port('UDP', ports.dns), port('TCP', ports.dns)] },
    { from: namespaceSelector ? [{ namespaceSelector }] : [], ports: metrics },
    { from: statusPage.from, ports: [port('TCP', ports.agent)] },
  ];
  // Without a peer a rule is for everybody.
  return rules.filter(({ from }) => from?.length !== 0);
}

const port = (protocol: string, number: number): k8s.NetworkPolicyPort => ({
  protocol,
  port: k8s.IntOrString.fromNumber(number),
});
