import * as z from 'zod';
import type { KubernetesObject } from '../cdk8s-function-xp/composition.ts';
import { hostLabel } from '../contract/host-rules.ts';
import { discovery } from './discovery/discovery.ts';
import { monitoring } from './monitoring/settings.ts';
import { namespaceName } from './name-form.ts';
import { annotations, checkLabels } from './object-metadata.ts';
import { amount, immutable, immutableOptional, ipAddress, matching, quantity, withCEL, withRules } from './rules.ts';
import { peers } from './server/peer.ts';
import { zone } from './zones/zone.ts';

// The single source of the API: the XRD's schema, its reference page and the function's own checks all derive from
// this file. A `default` here is stored in users' objects and outlives an upgrade, so what should follow the
// function's version (images, resources) is optional and gets its default where it is used.

// Who can create pods in Crossplane's namespace has all of its permissions. It usually runs in crossplane-system.
const namespace = immutable(
  withRules(namespaceName('namespace'), {
    cel: "!self.startsWith('kube-') && self != 'crossplane-system'",
    holds: (s) => !s.startsWith('kube-') && s !== 'crossplane-system',
    message:
      'namespace must be neither kube-* nor crossplane-system: those belong to the cluster; use internal-dns or one of your own',
  }),
  'namespace',
)
  .default('internal-dns')
  .describe('Namespace in which the server runs. It must exist. Immutable.');

const zones = withRules(z.array(zone).min(1).max(64), {
  cel: 'self.all(z, self.exists_one(y, y.name == z.name))',
  holds: (list) => new Set(list.map((z) => z.name)).size === list.length,
  message: 'zones must have different names',
})
  .describe('Zones to serve.')
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });

const tailscale = z
  .object({
    hostname: withRules(
      z.string().min(1).max(63),
      matching(`^${hostLabel}$`, 'hostname must be one label of lower case letters, digits and hyphens, such as dns'),
    )
      .optional()
      .describe('Name of the machine in the tailnet.'),
    tags: z
      .array(withRules(z.string().max(63), matching('^tag:[a-zA-Z][a-zA-Z0-9-]*$', 'tags must look like tag:dns')))
      .max(16)
      .default([])
      .describe('ACL tags of the machine in the tailnet.'),
  })
  .describe('Exposes the Service through the Tailscale operator, as a load balancer of class tailscale.');

const isLoadBalancer = (self: string) =>
  `(has(${self}.tailscale) || (has(${self}.type) && ${self}.type == 'LoadBalancer'))`;

const service = withCEL(
  withRules(
    z.object({
      type: z
        .enum(['ClusterIP', 'NodePort', 'LoadBalancer'])
        .optional()
        .describe('Type of the DNS Service. Defaults to LoadBalancer if tailscale is set, otherwise to ClusterIP.'),
      annotations: annotations().default({}).describe('Annotations of the DNS Service.'),
      loadBalancerIP: ipAddress('loadBalancerIP').optional().describe('Address to request from the load balancer.'),
      loadBalancerClass: z
        .string()
        .min(1)
        .max(253)
        .optional()
        .describe('Class of the load balancer implementation. Immutable.'),
      clusterIP: ipAddress('clusterIP').optional().describe('Cluster IP of the DNS Service. Immutable.'),
      addresses: z
        .array(ipAddress('address'))
        .max(16)
        .default([])
        .describe('Addresses to publish instead of those of the Service, such as behind NAT.'),
      tailscale: tailscale.optional(),
    }),
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
    {
      cel: `!(has(self.loadBalancerIP) || has(self.loadBalancerClass)) || ${isLoadBalancer('self')}`,
      holds: (s) => !(s.loadBalancerIP || s.loadBalancerClass) || typeOf(s) === 'LoadBalancer',
      message: 'loadBalancerIP and loadBalancerClass need type: LoadBalancer',
    },
  ),
  ...immutableOptional('clusterIP'),
  ...immutableOptional('loadBalancerClass').map(({ rule, message }) => ({
    rule: `!${isLoadBalancer('self')} || !${isLoadBalancer('oldSelf')} || (${rule} && has(self.tailscale) == has(oldSelf.tailscale))`,
    message: `${message} while the type stays LoadBalancer; tailscale likewise`,
  })),
)
  .prefault({})
  .describe('How clients reach the server: a single Service with port 53 on UDP and TCP.');

/** The Service's type, given that tailscale implies one. */
export function typeOf(service: { type?: ServiceType | undefined; tailscale?: unknown }): ServiceType {
  return service.type ?? (service.tailscale ? 'LoadBalancer' : 'ClusterIP');
}
type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer';

const storage = withCEL(
  z.object({
    size: withCEL(quantity('size'), {
      rule: 'quantity(self).compareTo(quantity(oldSelf)) >= 0',
      message: 'size may grow, not shrink',
    })
      .default('1Gi')
      .describe('Size of the volume of each replica. It can be increased if the storage class allows expansion.'),
    storageClassName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('Name of the storage class. Defaults to the default class of the cluster. Immutable.'),
    retain: z
      .boolean()
      .default(false)
      .describe('Whether the volumes are kept when the InternalDNS is deleted, or scaled down.'),
  }),
  ...immutableOptional('storageClassName'),
)
  .prefault({})
  .describe('Volume of the SQLite database.');

const image = z.string().min(1).max(512).optional();

