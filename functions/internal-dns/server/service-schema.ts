import * as z from 'zod';
import {
  immutableOptional,
  ipAddress,
  matching,
  network,
  type Rule,
  uniqueList,
  withCEL,
  withRules,
} from '../../contract/rules.ts';
import { additionalLabels, annotations, isKey } from '../object-metadata.ts';
import { tailscale } from '../tailnet/settings.ts';

const types = ['ClusterIP', 'NodePort', 'LoadBalancer'] as const;

export type ServiceType = (typeof types)[number];

// https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go#L8914
const loadBalancerClass = z
  .string()
  .min(1)
  .max(253)
  .refine(
    isKey,
    'must be the name of a class, such as service.k8s.aws/nlb: the documentation of the load balancer has it',
  );

const families = ['IPv4', 'IPv6'] as const;

export const publishedAddresses = z
  .array(ipAddress('address'))
  .max(16)
  .default([])
  .describe('Addresses to publish instead of those of the Service, such as behind NAT.');

/** The fields of every DNS Service. */
const fields = {
  type: z
    .enum(types)
    .optional()
    .describe('Type of the Service. Defaults to LoadBalancer if tailscale is set, otherwise to ClusterIP.'),
  annotations: annotations()
    .default({})
    .describe('Annotations of the Service, such as those of a load balancer implementation.'),
  labels: additionalLabels('labels').describe('Additional labels of the Service.'),
  protocols: uniqueList(z.enum(['UDP', 'TCP']), 2, 1)
    .default(['UDP', 'TCP'])
    .describe(
      'Protocols on port 53. Clients need both (RFC 7766). Where a load balancer refuses Services with both, two Services with one of them each can share a loadBalancerIP.',
    ),
  loadBalancerIP: ipAddress('loadBalancerIP').optional().describe('Address to request from the load balancer.'),
  loadBalancerClass: loadBalancerClass
    .optional()
    .describe('Class of the load balancer implementation, if it has one. Immutable.'),
  loadBalancerSourceRanges: z
    .array(network)
    .max(64)
    .default([])
    .describe('CIDRs of the clients that the load balancer accepts, if it can tell. Empty means all.'),
  externalTrafficPolicy: z
    .enum(['Cluster', 'Local'])
    .optional()
    .describe(
      'Local keeps the address of a client that comes through a node port or a load balancer, and uses only nodes that run a server. Without Local the answers Sticky and Closest see the node, not the client. Defaults to Cluster.',
    ),
  nodePort: z
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe(
      'Port on the nodes, from the range of the cluster, which usually is 30000-32767. Defaults to any that is free.',
    ),
  clusterIP: ipAddress('clusterIP').optional().describe('Cluster IP of the Service. Immutable.'),
  ipFamilies: uniqueList(z.enum(families), 2, 1)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional()
    .describe(
      'IP families of the Service, the primary one first: one with ipFamilyPolicy SingleStack, otherwise both. Defaults to those of the cluster. The primary one is immutable.',
    ),
  ipFamilyPolicy: z
    .enum(['SingleStack', 'PreferDualStack', 'RequireDualStack'])
    .default('PreferDualStack')
    .describe('Whether the Service has addresses of one IP family or of both.'),
  addresses: publishedAddresses,
  tailscale: tailscale.optional(),
};

type Fields = z.output<z.ZodObject<typeof fields>>;

const isOf = (...wanted: ServiceType[]) =>
  ({
    cel: wanted
      .map(
        (type) =>
          `${type === 'LoadBalancer' ? 'has(self.tailscale) || ' : ''}(has(self.type) && self.type == '${type}')`,
      )
      .join(' || '),
    holds: (service: Fields) => wanted.includes(typeOf(service)),
  }) as const;

const isLoadBalancer = isOf('LoadBalancer');
const isExternal = isOf('NodePort', 'LoadBalancer');

/**
 * The API server's rules for fields of some types only, as an invalid Service would never be applied:
 * https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/core/validation/validation.go#L6303
 */
const needs = (
  field: 'loadBalancerIP' | 'loadBalancerClass' | 'nodePort' | 'externalTrafficPolicy',
  type: typeof isLoadBalancer,
  cure: string,
): Rule<Fields> => ({
  cel: `!has(self.${field}) || ${type.cel}`,
  holds: (s) => s[field] === undefined || type.holds(s),
  message: `${field} needs ${cure}`,
});
const toBalance = 'type: LoadBalancer';
const toExpose = 'type: NodePort or LoadBalancer';

const sourceRangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

// With `has` for fields with a default, too: the API server applies the rules to the default of `service` itself, which is {}.
const rules: Rule<Fields>[] = [
  {
    cel: "!has(self.tailscale) || !has(self.type) || self.type == 'LoadBalancer'",
    holds: (s) => !s.tailscale || !s.type || s.type === 'LoadBalancer',
    message: 'tailscale needs type LoadBalancer: leave type out',
  },
  {
    cel: '!has(self.tailscale) || !has(self.loadBalancerClass)',
    holds: (s) => !s.tailscale || !s.loadBalancerClass,
    message: 'tailscale sets loadBalancerClass itself: leave it out',
  },
  needs('loadBalancerIP', isLoadBalancer, toBalance),
  needs('loadBalancerClass', isLoadBalancer, toBalance),
  {
    cel: `!has(self.loadBalancerSourceRanges) || size(self.loadBalancerSourceRanges) == 0 || ${isLoadBalancer.cel}`,
    holds: (s) => s.loadBalancerSourceRanges.length === 0 || isLoadBalancer.holds(s),
    message: `loadBalancerSourceRanges needs ${toBalance}`,
  },
  {
    cel: `!has(self.annotations) || !('${sourceRangesAnnotation}' in self.annotations) || ${isLoadBalancer.cel}`,
    holds: (s) => !(sourceRangesAnnotation in s.annotations) || isLoadBalancer.holds(s),
    message: `the annotation ${sourceRangesAnnotation} needs ${toBalance}`,
  },
  needs('externalTrafficPolicy', isExternal, toExpose),
  needs('nodePort', isExternal, toExpose),
  {
    // The API server adds the second family, and then takes an apply without it for its release:
    // https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/service/storage/alloc.go#L180-L183
    cel: "!has(self.ipFamilies) || (size(self.ipFamilies) == 1) == (self.ipFamilyPolicy == 'SingleStack')",
    holds: (s) => !s.ipFamilies || (s.ipFamilies.length === 1) === (s.ipFamilyPolicy === 'SingleStack'),
    message: 'ipFamilies must have one family with ipFamilyPolicy: SingleStack, and both with any other',
  },
  {
    cel: "!has(self.clusterIP) || !has(self.ipFamilies) || self.clusterIP.contains(':') == (self.ipFamilies[0] == 'IPv6')",
    holds: (s) =>
      s.clusterIP === undefined || !s.ipFamilies || s.clusterIP.includes(':') === (s.ipFamilies[0] === 'IPv6'),
    message: 'clusterIP must be of the first of ipFamilies',
  },
];

const wasLoadBalancer = isLoadBalancer.cel.replaceAll('self', 'oldSelf');

// An edit must not give a Service what Kubernetes cannot change.
const transitions = [
  ...immutableOptional('clusterIP'),
  ...immutableOptional('loadBalancerClass').map(({ rule, message }) => ({
    rule: `!(${isLoadBalancer.cel}) || !(${wasLoadBalancer}) || (${rule} && has(self.tailscale) == has(oldSelf.tailscale))`,
    message: `${message} while the type stays LoadBalancer; tailscale likewise`,
  })),
  {
    rule: 'has(self.ipFamilies) == has(oldSelf.ipFamilies) && (!has(self.ipFamilies) || self.ipFamilies[0] == oldSelf.ipFamilies[0])',
    message: 'the first of ipFamilies is immutable: it cannot be set, changed or removed later',
  },
];

export const service = withCEL(withRules(z.object(fields), ...rules), ...transitions)
  .prefault({})
  .describe('The Service of the cluster: how pods, and with another type than ClusterIP others, reach the server.');

/** The name that `spec.service` has among the Services. */
export const ownService = 'service';

// The others are, or will be, the last part of the name of another Service of the instance.
const reservedNames = [ownService, 'status', 'resolver'];

