import type * as z from 'zod';
import { group, version } from '../contract/kinds/group.ts';
import { machineName, machineSpec, machineStatus } from '../contract/kinds/machine.ts';
import { nameClaimSpec, nameClaimStatus } from '../contract/kinds/name-claim.ts';
import { zoneSpec, zoneStatus } from '../contract/kinds/zone.ts';
import { referenceOf, type Schema } from './reference.ts';
import { manifestOf, structural } from './structural-schema.ts';

/** A namespaced kind that people apply beside an InternalDNS: a plain CRD, which a package cannot carry. */
interface NamespacedKind {
  kind: string;
  plural: string;
  shortName: string;
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  /** CEL on the whole object. */
  rules?: { rule: string; message: string }[];
  columns: { name: string; type: 'string' | 'date'; jsonPath: string }[];
  /** The module of the schema. */
  source: string;
  /** Its reference page. */
  page: string;
  /** The page on how it is used. */
  guide: string;
}

/** In the entry of the first InternalDNS: nearly always there is only one. */
const ofInstance = (path: string) => `.status.instances[0].${path}`;
const ready = { name: 'Ready', type: 'string', jsonPath: ofInstance('conditions[?(@.type=="Ready")].status') } as const;
const reason = {
  name: 'Reason',
  type: 'string',
  jsonPath: ofInstance('conditions[?(@.type=="Ready")].reason'),
} as const;
const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' } as const;

const kinds: NamespacedKind[] = [
  {
    kind: 'Machine',
    plural: 'machines',
    shortName: 'mach',
    description:
      'A host that is not in the cluster, such as a virtual machine, a NAS or a printer. Its labels are what NameClaims select.',
    spec: machineSpec,
    status: machineStatus,
    rules: [machineName],
    columns: [
      { name: 'Name', type: 'string', jsonPath: ofInstance('fqdn') },
      { name: 'Address', type: 'string', jsonPath: '.spec.addresses[0]' },
      ready,
      reason,
      age,
    ],
    source: 'functions/contract/kinds/machine.ts',
    page: 'docs/machine-api.md',
    guide: 'docs/machines.md',
  },
  {
    kind: 'NameClaim',
    plural: 'nameclaims',
    shortName: 'nc',
    description: 'A name that several hosts share, or that each of them gets for itself.',
    spec: nameClaimSpec,
    status: nameClaimStatus,
    columns: [
      { name: 'Name', type: 'string', jsonPath: '.spec.name' },
      { name: 'Up', type: 'string', jsonPath: ofInstance('membersUp') },
      ready,
      reason,
      age,
    ],
    source: 'functions/contract/kinds/name-claim.ts',
    page: 'docs/nameclaim-api.md',
    guide: 'docs/machines.md',
  },
  {
    kind: 'Zone',
    plural: 'zones',
    shortName: 'dz',
    description: 'A domain of a team, with its records, settings and DNSSEC.',
    spec: zoneSpec,
    status: zoneStatus,
    columns: [
      { name: 'Domain', type: 'string', jsonPath: '.spec.name' },
      { name: 'State', type: 'string', jsonPath: ofInstance('state') },
      age,
    ],
    source: 'functions/contract/kinds/zone.ts',
    page: 'docs/zone-api.md',
    guide: 'docs/zones.md',
  },
];

const schemaOf = ({ description, spec, status, rules }: NamespacedKind): Schema => ({
  type: 'object',
  description,
  required: ['spec'],
  ...(rules && { 'x-kubernetes-validations': rules }),
  properties: { spec: structural(spec), status: structural(status) },
});

function definitionOf(of: NamespacedKind) {
  const { kind, plural, shortName, columns } = of;
  const schema = schemaOf(of);
  const properties = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: { ...schema, properties: { ...properties, ...schema.properties } } },
        },
      ],
    },
  };
}

const comment = ({ page, source, guide }: NamespacedKind) => `# Written by \`make generate\`; the source is ${source}.
# ${page} describes the fields. Without this file there are no objects of the kind, and nothing else is missing. Deleting
# it deletes all of them: ${guide}.
`;

/** The CRDs and their reference pages, by path in the repository. */
export const kindFiles: Readonly<Record<string, string>> = Object.fromEntries(
  kinds.flatMap((each) => [
    [`configuration/${each.kind.toLowerCase()}.yaml`, comment(each) + manifestOf(definitionOf(each))],
    [
      each.page,
      referenceOf({
        ...each,
        apiVersion: `${group}/${version}`,
        schema: schemaOf(each),
        scope: 'namespaced',
      }),
    ],
  ]),
);
