import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import * as z from 'zod';
import { referenceOf, type Schema } from './reference.ts';
import { compositeName, spec } from './spec.ts';
import { status } from './status.ts';

const group = 'dns.internal';
const version = 'v1alpha1';
const kind = 'InternalDNS';

/** The schema of an InternalDNS, without what Crossplane adds. */
const schema: Schema = {
  type: 'object',
  description: 'A DNS server for the names of a cluster.',
  required: ['spec'],
  'x-kubernetes-validations': [{ rule: compositeName.cel, message: compositeName.message }],
  properties: { spec: structural(spec), status: structural(status) },
};

/** The XRD. */
const definition = {
  apiVersion: 'apiextensions.crossplane.io/v2',
  kind: 'CompositeResourceDefinition',
  metadata: { name: `internaldnses.${group}` },
  spec: {
    group,
    names: { kind, plural: 'internaldnses', singular: 'internaldns', shortNames: ['idns'] },
    scope: 'Cluster',
    defaultCompositionRef: { name: `internaldnses.${group}` },
    versions: [
      {
        name: version,
        served: true,
        referenceable: true,
        additionalPrinterColumns: [
          { name: 'Zones', type: 'string', jsonPath: '.status.zonesServed' },
          { name: 'Names', type: 'string', jsonPath: '.status.namesResolved' },
          { name: 'Address', type: 'string', jsonPath: '.status.address' },
        ],
        schema: { openAPIV3Schema: schema },
      },
    ],
  },
};

/** The files generated from spec.ts and status.ts, by path in the repository. Running this module writes them. */
export const generated: Readonly<Record<string, string>> = {
  // In YAML 1.1, which Kubernetes reads, a bare Off is a boolean.
  'apis/internaldns/definition.yaml': stringify(definition, {
    version: '1.1',
    lineWidth: 120,
    aliasDuplicateObjects: false,
  }),
  'docs/api.md': referenceOf({ apiVersion: `${group}/${version}`, kind, schema }),
};

/**
 * A zod schema as a structural schema of Kubernetes:
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
function structural(schema: z.ZodType): Schema {
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

if (import.meta.main) {
  const root = join(import.meta.dirname, '../..');
  for (const [path, text] of Object.entries(generated)) writeFileSync(join(root, path), text);
}