const serviceName = withRules(
  z.string().min(1).max(15),
  matching(
    '^[a-z]([-a-z0-9]*[a-z0-9])?$',
    'the name of a Service must begin with a letter, and consist of lower case letters, digits and hyphens, such as lan',
  ),
  {
    cel: `!(self in ['${reservedNames.join("', '")}'])`,
    holds: (name) => !reservedNames.includes(name),
    message: `the name of a Service must not be ${reservedNames.join(', ')}: the instance uses it itself; use another, such as lan`,
  },
);

export const additionalServices = withRules(
  z
    .array(
      withCEL(
        withRules(
          z.object({
            name: serviceName.describe('Name of the Service: idns-, the name of the InternalDNS, a hyphen, and this.'),
            ...fields,
          }),
          ...(rules as Rule<Fields & { name: string }>[]),
        ),
        ...transitions,
      ),
    )
    .max(8)
    .default([]),
  {
    cel: 'self.all(s, self.exists_one(t, t.name == s.name))',
    holds: (list) => new Set(list.map(({ name }) => name)).size === list.length,
    message: 'additionalServices must have different names',
  },
)
  .describe(
    'More Services, each a further way to the same servers at the same time: from a LAN, a tailnet or through the nodes. The server is ready without them.',
  )
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

export const advertise = z
  .string()
  .min(1)
  .max(15)
  .default(ownService)
  .describe(
    `Whose addresses the name servers of the zones (unless replicas have Services, see replicaServices) and the placeholder {{service.address}} have: ${ownService}, or the name of one of additionalServices. Those of the nodes are never advertised: resolvers ask on port 53.`,
  );

/** The Services of a spec, and which one is advertised. */
export interface ServicesSpec {
  service: Fields;
  additionalServices: ({ name: string } & Fields)[];
  advertise: string;
}

/** The settings of the Service with this name, or else those of the own one. */
export const serviceNamed = <T>(
  { service, additionalServices }: { service: T; additionalServices: ({ name: string } & T)[] },
  wanted: string,
): T => additionalServices.find(({ name }) => name === wanted) ?? service;

/**
 * Requires that no two Services have the same value of a field. A node port is taken for both protocols:
 * https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/service/storage/alloc.go#L527
 */
const distinct = (field: 'nodePort' | 'clusterIP'): Rule<ServicesSpec> => ({
  cel: `self.additionalServices.all(s, !has(s.${field}) || ((!has(self.service.${field}) || self.service.${field} != s.${field}) && self.additionalServices.all(t, t.name == s.name || !has(t.${field}) || t.${field} != s.${field})))`,
  holds: ({ service, additionalServices }) => {
    const values = [service, ...additionalServices].flatMap((each) => each[field] ?? []);
    return new Set(values).size === values.length;
  },
  message: `two Services have the same ${field}: leave it out of one, or use another`,
});

export const servicesRules: Rule<ServicesSpec>[] = [
  {
    cel: `self.advertise == '${ownService}' || self.additionalServices.exists(s, s.name == self.advertise)`,
    holds: ({ advertise, additionalServices }) =>
      advertise === ownService || additionalServices.some(({ name }) => name === advertise),
    message: `advertise must be ${ownService} or the name of one of additionalServices`,
  },
  {
    cel: "!self.additionalServices.exists(s, s.name == self.advertise && has(s.type) && s.type == 'NodePort' && size(s.addresses) == 0)",
    holds: ({ advertise, additionalServices }) =>
      !additionalServices.some((s) => s.name === advertise && s.type === 'NodePort' && s.addresses.length === 0),
    message:
      'advertise names a Service of type NodePort, but resolvers ask name servers on port 53: name another, or set its addresses',
  },
  {
    cel: '(has(self.service.tailscale) && has(self.service.tailscale.splitDNS) ? 1 : 0) + self.additionalServices.filter(s, has(s.tailscale) && has(s.tailscale.splitDNS)).size() <= 1',
    holds: ({ service, additionalServices }) =>
      [service, ...additionalServices].filter(({ tailscale }) => tailscale?.splitDNS).length <= 1,
    message: 'two Services have tailscale.splitDNS, and a zone has one entry: leave it out of one',
  },
  distinct('nodePort'),
  distinct('clusterIP'),
];

/** The Service's type, given that tailscale implies one. */
export function typeOf(service: { type?: ServiceType | undefined; tailscale?: unknown }): ServiceType {
  return service.type ?? (service.tailscale ? 'LoadBalancer' : 'ClusterIP');
}
