import { stringify } from 'yaml';
import { z } from 'zod';
import { compositeName, spec } from './spec.ts';
import { status } from './status.ts';

/** The XRD, made of spec.ts and status.ts. Run as a program it prints the committed file. */
export function definition(): object {
  return {
    apiVersion: 'apiextensions.crossplane.io/v2',
    kind: 'CompositeResourceDefinition',
    metadata: { name: 'internaldnses.dns.internal' },
    spec: {
      group: 'dns.internal',
      names: { kind: 'InternalDNS', plural: 'internaldnses', singular: 'internaldns', shortNames: ['idns'] },
      scope: 'Cluster',
      defaultCompositionRef: { name: 'internaldnses.dns.internal' },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          referenceable: true,
          additionalPrinterColumns: [
            { name: 'Zones', type: 'string', jsonPath: '.status.zonesServed' },
            { name: 'Address', type: 'string', jsonPath: '.status.address' },
          ],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: 'A DNS server for the names of a cluster.',
              required: ['spec'],
              'x-kubernetes-validations': [{ rule: compositeName.cel, message: compositeName.message }],
              properties: { spec: structural(spec), status: structural(status) },
            },
          },
        },
      ],
    },
  };
}

/**
 * A zod schema as a structural schema of Kubernetes:
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
function structural(schema: z.ZodType): object {
  const json = z.toJSONSchema(schema, {
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
      // The one union of the API: Kubernetes allows exactly this form of it.
      if (node.anyOf) node.anyOf = [{ type: 'integer' }, { type: 'string' }];
      delete (node as Record<string, unknown>).propertyNames;
    },
  });
  return json;
}

if (import.meta.main) process.stdout.write(stringify(definition(), { lineWidth: 120, aliasDuplicateObjects: false }));
