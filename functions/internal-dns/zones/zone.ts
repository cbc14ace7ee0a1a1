import * as z from 'zod';
import { objectName } from '../../contract/name-form.ts';
import { matching, withCEL, withRules } from '../../contract/rules.ts';
import { dnssecTransitions, nameServersRule, zoneFields } from '../../contract/zone-schema.ts';

const zoneFile = z.object({
  configMapKeyRef: z
    .object({
      name: objectName('name', 'a ConfigMap').describe('Name of the ConfigMap.'),
      key: withRules(
        z.string().min(1).max(253),
        matching(
          '^[-._a-zA-Z0-9]+$',
          'key must be a key of a ConfigMap: letters, digits, hyphens, underscores and dots',
        ),
      ).describe('Key in the ConfigMap, such as corp.internal.zone.'),
    })
    .describe('Selects a key of a ConfigMap in spec.namespace.'),
});

const { dnssec, ...fields } = zoneFields({
  unsigning: 'the condition ZonesReady',
  keys: 'The key is stored in the Secret idns-<name>-dnssec; the status contains its DS records.',
  moreRecords: 'For more than 1000, use recordsFrom.',
});

export const zone = withCEL(
  withRules(
    z.object({
      ...fields,
      recordsFrom: z
        .array(zoneFile)
        .max(16)
        .default([])
        .describe('Zone files (RFC 1035) in ConfigMaps in spec.namespace. Changes take effect without a restart.')
        .meta({ 'x-kubernetes-list-type': 'atomic' }),
      dnssec,
    }),
    nameServersRule,
  ),
  ...dnssecTransitions('ZonesReady'),
);

export type SpecZone = z.output<typeof zone>;
