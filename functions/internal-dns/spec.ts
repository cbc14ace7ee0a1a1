import * as z from 'zod';
import type { KubernetesObject } from '../cdk8s-function-xp/composition.ts';
import { issuePath } from '../contract/issue-path.ts';
import { namespaceName } from '../contract/name-form.ts';
import { amount, immutable, withCEL, withRules } from '../contract/rules.ts';
import { discovery } from './discovery/discovery.ts';
import { monitoring } from './monitoring/settings.ts';
import { additionalLabels, annotations, checkLabels } from './object-metadata.ts';
import { resolver, resolverRules } from './resolver/settings.ts';
import { peers } from './server/peer.ts';
import { replicaServices, replicaServicesRules, replicaServicesTransition } from './server/replica-service-schema.ts';
import { securityContext } from './server/security-context.ts';
import { additionalServices, advertise, service, servicesRules } from './server/service-schema.ts';
import { storage } from './server/storage-schema.ts';
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

const image = z.string().min(1).max(512).optional();

const images = z
  .object({
    powerdns: image.describe('Image of PowerDNS. Defaults to the PowerDNS 5.1 that this version was tested with.'),
    externalDNS: image.describe('Image of ExternalDNS. Defaults to the one that this version was tested with.'),
    agent: image.describe('Image of the agent. Defaults to the image of the function.'),
    dnsdist: image.describe(
      'Image of dnsdist, the resolver. Defaults to the dnsdist 2.1 that this version was tested with.',
    ),
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
    resolver: containerResources.describe(
      'Resources of each pod of the resolver. Its cache is bounded by the memory limit.',
    ),
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

const statusPage = z
  .object({
    from: peers.describe(
      'Peers, as in a NetworkPolicy, that may reach the page, /names.json, /names.txt and /metrics on port 8080. kubectl port-forward always works.',
    ),
  })
  .prefault({})
  .describe('Status page, which shows for every name whether it resolves.');

export const spec = withCEL(
  withRules(
    z.object({
      namespace,
      replicas: z
        .int()
        .min(1)
        .max(5)
        .default(1)
        .describe(
          'Number of servers. They share nothing, so that with two or more the DNS survives the loss of a node.',
        ),
      zones,
      discovery,
      service,
      additionalServices,
      advertise,
      replicaServices,
      storage,
      images,
      resources,
      scheduling,
      securityContext,
      podLabels: additionalLabels('podLabels').describe('Additional labels of the pods.'),
      podAnnotations: annotations().default({}).describe('Additional annotations of the pods.'),
      statusPage,
      monitoring,
      resolver,
    }),
    ...servicesRules,
    ...replicaServicesRules,
    ...resolverRules,
  ),
  replicaServicesTransition,
);

export type Spec = z.output<typeof spec>;

/** A label of RFC 1035, and short enough that no name derived from it has to be truncated. */
export const compositeName = {
  cel: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 40",
  holds: (name: string) => /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) && name.length <= 40,
  message:
    'the name of an InternalDNS must begin with a letter, consist of lower case letters, digits and hyphens, and have at most 40 characters',
};

/** A view that leads to its own InternalDNS would have no end. */
export const viewsOfOthers = {
  cel: '!has(self.spec.resolver) || !has(self.spec.resolver.views) || self.spec.resolver.views.all(v, !has(v.internalDNS) || v.internalDNS != self.metadata.name)',
  message: 'resolver.views has this InternalDNS itself as internalDNS: name another, or list zones instead',
};

/** The composite's spec with every default filled in. Throws a SpecError with each invalid field. */
export function parseSpec(composite: KubernetesObject): Spec {
  if (!compositeName.holds(composite.metadata.name)) {
    throw new Error(`cannot accept metadata.name ${JSON.stringify(composite.metadata.name)}: ${compositeName.message}`);
  }
  const error = ({ input }: { input?: unknown }) => (input === undefined ? 'is required' : undefined);
  const parsed = spec.safeParse(composite.spec ?? {}, { error });
  if (parsed.success) {
    const { views = [] } = parsed.data.resolver ?? {};
    if (views.some((view) => view.internalDNS === composite.metadata.name)) {
      throw new SpecError([`spec: ${viewsOfOthers.message}`]);
    }
    return parsed.data;
  }
  throw new SpecError(
    parsed.error.issues.map((issue) => `${issuePath(['spec', ...issue.path])}: ${lowerFirst(issue.message)}`),
  );
}

const maxIssues = 20;

/** The spec is invalid. Lists the issues, each with its path. */
export class SpecError extends Error {
  constructor(issues: string[]) {
    const more = issues.length > maxIssues ? [`and ${issues.length - maxIssues} more errors`] : [];
    super(`cannot accept the spec: ${[...issues.slice(0, maxIssues), ...more].join('; ')}`);
  }
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
