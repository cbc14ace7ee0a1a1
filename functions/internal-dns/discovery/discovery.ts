import * as z from 'zod';
import { discoverable } from '../../contract/declaration.ts';
import { hostLabel } from '../../contract/host-rules.ts';
import type { LabelSelector } from '../../contract/label-selector.ts';
import { ttl } from '../../dns/record.ts';
import { domainName, namespaceName } from '../name-form.ts';
import { durationOf, matching, uniqueList, withRules } from '../rules.ts';
import { deleteGuard } from './delete-guard.ts';
import { extraArgs } from './extra-args.ts';
import { clusterWide, kindsWith, routes } from './kind.ts';
import { ownershipTXT } from './ownership-txt.ts';
import { labelSelector } from './selector-schema.ts';
import { kindsIn, sources } from './source.ts';
import { targets } from './targets.ts';
import { allowAcrossNamespaces, reservedNames, tenants } from './tenants.ts';

const fields = z.object({
  sources,
  namespaces: uniqueList(namespaceName('namespace'), 8)
    .default([])
    .describe(
      'Only objects in these are seen, and each has an ExternalDNS of its own. They must exist. None means all, with one ExternalDNS.',
    ),
  selector: labelSelector.optional().describe('Only objects with these labels count.'),
  annotationSelector: labelSelector
    .optional()
    .describe('Only objects with these annotations count; they are compared as labels are.'),
  annotationPrefix: withRules(
    z.string().min(2).max(253),
    matching(
      `^${hostLabel}([.]${hostLabel})*/$`,
      'annotationPrefix must be a domain name with a slash at its end, such as dns.corp.internal/',
    ),
  )
    .optional()
    .describe(
      'What the names of annotations begin with, to divide objects between instances. Default: external-dns.kubernetes.io/ and, as before v0.22, external-dns.alpha.kubernetes.io/.',
    ),
  hostnames: z
    .enum(['Spec', 'SpecAndAnnotations'])
    .default('SpecAndAnnotations')
    .describe('Spec: annotations name no host, only what an object says in its spec counts.'),
  recordTypes: uniqueList(z.enum(discoverable), discoverable.length, 1)
    .default(['A', 'AAAA', 'CNAME'])
    .describe(
      'The types of records that are published. Those beyond the default come from DNSEndpoints, and SRV from Services of type NodePort, too.',
    ),
  excludedDomains: uniqueList(domainName('domain'), 64)
    .default([])
    .describe('Domains in which no object gets a name, and everything below them.'),
  targets,
  defaultTTL: ttl.optional().describe("Seconds, of records whose object states no TTL. Default: the zone's."),
  minimumTTL: ttl.optional().describe('Seconds: no object gets less.'),
  interval: durationOf('interval', '1s').default('2s').describe('How often the cluster is compared with the zones.'),
  policy: z
    .enum(['Sync', 'UpsertOnly', 'CreateOnly', 'Preview'])
    .default('Sync')
    .describe(
      'Sync also removes records whose object is gone; UpsertOnly keeps them; CreateOnly never changes one; Preview changes nothing and shows in the status what Sync would do.',
    ),
  ownerID: withRules(
    z.string().min(1).max(63),
    matching('^[A-Za-z0-9._-]+$', 'ownerID must consist of letters, digits, dots, hyphens and underscores'),
  )
    .optional()
    .describe("Marks discovered records as this instance's. Default: the name of the InternalDNS."),
  ownershipTXT,
  reverse: z
    .enum(['Off', 'Publish'])
    .default('Off')
    .describe(
      'Publish: PTR records for the addresses that are published, in the reverse zones that are declared. "Off" is written in quotes: to YAML a bare Off is false.',
    ),
  deleteGuard,
  sharedHosts: z
    .enum(['FirstWins', 'SameNamespace', 'Merge', 'Refuse'])
    .default('SameNamespace')
    .describe(
      'What becomes of a host that several objects name with different answers. FirstWins: the object that has it keeps it, else the oldest one gets it. SameNamespace: likewise between namespaces, while objects of one namespace share it. Merge: all share it. Refuse: whoever has it keeps it, else nobody gets it.',
    ),
  tenants,
  reservedNames,
  allowAcrossNamespaces,
  maxNamesPerNamespace: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('How many names the objects of one namespace may take.'),
  admission: z
    .object({
      enabled: z
        .boolean()
        .default(false)
        .describe('Whether there is a ValidatingAdmissionPolicy, which needs Kubernetes 1.30.'),
      outsideZones: z
        .enum(['Allow', 'Warn', 'Deny'])
        .default('Warn')
        .describe('What it does with names outside the zones.'),
    })
    .prefault({})
    .describe('Judges objects when they are applied, as far as the API server can.'),
  extraArgs,
});

type Fields = z.output<typeof fields>;

const onNodePorts = "self.sources.exists(s, has(s.serviceTypes) && 'NodePort' in s.serviceTypes)";
const hasNodePorts = ({ sources }: Fields) =>
  sources.some(({ serviceTypes = [] }) => serviceTypes.includes('NodePort'));

// Defaults may be missing: the API server applies the rules to the default of the whole object as it is written.
const unlimited = '!has(self.namespaces) || size(self.namespaces) == 0';

/** Refuses `namespaces` beside kinds that are watched in the whole cluster. */
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
    cel: `!has(self.hostnames) || self.hostnames != 'Spec' || !${kindsIn.cel(hostless)}`,
    holds: ({ hostnames, sources }) => hostnames !== 'Spec' || !kindsIn.holds(sources, hostless),
    message: `hostnames: Spec cannot be used with kind: ${hostless.join(', ')}: ExternalDNS has no host of them but by annotation, or takes that in any case; state sources without them`,
  },
  {
    cel: `!has(self.annotationSelector) || !self.sources.exists(s, has(s.ingressClassNames)) || !((has(self.annotationSelector.matchLabels) && '${ingressClass}' in self.annotationSelector.matchLabels) || (has(self.annotationSelector.matchExpressions) && self.annotationSelector.matchExpressions.exists(e, e.key == '${ingressClass}')))`,
    holds: ({ annotationSelector, sources }) =>
      !annotationSelector || sources.every((s) => !s.ingressClassNames) || !selectsClass(annotationSelector),
    message: `annotationSelector cannot select by ${ingressClass} beside ingressClassNames, which compare with it as well: ExternalDNS takes one of them`,
  },
)
  .prefault({})
  .describe('Which objects of the cluster get records.');
