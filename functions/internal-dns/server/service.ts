import { isIPv4 } from 'node:net';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { KubernetesObject, Observed } from '../../cdk8s-function-xp/composition.ts';
import type { Report } from '../../contract/report.ts';
import type { Instance } from '../instance.ts';
import { dnsPort, type Names, ports, resolverLabels, resolverPorts, selectorLabels } from '../names.ts';
import { hostIPsIn, resolverHostIPsIn } from '../reports.ts';
import type { Spec } from '../spec.ts';
import { annotationsOf } from '../tailnet/settings.ts';
import { backendServicesOf, hasReplicaServices, replicaKey, replicaServicesOf } from './replica-service.ts';
import { ownService, type ServiceType, typeOf } from './service-schema.ts';

export interface ServicesProps extends Instance {
  /** The settings of the Service of each replica, by ordinal. */
  replicas: Spec['service'][];
  /** Whether clients are led to the resolver instead of the server. */
  toResolver?: boolean;
}

/** The DNS Services with port 53, and the Service of the agent's HTTP server for people and monitoring. */
export class Services extends Construct {
  constructor(scope: Construct, id: string, { replicas, toResolver = false, ...instance }: ServicesProps) {
    super(scope, id);
    const { spec, names, labels } = instance;
    const clients = { toResolver };
    new k8s.KubeService(this, 'dns', dnsService(names.server, spec.service, instance, clients));
    const additional = new Construct(this, 'additional');
    for (const { name, ...service } of spec.additionalServices) {
      new k8s.KubeService(additional, name, dnsService(names.service(name), service, instance, clients));
    }
    const ofReplicas = new Construct(this, 'replicas');
    for (const [ordinal, service] of replicas.entries()) {
      const pod = names.pods[ordinal] as string;
      new k8s.KubeService(
        ofReplicas,
        `${ordinal}`,
        dnsService(pod, service, instance, { selector: { [podName]: pod } }),
      );
    }
    new k8s.KubeService(this, 'status', {
      metadata: { name: names.status, namespace: spec.namespace, labels },
      spec: {
        selector: selectorLabels(names.composite),
        publishNotReadyAddresses: true,
        ports: [{ name: 'http', port: ports.agent, targetPort: targetPort(ports.agent) }],
      },
    });
  }
}

/** The resource key of an additional Service. */
const additionalKey = (name: string) => `services/additional/${name}`;

/** The resource keys of Services that may wait for a load balancer while the server answers. */
export const unawaitedKeys = (spec: Spec): string[] => [
  ...spec.additionalServices.map(({ name }) => additionalKey(name)),
  ...(hasReplicaServices(spec) ? replicaServicesOf(spec).map((_, ordinal) => replicaKey(ordinal)) : []),
];

/** Set by the StatefulSet controller. */
const podName = 'statefulset.kubernetes.io/pod-name';

/**
 * A number: Kubernetes 1.29 does not find a port by its name in a sidecar, and the Service would have no endpoints.
 * https://github.com/kubernetes/kubernetes/blob/v1.29.15/pkg/api/v1/pod/util.go#L32-L49
 */
export const targetPort = (port: number) => k8s.IntOrString.fromNumber(port);

/** By protocol. */
const portNames = { UDP: 'dns', TCP: 'dns-tcp' } as const;

function dnsService(
  name: string,
  service: Spec['service'],
  { spec, names, labels }: Instance,
  { selector = {}, toResolver = false }: Backends,
): k8s.KubeServiceProps {
  const { nodePort, protocols, loadBalancerSourceRanges } = service;
  const pods = toResolver ? resolverLabels : selectorLabels;
  return {
    metadata: {
      name,
      namespace: spec.namespace,
      labels: { ...service.labels, ...labels },
      annotations: { ...service.annotations, ...(service.tailscale && annotationsOf(service.tailscale)) },
    },
    spec: {
      type: typeOf(service),
      clusterIp: service.clusterIP,
      loadBalancerIp: service.loadBalancerIP,
      loadBalancerClass: service.tailscale ? 'tailscale' : service.loadBalancerClass,
      loadBalancerSourceRanges: loadBalancerSourceRanges.length > 0 ? loadBalancerSourceRanges : undefined,
      externalTrafficPolicy: service.externalTrafficPolicy ?? (toResolver ? resolverPolicy(service) : undefined),
      ipFamilies: service.ipFamilies,
      ipFamilyPolicy: service.ipFamilyPolicy,
      selector: { ...pods(names.composite), ...selector },
      // A single server answers whatever the state of its pod's other containers; of several, only ready ones answer.
      publishNotReadyAddresses: !toResolver && spec.replicas === 1,
      ports: [
        ...(['UDP', 'TCP'] as const)
          .filter((protocol) => protocols.includes(protocol))
          .map((protocol) => ({
            name: portNames[protocol],
            protocol,
            port: dnsPort,
            targetPort: targetPort(ports.dns),
            nodePort,
          })),
        ...(toResolver && protocols.includes('TCP') ? encryptedPorts(spec) : []),
      ],
    },
  };
}

/** The pods behind a Service. */
interface Backends {
  /** Labels beside those of the instance. */
  selector?: Record<string, string>;
  toResolver?: boolean;
}

/** Only with the addresses of its clients does the resolver know who may ask. The proxy of a tailnet hides them anyway. */
const resolverPolicy = (service: Spec['service']) =>
  typeOf(service) !== 'ClusterIP' && !service.tailscale ? 'Local' : undefined;

