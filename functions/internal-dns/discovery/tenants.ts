import * as z from 'zod';
import { acrossNamespaces, claimants, tenantChecks } from '../../contract/declaration.ts';
import { parsePattern } from '../../contract/host-rules.ts';
import { matching, network, uniqueList, withRules } from '../../contract/rules.ts';
import { labelSelector } from '../../contract/selector-schema.ts';
import { hasZones, type SpecSource } from './source.ts';

/** Short, because the API server estimates the cost of a rule by its length, and there can be thousands of patterns. */
const patternForm = '^([*][.]|[[][*]][.])?[-a-z0-9_]{1,63}([.][-a-z0-9_]{1,63})*$';

/**
 * A pattern: `www.corp.internal` itself, `*.corp.internal` for all names below it, `[*].corp.internal` for the wildcard
 * only.
 */
const namePattern = (field: string): z.ZodString =>
  withRules(
    z.string().min(1).max(257),
    matching(
      patternForm,
      `${field} must be a name, *.name for every name below it, or [*].name for that wildcard alone, in lower case and without the trailing dot`,
    ),
  );

const tenant = z.object({
  namespaceSelector: labelSelector.describe(
    'Selects the namespaces of the tenant by their labels. {} selects every namespace.',
  ),
  names: uniqueList(namePattern('a name of a tenant'), 64).describe('Names that objects in these namespaces can have.'),
  networks: uniqueList(network, 64)
    .default([])
    .describe(
      'Networks of the addresses that Machines and NameClaims in these namespaces can have, and that records of their Zones can check, such as 192.0.2.0/24. If empty, they can have any.',
    ),
  machines: z
    .enum(claimants)
    .default('SelectableByNamespace')
    .describe(
      'Whose NameClaims can have Machines in these namespaces as members. SelectableByNamespace: those of the same namespace; SelectableByTenant: those of all namespaces of the tenant; SelectableByAll: those of every namespace.',
    ),
  checks: z
    .enum(tenantChecks)
    .default('Port')
    .describe(
      'Checks that NameClaims in these namespaces can have. Port: whether a port accepts connections; URL: also whether a page answers. The server requests that page, and follows its redirects, from its own pod.',
    ),
  zones: uniqueList(namePattern('a zone of a tenant'), 64)
    .default([])
    .describe(
      'Zones that these namespaces can declare, as objects of kind Zone: docs/zones.md. Patterns as in names. A zone below one of this InternalDNS takes its names from it. Needs the source Zone.',
    ),
});

export const tenants = z
  .array(tenant)
  .max(64)
  .default([])
  .describe(
    'Restricts names to namespaces: objects in the namespaces of a tenant can have its names and no others, and no other objects can have them. Only the namespaces of a tenant can have zones of their own. The pattern name matches that name, *.name every name below it, and [*].name only that wildcard.',
  )
  .meta({ 'x-kubernetes-list-type': 'atomic' });

export const allowAcrossNamespaces = uniqueList(z.enum(acrossNamespaces), acrossNamespaces.length)
  .default([])
  .describe(
    'Names that an object can have next to hosts of other namespaces. For a host www, UnderscoreNames are names such as _acme-challenge.www, Wildcards is *.www, and Delegations are NS records at, above or below it. A tenant can always have them among its own names.',
  );

export const reservedNames = uniqueList(namePattern('a reserved name'), 256)
  .default([])
  .describe(
    'Names that no object can have, with patterns as in tenants. Wildcards of objects do not answer for them either.',
  );

/** Names at and below which teams can have zones. Which of them there are, only the agent knows. */
export function zonesOfTeams(discovery: {
  sources: readonly SpecSource[];
  tenants: z.output<typeof tenants>;
}): string[] {
  if (!hasZones(discovery.sources)) return [];
  const patterns = discovery.tenants.flatMap(({ zones }) => zones.map(parsePattern));
  // A pattern of one wildcard matches no zone.
  return [...new Set(patterns.map(({ name }) => name))].filter((name) => !name.startsWith('*'));
}
