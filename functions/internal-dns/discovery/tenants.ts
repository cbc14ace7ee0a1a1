import * as z from 'zod';
import { acrossNamespaces } from '../../contract/declaration.ts';
import { matching, uniqueList, withRules } from '../rules.ts';
import { labelSelector } from './selector-schema.ts';

/** Short, because the API server prices a rule by its length, and there may be thousands of patterns. */
const patternForm = '^([*][.]|[[][*]][.])?[-a-z0-9_]{1,63}([.][-a-z0-9_]{1,63})*$';

/** Names: `www.corp.internal` itself, `*.corp.internal` for all below it, `[*].corp.internal` for the wildcard alone. */
const namePattern = (field: string): z.ZodString =>
  withRules(
    z.string().min(1).max(257),
    matching(
      patternForm,
      `${field} must be a name, *.name for every name below it, or [*].name for that wildcard alone, in lower case and without the trailing dot`,
    ),
  );

const tenant = z.object({
  namespaceSelector: labelSelector.describe('The namespaces, by their labels; {} is every namespace.'),
  names: uniqueList(namePattern('a name of a tenant'), 64).describe('The names that their objects may take.'),
});

export const tenants = z
  .array(tenant)
  .max(64)
  .default([])
  .describe(
    'Who may take which names: the objects of a tenant have its names and no others, and nobody else has them. A name is that name, *.name every name below it, [*].name that wildcard alone.',
  )
  .meta({ 'x-kubernetes-list-type': 'atomic' });

export const allowAcrossNamespaces = uniqueList(z.enum(acrossNamespaces), acrossNamespaces.length)
  .default([])
  .describe(
    'What an object may take beside hosts of other namespaces. UnderscoreNames: _acme-challenge.www and the like for a host www. Wildcards: *.www below it. Delegations: NS records at, above or below it. A tenant takes these among its own names in any case.',
  );

export const reservedNames = uniqueList(namePattern('a reserved name'), 256)
  .default([])
  .describe('Names that no object may take, written as in tenants. No wildcard of an object answers for them either.');
