import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { KubernetesObject } from '../../cdk8s-function-xp/composition.ts';
import type { Instance } from '../instance.ts';
import { dnsPort, ports, selectorLabels } from '../names.ts';
import { type Spec, typeOf } from '../spec.ts';

/** The DNS Service with port 53, and the Service of the agent's HTTP server for people and monitoring. */
export class Services extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels }: Instance) {
    super(scope, id);
    const { service, namespace, replicas } = spec;
    const selector = selectorLabels(names.composite);
    new k8s.KubeService(this, 'dns', {
      metadata: { name: names.server, namespace, labels, annotations: { ...service.annotations, ...tailnet(service) } },
      spec: {
        type: typeOf(service),
        clusterIp: service.clusterIP,
        loadBalancerIp: service.loadBalancerIP,
        loadBalancerClass: service.tailscale ? 'tailscale' : service.loadBalancerClass,
        ipFamilyPolicy: 'PreferDualStack',
        selector,
        // A single server answers whatever the state of its pod's other containers; of several, only ready ones answer.
        publishNotReadyAddresses: replicas === 1,
        ports: [
          { name: 'dns', protocol: 'UDP', port: dnsPort, targetPort: k8s.IntOrString.fromString('dns') },
          { name: 'dns-tcp', protocol: 'TCP', port: dnsPort, targetPort: k8s.IntOrString.fromString('dns-tcp') },
        ],
      },
    });
    new k8s.KubeService(this, 'status', {
      metadata: { name: names.status, namespace, labels },
      spec: {
        selector,
        publishNotReadyAddresses: true,
        ports: [{ name: 'http', port: ports.agent, targetPort: k8s.IntOrString.fromString('http') }],
      },
    });
  }
}

/** https://tailscale.com/kb/1445/kubernetes-operator-customization */
function tailnet({ tailscale }: Spec['service']): Record<string, string> {
  return {
    ...(tailscale?.hostname && { 'tailscale.com/hostname': tailscale.hostname }),
    ...(tailscale?.tags.length && { 'tailscale.com/tags': tailscale.tags.join(',') }),
  };
}

/** Where clients reach the DNS Service. `addresses` is empty until the cluster has assigned one. */
export interface Endpoint {
  addresses: string[];
  /** Hostname of a load balancer, which it can have instead of an address. */
  hostname?: string | undefined;
  port: number;
  /** Where the pods of the cluster reach it on port 53, whatever its type. Empty until the cluster has assigned one. */
  clusterIPs: string[];
}

/** The endpoint of the Service in the cluster. Addresses of the spec take precedence. */
export function endpointOf(spec: Spec, observed: KubernetesObject | undefined): Endpoint {
  const type = typeOf(spec.service);
  const nodePort = observed?.spec?.ports?.find((p: { name?: string }) => p.name === 'dns')?.nodePort;
  const port = type === 'NodePort' ? (nodePort ?? dnsPort) : dnsPort;
  const observedIPs: string[] = observed?.spec?.clusterIPs ?? [];
  const clusterIPs = observedIPs.filter((address) => address !== 'None');
  if (spec.service.addresses.length > 0) return { addresses: spec.service.addresses, port, clusterIPs };
  if (type !== 'LoadBalancer') return { addresses: clusterIPs, port, clusterIPs };
  const ingress: { ip?: string; hostname?: string }[] = observed?.status?.loadBalancer?.ingress ?? [];
  return {
    addresses: ingress.flatMap(({ ip }) => (ip ? [ip] : [])),
    hostname: ingress.find(({ hostname }) => hostname)?.hostname,
    port,
    clusterIPs,
  };
}
