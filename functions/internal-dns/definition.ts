import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { group, version } from '../contract/kinds/group.ts';
import { kindFiles } from './kinds.ts';
import { referenceOf, type Schema } from './reference.ts';
import { compositeName, spec, viewsOfOthers } from './spec.ts';
import { status } from './status.ts';
import { manifestOf, structural } from './structural-schema.ts';

const kind = 'InternalDNS';

/** The schema of an InternalDNS, without what Crossplane adds. */
const schema: Schema = {
  type: 'object',
  description: 'A DNS server for the names of a cluster.',
  required: ['spec'],
  'x-kubernetes-validations': [compositeName, viewsOfOthers].map(({ cel, message }) => ({ rule: cel, message })),
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

/** The files generated from the schemas, by path in the repository. Running this module writes them. */
export const generated: Readonly<Record<string, string>> = {
  'apis/internaldns/definition.yaml': manifestOf(definition),
  'docs/api.md': referenceOf({
    apiVersion: `${group}/${version}`,
    kind,
    schema,
    scope: 'cluster-scoped',
    shortName: 'idns',
    source: 'functions/internal-dns/spec.ts',
  }),
  ...kindFiles,
};

if (import.meta.main) {
  const root = join(import.meta.dirname, '../..');
  for (const [path, text] of Object.entries(generated)) writeFileSync(join(root, path), text);
}