const encryptedPorts = ({ resolver }: Spec): k8s.ServicePort[] =>
  (['doT', 'doH'] as const).flatMap((field) => {
    const port = resolver?.[field]?.port;
    const name = field.toLowerCase() as 'dot' | 'doh';
    return port === undefined ? [] : [{ name, protocol: 'TCP', port, targetPort: targetPort(resolverPorts[name]) }];
  });

/** Where clients reach a DNS Service. */
export interface Endpoint {
  /** The name of the Service in the spec, or the ordinal of a replica. */
  service: string;
  /** The name of its object. */
  object: string;
  type: ServiceType;
  /** On `port`. Empty until the cluster has assigned one. */
  addresses: string[];
  /** Hostname of a load balancer, which it can have instead of an address. */
  hostname?: string | undefined;
  port: number;
  /** Those that name servers get, whom resolvers ask on port 53: not the addresses of nodes. */
  serverAddresses: string[];
  /** Where the pods of the cluster reach it on port 53, whatever its type. Empty until the cluster has assigned one. */
  clusterIPs: string[];
  /** Those of the Service, in which a load balancer may say why it gives no address. */
  conditions: { type: string; status: string; reason?: string; message?: string }[];
}

/** The endpoints of an instance. */
export interface Endpoints {
  /** The one of `spec.service`. */
  own: Endpoint;
  /** The one of the advertised Service. */
  advertised: Endpoint;
  /** First `own`, then those of the additional Services in their order. */
  all: Endpoint[];
  /** Those of the replicas' own Services, by ordinal. Empty until the Services exist. */
  replicas: Endpoint[];
}

/**
 * Whether clients reach the server, but the zones' name servers have no address, because the advertised Service has none
 * or has only a name.
 */
export const lacksAddresses = ({ own, advertised, replicas }: Endpoints): boolean =>
  [advertised, ...replicas].every(({ serverAddresses }) => serverAddresses.length === 0) &&
  (own.addresses.length > 0 || advertised.hostname !== undefined);

/**
 * The settings of the replicas' Services, once the server is reached as it is advertised: they must not take the only
 * address of a load balancer. From then on they stay. `needsBackends`: whether the resolver asks through them.
 */
export function replicasOf(
  spec: Spec,
  { own, advertised, replicas }: Endpoints,
  observed: Observed,
  needsBackends = false,
): Spec['service'][] {
  if (!hasReplicaServices(spec)) return needsBackends ? backendServicesOf(spec) : [];
  const isReached = [own, advertised].every(({ addresses, hostname }) => addresses.length > 0 || hostname);
  return isReached || replicas.length > 0 || replicaKey(0) in observed ? replicaServicesOf(spec) : [];
}

/** The endpoints of the Services in the cluster. `reports` are those of the pods, which know their nodes. */
export function endpointsOf(spec: Spec, names: Names, observed: Observed, reports: (Report | undefined)[]): Endpoints {
  const hostIPs = nodesOf(spec, reports);
  const own = endpointOf(ownService, names.server, spec.service, observed['services/dns'], hostIPs);
  const additional = spec.additionalServices.map(({ name, ...service }) =>
    endpointOf(name, names.service(name), service, observed[additionalKey(name)], hostIPs),
  );
  const advertised = additional.find(({ service }) => service === spec.advertise) ?? own;
  const services = hasReplicaServices(spec) ? replicaServicesOf(spec) : [];
  const replicas = services.map((service, ordinal) => {
    const pod = names.pods[ordinal] as string;
    return endpointOf(`${ordinal}`, pod, service, observed[replicaKey(ordinal)], hostIPsIn([reports[ordinal]]));
  });
  const exist = services.every((_, ordinal) => replicaKey(ordinal) in observed);
  return { own, advertised, all: [own, ...additional], replicas: exist ? replicas : [] };
}

/**
 * The addresses of the nodes that answer. With `externalTrafficPolicy: Local` those of the resolver's pods alone do, and
 * until they are known those of the server's are better than none.
 */
function nodesOf({ resolver }: Spec, reports: (Report | undefined)[]): string[] {
  const ofResolver = resolver ? resolverHostIPsIn(reports) : [];
  return ofResolver.length > 0 ? ofResolver : hostIPsIn(reports);
}

/** The endpoint of one Service. Addresses of the spec take precedence. */
function endpointOf(
  name: string,
  object: string,
  service: Spec['service'],
  observed: KubernetesObject | undefined,
  hostIPs: string[],
): Endpoint {
  const type = typeOf(service);
  const { clusterIPs: observedIPs = [], ipFamilies = [], ports = [] } = observed?.spec ?? {};
  const clusterIPs = (observedIPs as string[]).filter((address) => address !== 'None');
  const ingress: { ip?: string; hostname?: string }[] = observed?.status?.loadBalancer?.ingress ?? [];
  const addressesByType: Record<ServiceType, string[]> = {
    ClusterIP: clusterIPs,
    NodePort: hostIPs.filter((address) => ipFamilies.includes(isIPv4(address) ? 'IPv4' : 'IPv6')),
    LoadBalancer: ingress.flatMap(({ ip }) => (ip ? [ip] : [])),
  };
  const { addresses: chosen } = service;
  const addresses = chosen.length > 0 ? chosen : addressesByType[type];
  return {
    service: name,
    object,
    type,
    addresses,
    hostname: type === 'LoadBalancer' ? ingress.find((each) => each.hostname)?.hostname : undefined,
    port: type === 'NodePort' ? (ports[0]?.nodePort ?? service.nodePort ?? dnsPort) : dnsPort,
    serverAddresses: type === 'NodePort' && chosen.length === 0 ? clusterIPs : addresses,
    clusterIPs,
    conditions: observed?.status?.conditions ?? [],
  };
}
