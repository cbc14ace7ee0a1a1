import * as z from 'zod';
import { setOf } from '../rules.ts';
import { labelSelector } from './label-selector.ts';
import { namePattern } from './name-pattern.ts';

const tenant = z.object({
  namespaceSelector: labelSelector.describe('The namespaces, by their labels; {} is every namespace.'),
  names: setOf(namePattern('a name of a tenant'), 64).describe('The names that their objects may take.'),
});

export const tenants = z
  .array(tenant)
  .max(64)
  .default([])
  .describe(
    'Who may take which names: the objects of a tenant have its names and no others, and nobody else has them. A name is that name, *.name every name below it, [*].name that wildcard alone.',
  )
  .meta({ 'x-kubernetes-list-type': 'atomic' });

export const reservedNames = setOf(namePattern('a reserved name'), 256)
  .default([])
  .describe('Names that no object may take, written as in tenants.');
