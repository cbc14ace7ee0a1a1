import * as z from 'zod';
import { type SOA, soa as soaFields } from '../../dns/rdata/soa.ts';
import { record, ttl } from '../../dns/record.ts';
import { defaultTTL } from '../../dns/zone/apex.ts';
import { hostName, inFull, objectName, zoneName } from '../name-form.ts';
import { matching, type Rule, withCEL, withRules } from '../rules.ts';

// No CEL rules below `records`: the API server estimates their cost by the maximum number of records. The function
// checks them.

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

const named = (field: 'mname' | 'rname', form: string, example: string): Rule<SOA> => ({
  cel: `!has(self.${field}) || self.${field}.matches('${form}')`,
  holds: ({ [field]: name }) => name === undefined || new RegExp(form).test(name),
  message: inFull(`soa.${field}`, example),
});

const soa = withRules(
  soaFields,
  named('mname', '[.].', 'ns1.corp.internal'),
  // A dot behind a backslash is part of a label (RFC 1035 section 5.1); in CEL a backslash is written as two.
  named('rname', String.raw`@|[^\\\\][.].`, 'hostmaster@corp.internal'),
);

const dnssec = z
  .object({
    mode: z
      .enum(['Off', 'Signed', 'Unsigning'])
      .default('Off')
      .describe(
        'Whether the zone is signed. To turn signing off, set Unsigning first: the zone stays signed while the condition ZonesReady shows which DS records to remove, then set "Off". "Off" must be quoted: YAML reads a bare Off as false.',
      ),
    algorithm: z
      .enum(['ECDSA256', 'ECDSA384', 'ED25519'])
      .default('ECDSA256')
      .describe(
        'Algorithm of the key, which is generated once. To change it, set mode to Unsigning and then to "Off" first.',
      ),
    nsec3: z
      .boolean()
      .default(false)
      .describe(
        'Whether to deny the existence of names with NSEC3 (hashes) instead of NSEC, so that the zone cannot be enumerated.',
      ),
  })
  .optional()
  .describe('DNSSEC. The key is stored in the Secret idns-<name>-dnssec; the status contains its DS records.');

const isKeyed = "has(oldSelf.dnssec) && oldSelf.dnssec.mode != 'Off'";
const staysKeyed = "has(self.dnssec) && self.dnssec.mode != 'Off'";

export const zone = withCEL(
  withRules(
    z.object({
      name: zoneName('zone name').describe(
        'Name of the zone, forward or reverse, such as corp.internal, 2.0.192.in-addr.arpa or 64/26.2.0.192.in-addr.arpa.',
      ),
      nameServers: z
        .array(hostName('name server'))
        .max(13)
        .default([])
        .describe(
          'Names of the name servers in the NS records. Names inside the zone get the addresses of the DNS Service. Defaults to ns1 below the zone, if that is a host name.',
        ),
      soa: soa
        .optional()
        .describe('Fields of the SOA record. The serial is incremented automatically with every change.'),
      defaultTTL: ttl.optional().describe(`TTL in seconds of records without a ttl. Defaults to ${defaultTTL}.`),
      records: z
        .array(record)
        .max(1000)
        .default([])
        .describe(
          'Static records. For more than 1000, use recordsFrom. Names and values can contain the placeholders {{xr.name}}, {{zone.name}} and {{service.address}}. As the whole value of an A or AAAA record, {{service.address}} is replaced by all addresses of the DNS Service of that family, elsewhere by the first address. While the Service has no address, the value is omitted.',
        )
        .meta({ 'x-kubernetes-list-type': 'atomic' }),
      recordsFrom: z
        .array(zoneFile)
        .max(16)
        .default([])
        .describe('Zone files (RFC 1035) in ConfigMaps in spec.namespace. Changes take effect without a restart.')
        .meta({ 'x-kubernetes-list-type': 'atomic' }),
      dnssec,
    }),
    {
      cel: "!self.name.matches('[/_]') || size(self.nameServers) > 0",
      holds: ({ name, nameServers }) => !/[/_]/.test(name) || nameServers.length > 0,
      message:
        'a zone with a slash or an underscore in its name needs nameServers of its own, such as ns1.corp.internal: below it there are no host names (RFC 1123 section 2.1)',
    },
  ),
  {
    rule: `!(has(oldSelf.dnssec) && oldSelf.dnssec.mode == 'Signed') || (${staysKeyed})`,
    message:
      'dnssec.mode can change from Signed to "Off" only through Unsigning, or validating resolvers lose the zone: set it to Unsigning, and see ZonesReady for what to remove first',
  },
  {
    rule: `!(${isKeyed}) || !(${staysKeyed}) || self.dnssec.algorithm == oldSelf.dnssec.algorithm`,
    message:
      'dnssec.algorithm cannot change while the zone has a key: set dnssec.mode to Unsigning, then to "Off", then sign again',
  },
);

export type SpecZone = z.output<typeof zone>;
