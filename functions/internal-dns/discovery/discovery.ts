import * as z from 'zod';
import { discoverable } from '../../contract/declaration.ts';
import { hostLabel } from '../../contract/host-rules.ts';
import type { LabelSelector } from '../../contract/label-selector.ts';
import { domainName, namespaceName } from '../../contract/name-form.ts';
import { durationOf, matching, uniqueList, withRules } from '../../contract/rules.ts';
import { labelSelector } from '../../contract/selector-schema.ts';
import { annotationPrefix, legacyAnnotationPrefix } from '../../contract/source-kinds.ts';
import { ttl } from '../../dns/record.ts';
import { deleteGuard } from './delete-guard.ts';
import { extraArgs } from './extra-args.ts';
import { clusterWide, kindsWith, routes } from './kind.ts';
import { ownershipTXT } from './ownership-txt.ts';
import { hasZones, kindsIn, sources } from './source.ts';
import { targets } from './targets.ts';
import { allowAcrossNamespaces, reservedNames, tenants } from './tenants.ts';

const fields = z.object({
  sources,
  namespaces: uniqueList(namespaceName('namespace'), 8)
    .default([])
    .describe(
      'Namespaces to discover objects in, each with an ExternalDNS of its own. They must exist. Defaults to all namespaces, with a single ExternalDNS.',
    ),
  selector: labelSelector.optional().describe('Selects objects by their labels. If unset, all objects are selected.'),
  annotationSelector: labelSelector
    .optional()
    .describe(
      'Selects objects by their annotations, with the semantics of a label selector. If unset, all objects are selected.',
    ),
  annotationPrefix: withRules(
    z.string().min(2).max(253),
    matching(
      `^${hostLabel}([.]${hostLabel})*/$`,
      'annotationPrefix must be a domain name with a slash at its end, such as dns.corp.internal/',
    ),
  )
    .optional()
    .describe(
      `Prefix of the annotations, to divide objects between instances. Defaults to both prefixes of ExternalDNS: ${annotationPrefix} and, from before v0.22, ${legacyAnnotationPrefix}.`,
    ),
  hostnames: z
    .enum(['Spec', 'SpecAndAnnotations'])
    .default('SpecAndAnnotations')
    .describe('Where hosts are read from. Spec ignores the annotations that name hosts.'),
  recordTypes: uniqueList(z.enum(discoverable), discoverable.length, 1)
    .default(['A', 'AAAA', 'CNAME'])
    .describe(
      'Types of records to publish. Types other than the default ones come from DNSEndpoints; SRV also comes from Services of type NodePort.',
    ),
  excludedDomains: uniqueList(domainName('domain'), 64)
    .default([])
    .describe('Domains in which no names are published. Includes all their subdomains.'),
  targets,
  defaultTTL: ttl
    .optional()
    .describe('TTL in seconds of records whose object has no TTL. Defaults to the defaultTTL of the zone.'),
  minimumTTL: ttl.optional().describe('Minimum TTL in seconds of discovered records. Lower ones are raised to it.'),
  interval: durationOf('interval', '1s')
    .optional()
    .describe(
      'Interval at which ExternalDNS compares the cluster with the zones. Defaults to 10s where it only confirms what the agent has published, and to 2s where some objects are left to it. See docs/discovery.md.',
    ),
  anticipation: z
    .enum(['Enabled', 'Disabled'])
    .default('Enabled')
    .describe(
      'Whether the agent publishes what Ingresses, Services, routes and DNSEndpoints ask for before ExternalDNS does.',
    ),
  policy: z
    .enum(['Sync', 'UpsertOnly', 'CreateOnly', 'Preview'])
    .default('Sync')
    .describe(
      'How records follow their objects. Sync creates, updates and deletes records; UpsertOnly never deletes them; CreateOnly never changes or deletes them; Preview changes nothing and shows in the status what Sync would do. No policy applies to zones of teams (kind Zone).',
    ),
  ownerID: withRules(
    z.string().min(1).max(63),
    matching('^[A-Za-z0-9._-]+$', 'ownerID must consist of letters, digits, dots, hyphens and underscores'),
  )
    .optional()
    .describe('Identifies the owner of discovered records. Defaults to the name of the InternalDNS.'),
  ownershipTXT,
  reverse: z
    .enum(['Off', 'Publish'])
    .default('Off')
    .describe(
      'Publish creates PTR records for the published addresses in the declared reverse zones. "Off" must be quoted: YAML reads a bare Off as false.',
    ),
  deleteGuard,
  sharedHosts: z
    .enum(['FirstWins', 'SameNamespace', 'Merge', 'Refuse'])
    .default('SameNamespace')
    .describe(
      'How to resolve conflicts between objects that request the same host with different targets. FirstWins: the object that already has the host keeps it, otherwise the oldest object gets it. SameNamespace: as FirstWins between namespaces, while objects in the same namespace share the host. Merge: all objects share the host. Refuse: the object that already has the host keeps it, otherwise no object gets it.',
    ),
  tenants,
  reservedNames,
  allowAcrossNamespaces,
  maxNamesPerNamespace: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('Maximum number of names that the objects in a namespace can have.'),
  admission: z
    .object({
      enabled: z
        .boolean()
        .default(false)
        .describe('Whether to create a ValidatingAdmissionPolicy. Requires Kubernetes 1.30.'),
      outsideZones: z
        .enum(['Allow', 'Warn', 'Deny'])
        .default('Warn')
        .describe('How the policy handles names outside the zones.'),
    })
    .prefault({})
    .describe(
      'Admission policy, which validates the hosts of objects when they are applied, as far as the API server can.',
    ),
  extraArgs,
});

