import * as z from 'zod';
import { hostLabel } from '../../contract/host-rules.ts';
import { namespaceName, objectName } from '../../contract/name-form.ts';
import { matching, uniqueList, withRules } from '../../contract/rules.ts';
import { labelsOf } from '../../contract/selector-schema.ts';
import { allKinds, type Filter, kindsWith, routes } from './kind.ts';

const resource = withRules(
  z.string().min(1).max(253),
  matching(
    `^${hostLabel}[.]v[0-9]+((alpha|beta)[0-9]+)?([.]${hostLabel})*$`,
    'a resource is written as plural.version.group, such as virtualmachineinstances.v1.kubevirt.io',
  ),
);

const fields = z.object({
  kind: z
    .enum(allKinds)
    .describe(
      'Kind of the objects. HTTPProxy is that of Contour; TraefikProxy stands for IngressRoute, IngressRouteTCP and IngressRouteUDP of Traefik. Machine and NameClaim are those of docs/machines.md, and Zone is that of docs/zones.md.',
    ),
  ingressClassNames: uniqueList(objectName('ingressClassName'), 16)
    .optional()
    .describe(
      'Ingress classes to select. Only for kind Ingress. Defaults to all Ingresses, including those without a class.',
    ),
  serviceTypes: uniqueList(z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']), 4, 1)
    .optional()
    .describe(
      'Types of Services to select. Only for kind Service. Defaults to LoadBalancer. ClusterIP and NodePort also let ExternalDNS read all Pods and EndpointSlices, and NodePort all Nodes.',
    ),
  gatewayName: objectName('gatewayName')
    .optional()
    .describe('Name of the Gateways whose routes to select. Only for routes.'),
  gatewayNamespace: namespaceName('gatewayNamespace')
    .optional()
    .describe('Namespace of the Gateways whose routes to select. Only for routes.'),
  gatewayLabels: labelsOf('gatewayLabels')
    .optional()
    .describe('Labels of the Gateways whose routes to select. Only for routes.'),
  resources: uniqueList(resource, 8, 1)
    .optional()
    .describe(
      'Resources to discover, as plural.version.group. Only for kind Unstructured. Their ClusterRole must be created manually: see docs/discovery.md.',
    ),
});

const quoted = (kinds: readonly string[]) => `[${kinds.map((kind) => `'${kind}'`).join(', ')}]`;

const belongs = (filter: Filter) => {
  const kinds = kindsWith(({ filters = [] }) => filters.includes(filter));
  return {
    cel: `!has(self.${filter}) || self.kind in ${quoted(kinds)}`,
    holds: (source: z.output<typeof fields>) => source[filter] === undefined || kinds.includes(source.kind),
    message: `${filter} is a filter of kind: ${kinds.join(', ')}`,
  };
};

const source = withRules(
  fields,
  belongs('ingressClassNames'),
  belongs('serviceTypes'),
  belongs('gatewayName'),
  belongs('gatewayNamespace'),
  belongs('gatewayLabels'),
  belongs('resources'),
  {
    cel: "self.kind != 'Unstructured' || has(self.resources)",
    holds: ({ kind, resources }) => kind !== 'Unstructured' || resources !== undefined,
    message: 'kind: Unstructured needs resources, such as virtualmachineinstances.v1.kubevirt.io',
  },
);

export type SpecSource = z.output<typeof source>;
export type ServiceType = NonNullable<SpecSource['serviceTypes']>[number];

/** The types of Services to discover. Only LoadBalancer by default: the other types need more permissions. */
export const serviceTypesOf = ({ serviceTypes }: Pick<SpecSource, 'serviceTypes'>): ServiceType[] =>
  serviceTypes ?? ['LoadBalancer'];

const gatewayFilters = ['gatewayName', 'gatewayNamespace', 'gatewayLabels'] as const;

const sameFilter = (filter: string) =>
  `has(s.${filter}) == has(t.${filter}) && (!has(s.${filter}) || s.${filter} == t.${filter})`;

/** The Gateway filters of a route's source, serialized for comparison. */
const gatewaysOf = ({ gatewayName, gatewayNamespace, gatewayLabels }: SpecSource): string =>
  JSON.stringify([gatewayName, gatewayNamespace, gatewayLabels && Object.entries(gatewayLabels).sort()]);

export const sources = withRules(
  z.array(source).max(16),
  {
    cel: 'self.all(s, self.exists_one(t, t.kind == s.kind))',
    holds: (list) => new Set(list.map((s) => s.kind)).size === list.length,
    message: 'sources must be of different kinds',
  },
  {
    cel: `self.all(s, self.all(t, !(s.kind in ${quoted(routes)} && t.kind in ${quoted(routes)}) || (${gatewayFilters.map(sameFilter).join(' && ')})))`,
    holds: (list) => new Set(list.filter(({ kind }) => routes.includes(kind)).map(gatewaysOf)).size <= 1,
    message:
      'gatewayName, gatewayNamespace and gatewayLabels must be the same for all routes: ExternalDNS has one flag of each; give other Gateways an InternalDNS of their own',
  },
)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['kind'] })
  .default([{ kind: 'Ingress' }, { kind: 'Service' }])
  .describe(
    'Kinds of objects to discover. Machine, NameClaim and Zone are read by the agent, all others by ExternalDNS. If none of those is listed, ExternalDNS does not run.',
  );

/** Whether a source is of one of these kinds, for rules of an object with the field `sources`. */
export const kindsIn = {
  cel: (kinds: readonly string[]) => `self.sources.exists(s, s.kind in ${quoted(kinds)})`,
  holds: (list: readonly SpecSource[], kinds: readonly string[]) => list.some(({ kind }) => kinds.includes(kind)),
};

/** Whether teams can have zones of their own. */
export const hasZones = (sources: readonly Pick<SpecSource, 'kind'>[]): boolean =>
  sources.some(({ kind }) => kind === 'Zone');