const images = z
  .object({
    powerdns: image.describe('Image of PowerDNS. Defaults to the PowerDNS 5.1 that this version was tested with.'),
    externalDNS: image.describe('Image of ExternalDNS. Defaults to the one that this version was tested with.'),
    agent: image.describe('Image of the agent. Defaults to the image of the function.'),
    pullPolicy: z
      .enum(['Always', 'IfNotPresent', 'Never'])
      .default('IfNotPresent')
      .describe('Pull policy of every container.'),
    pullSecrets: z
      .array(z.object({ name: z.string().min(1).max(253).describe('Name of the Secret.') }))
      .max(16)
      .default([])
      .describe('Secrets in the namespace to use for pulling images.'),
  })
  .prefault({})
  .describe('Container images, such as those of a private registry.');

const containerResources = z
  .object({
    requests: z.record(z.string(), amount).optional().describe('Minimum amounts of resources.'),
    limits: z.record(z.string(), amount).optional().describe('Maximum amounts of resources.'),
  })
  .optional();

const resources = z
  .object({
    powerdns: containerResources.describe('Resources of the PowerDNS container.'),
    externalDNS: containerResources.describe(
      'Resources of each ExternalDNS container. With discovery.namespaces there is one for each namespace.',
    ),
    agent: containerResources.describe('Resources of the agent container.'),
  })
  .prefault({})
  .describe('Requests and limits of the containers. Each replaces its default as a whole.');

const toleration = z.object({
  key: z.string().max(317).optional().describe('Key of the taint. If unset, all keys match.'),
  operator: z.enum(['Equal', 'Exists']).optional().describe('Relation of key and value. Defaults to Equal.'),
  value: z.string().max(63).optional().describe('Value of the taint.'),
  effect: z
    .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    .optional()
    .describe('Effect of the taint. If unset, all effects match.'),
  tolerationSeconds: z
    .int()
    .optional()
    .describe('Seconds for which a NoExecute taint is tolerated. If unset, forever.'),
});

const scheduling = z
  .object({
    nodeSelector: z
      .record(z.string(), z.string())
      .superRefine(checkLabels)
      .default({})
      .describe('Labels that a node must have.'),
    tolerations: z.array(toleration).max(32).default([]).describe('Taints that the pods tolerate.'),
    affinity: z.looseObject({}).optional().describe('Affinity of the pods, as in a Pod.'),
    priorityClassName: z.string().min(1).max(253).optional().describe('Name of the priority class of the pods.'),
  })
  .prefault({})
  .describe('Scheduling of the pods.');

// Bounded, because the API server estimates the cost of a rule by the maximum size of its input.
const podLabels = withRules(z.record(z.string(), z.string().max(63)).meta({ maxProperties: 64 }), {
  cel: "self.all(k, !k.startsWith('app.kubernetes.io/'))",
  holds: (labels) => Object.keys(labels).every((k) => !k.startsWith('app.kubernetes.io/')),
  message: 'podLabels must not use app.kubernetes.io/*: the selectors use it',
})
  .refine((labels) => Object.keys(labels).length <= 64, 'podLabels must have at most 64 labels')
  .superRefine(checkLabels)
  .default({})
  .describe('Additional labels of the pods.');

const statusPage = z
  .object({
    from: peers.describe(
      'Peers, as in a NetworkPolicy, that may reach the page, /names.json, /names.txt and /metrics on port 8080. kubectl port-forward always works.',
    ),
  })
  .prefault({})
  .describe('Status page, which shows for every name whether it resolves.');

export const spec = z.object({
  namespace,
  replicas: z
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe('Number of servers. They share nothing, so that with two or more the DNS survives the loss of a node.'),
  zones,
  discovery,
  service,
  storage,
  images,
  resources,
  scheduling,
  podLabels,
  podAnnotations: annotations().default({}).describe('Additional annotations of the pods.'),
  statusPage,
  monitoring,
});

export type Spec = z.output<typeof spec>;

/** A label of RFC 1035, and short enough that no name derived from it has to be truncated. */
export const compositeName = {
  cel: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 40",
  holds: (name: string) => /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= 40,
  message:
    'the name of an InternalDNS must begin with a letter, consist of lower case letters, digits and hyphens, and have at most 40 characters',
};

/** The composite's spec with every default filled in. Throws a SpecError with each invalid field. */
export function parseSpec(composite: KubernetesObject): Spec {
  if (!compositeName.holds(composite.metadata.name)) {
    throw new Error(`cannot accept metadata.name ${JSON.stringify(composite.metadata.name)}: ${compositeName.message}`);
  }
  const error = ({ input }: { input?: unknown }) => (input === undefined ? 'is required' : undefined);
  const parsed = spec.safeParse(composite.spec ?? {}, { error });
  if (parsed.success) return parsed.data;
  throw new SpecError(parsed.error.issues.map((issue) => `${pathOf(issue.path)}: ${lowerFirst(issue.message)}`));
}

const maxIssues = 20;

/** The spec is invalid. Lists the issues, each with its path. */
export class SpecError extends Error {
  constructor(issues: string[]) {
    const more = issues.length > maxIssues ? [`and ${issues.length - maxIssues} more errors`] : [];
    super(`cannot accept the spec: ${[...issues.slice(0, maxIssues), ...more].join('; ')}`);
  }
}

const pathOf = (path: PropertyKey[]) =>
  path.reduce<string>((text, key) => text + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`), 'spec');

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
