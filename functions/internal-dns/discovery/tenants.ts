import * as z from 'zod';
import { acrossNamespaces } from '../../contract/declaration.ts';
import { matching, uniqueList, withRules } from '../rules.ts';
import { labelSelector } from './selector-schema.ts';

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
});

export const tenants = z
  .array(tenant)
  .max(64)
  .default([])
  .describe(
    'Restricts names to namespaces: objects in the namespaces of a tenant can have its names and no others, and no other objects can have them. The pattern name matches that name, *.name every name below it, and [*].name only that wildcard.',
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