type Fields = z.output<typeof fields>;

const onNodePorts = "self.sources.exists(s, has(s.serviceTypes) && 'NodePort' in s.serviceTypes)";
const hasNodePorts = ({ sources }: Fields) =>
  sources.some(({ serviceTypes = [] }) => serviceTypes.includes('NodePort'));

// Nested defaults may be missing: the API server applies the rules to the default of the whole object as it is written.
const unlimited = '!has(self.namespaces) || size(self.namespaces) == 0';

/** Rejects `namespaces` together with kinds that are watched in the whole cluster. */
const everywhere = (kinds: string[], reason: string) => ({
  cel: `${unlimited} || !${kindsIn.cel(kinds)}`,
  holds: ({ namespaces, sources }: Fields) => namespaces.length === 0 || !kindsIn.holds(sources, kinds),
  message: `namespaces cannot be used with kind: ${kinds.join(', ')}: ${reason}`,
});

const nodes = kindsWith((kind) => kind.clusterWide === 'nodes');
const onNodes = kindsWith((kind) => kind.clusterWide === 'onNodes');
const hostless = kindsWith((kind) => kind.hostless === true);

const ingressClass = 'kubernetes.io/ingress.class';
const selectsClass = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector) =>
  ingressClass in matchLabels || matchExpressions.some(({ key }) => key === ingressClass);

export const discovery = withRules(
  fields,
  everywhere(routes, clusterWide.routes),
  everywhere(nodes, clusterWide.nodes),
  everywhere(onNodes, clusterWide.onNodes),
  {
    cel: `${unlimited} || !${onNodePorts}`,
    holds: (discovery) => discovery.namespaces.length === 0 || !hasNodePorts(discovery),
    message: `namespaces cannot be used with serviceTypes: NodePort: ${clusterWide.onNodes}`,
  },
  {
    cel: `!has(self.tenants) || ${kindsIn.cel(['Zone'])} || self.tenants.all(t, !has(t.zones) || size(t.zones) == 0)`,
    holds: ({ tenants, sources }) => hasZones(sources) || tenants.every(({ zones }) => zones.length === 0),
    message: 'tenants have zones, but no Zone is read: add kind: Zone to sources',
  },
  {
    cel: `!has(self.hostnames) || self.hostnames != 'Spec' || !${kindsIn.cel(hostless)}`,
    holds: ({ hostnames, sources }) => hostnames !== 'Spec' || !kindsIn.holds(sources, hostless),
    message: `hostnames: Spec cannot be used with kind: ${hostless.join(', ')}: ExternalDNS reads their hosts from annotations only, or in any case: set sources without them`,
  },
  {
    cel: `!has(self.annotationSelector) || !self.sources.exists(s, has(s.ingressClassNames)) || !((has(self.annotationSelector.matchLabels) && '${ingressClass}' in self.annotationSelector.matchLabels) || (has(self.annotationSelector.matchExpressions) && self.annotationSelector.matchExpressions.exists(e, e.key == '${ingressClass}')))`,
    holds: ({ annotationSelector, sources }) =>
      !annotationSelector || sources.every((s) => !s.ingressClassNames) || !selectsClass(annotationSelector),
    message: `annotationSelector cannot select by ${ingressClass} together with ingressClassNames, which also match it: ExternalDNS accepts only one of them`,
  },
)
  .prefault({})
  .describe('Which objects of the cluster get records, and how.');
