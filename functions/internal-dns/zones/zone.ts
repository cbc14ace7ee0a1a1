import * as z from 'zod';
import { type SOA, soa as soaFields } from '../../dns/rdata/soa.ts';
import { record, ttl } from '../../dns/record.ts';
import { defaultTTL } from '../../dns/zone/apex.ts';
import { hostName, inFull, objectName, zoneName } from '../name-form.ts';
import { matching, type Rule, withCEL, withRules } from '../rules.ts';

// No rule of CEL below `records`: the API server prices it by the most that there may be. The function judges them.

const zoneFile = z.object({
  configMapKeyRef: z
    .object({
      name: objectName('name', 'a ConfigMap').describe('The name of the ConfigMap.'),
      key: withRules(
        z.string().min(1).max(253),
        matching(
          '^[-._a-zA-Z0-9]+$',
          'key must be a key of a ConfigMap: letters, digits, hyphens, underscores and dots',
        ),
      ).describe('The key in it, such as corp.internal.zone.'),
    })
    .describe('A key of a ConfigMap in spec.namespace.'),
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
        'Whether answers are signed. Unsigning comes between Signed and "Off": it goes on signing, and ZonesReady says what to remove first. "Off" is written in quotes: to YAML a bare Off is false.',
      ),
    algorithm: z
      .enum(['ECDSA256', 'ECDSA384', 'ED25519'])
      .default('ECDSA256')
      .describe('Of the key, which is made once. Changing it needs Unsigning and "Off" first.'),
    nsec3: z
      .boolean()
      .default(false)
      .describe('Deny names by their hashes (NSEC3) and not by their neighbours, so that nobody can list the zone.'),
  })
  .optional()
  .describe('Signed answers (DNSSEC). The key is kept in the Secret idns-<name>-dnssec; the status says its DS.');

const isKeyed = "has(oldSelf.dnssec) && oldSelf.dnssec.mode != 'Off'";
const staysKeyed = "has(self.dnssec) && self.dnssec.mode != 'Off'";

export const zone = withCEL(
  withRules(
    z.object({
      name: zoneName('zone name').describe(
        'The domain, forward or reverse, such as corp.internal, 2.0.192.in-addr.arpa or 64/26.2.0.192.in-addr.arpa.',
      ),
      nameServers: z
        .array(hostName('name server'))
        .max(13)
        .default([])
        .describe(
          'The names of the servers in the NS records. None means ns1 below the zone, where that is a host name. Those inside the zone get the addresses of the DNS Service.',
        ),
      soa: soa.optional().describe('Fields of the SOA record. The serial increases by itself with every change.'),
      defaultTTL: ttl.optional().describe(`Seconds, of records that state no ttl. Default: ${defaultTTL}.`),
      records: z
        .array(record)
        .max(1000)
        .default([])
        .describe(
          'Static records; more of them belong into recordsFrom. A name and the values may have the placeholders {{xr.name}}, {{zone.name}} and {{service.address}}: as the whole value of an A or AAAA record the latter is every address of the DNS Service that the type has room for, elsewhere the first one; while there is none, such a value is left out.',
        )
        .meta({ 'x-kubernetes-list-type': 'atomic' }),
      recordsFrom: z
        .array(zoneFile)
        .max(16)
        .default([])
        .describe('Zone files (RFC 1035) in ConfigMaps of spec.namespace; no restart when they change.')
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
      'dnssec.mode goes from Signed to "Off" only through Unsigning: set it to Unsigning, and ZonesReady says what to remove first, or resolvers that validate lose the zone',
  },
  {
    rule: `!(${isKeyed}) || !(${staysKeyed}) || self.dnssec.algorithm == oldSelf.dnssec.algorithm`,
    message:
      'dnssec.algorithm cannot change while the zone has a key: set dnssec.mode to Unsigning, then to "Off", then sign anew',
  },
);

export type SpecZone = z.output<typeof zone>;
