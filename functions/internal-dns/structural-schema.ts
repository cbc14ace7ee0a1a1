import { stringify } from 'yaml';
import * as z from 'zod';
import type { Schema } from './reference.ts';

/**
 * A zod schema as a structural schema of Kubernetes:
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export function structural(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    override: ({ jsonSchema: node }) => {
      if (node.properties && Object.keys(node.properties).length === 0) {
        delete node.properties;
        (node as Record<string, unknown>)['x-kubernetes-preserve-unknown-fields'] = true;
        delete node.additionalProperties;
      }
      if (node.properties) delete node.additionalProperties;
      if (node.type === 'integer') {
        if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
        if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      }
      // The API's only union, in the only form that Kubernetes allows.
      if (node.anyOf) node.anyOf = [{ type: 'integer' }, { type: 'string' }];
      delete (node as Record<string, unknown>).propertyNames;
    },
  }) as Schema;
}

/** An object as YAML that Kubernetes reads: in YAML 1.1, a bare Off is a boolean. */
export const manifestOf = (object: unknown): string =>
  stringify(object, { version: '1.1', lineWidth: 120, aliasDuplicateObjects: false });
