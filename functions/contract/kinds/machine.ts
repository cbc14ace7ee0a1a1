import * as z from 'zod';
import { ttl } from '../../dns/record.ts';
import { domainName, hostLabels, labelRule } from '../name-form.ts';
import { matching, uniqueList, withRules } from '../rules.ts';
import { hostAddress } from './address.ts';
import { statusBounds, statusOfInstances } from './instance-status.ts';

/** Name of a host, relative to a zone: never the zone itself, and no wildcard. */
const relativeName = (field: string): z.ZodString =>
  withRules(
    z.string().min(1).max(253),
    matching(
      `^${hostLabels}$`,
      `${field} must be a host name without the zone: labels of lower case letters, digits and hyphens between single dots, such as nas`,
    ),
    labelRule(field),
  );

const fields = z.object({
  hostname: relativeName('hostname')
    .optional()
    .describe(
      'Name of the host, relative to the zone, such as nas. One that ends with the zone is taken as full. Defaults to the name of the Machine.',
    ),
  zone: domainName('zone')
    .optional()
    .describe(
      'Zone of the name, such as corp.internal. Defaults to the first zone of the InternalDNS in which the namespace may have the name.',
    ),
  addresses: uniqueList(hostAddress('an address'), 16)
    .default([])
    .describe('IPv4 and IPv6 addresses of the host. Without any, it has no records yet.'),
  aliases: uniqueList(relativeName('an alias'), 16)
    .default([])
    .describe('Further names of the host, relative to the zone. They are CNAME records, so they follow its addresses.'),
  ttl: ttl.optional().describe('TTL in seconds of the records. Defaults to that of the zone.'),
  reverse: z
    .enum(['Publish', 'Off'])
    .default('Publish')
    .describe(
      'Whether the addresses have PTR records, where the InternalDNS has their reverse zone. Of several hosts with one address, the oldest has the PTR record. "Off" must be quoted: YAML reads a bare Off as false.',
    ),
});

/** The spec of a Machine: a host that is not in the cluster. */
export const machineSpec = withRules(fields, {
  cel: "!has(self.hostname) || !has(self.zone) || self.hostname.endsWith('.' + self.zone) || size(self.hostname) + size(self.zone) < 253",
  holds: ({ hostname, zone }) =>
    hostname === undefined ||
    zone === undefined ||
    hostname.endsWith(`.${zone}`) ||
    hostname.length + zone.length < 253,
  message: 'hostname and zone have more than 253 characters together; RFC 1035 allows 253',
});

/** A rule of the whole object, whose name is the default. */
export const machineName = {
  rule: "has(self.spec.hostname) || !self.metadata.name.matches('[^.]{64}')",
  message:
    'metadata.name has a label of more than 63 characters, which no name in DNS may have: set spec.hostname to a shorter one',
};

export type MachineSpec = z.output<typeof machineSpec>;

export const machineStatus = statusOfInstances({
  fqdn: z.string().max(253).optional().describe('Full name of the host.'),
  records: z
    .array(
      z.object({
        name: z.string().max(253).describe('Name of the record.'),
        type: z.string().max(16).describe('Type of the record.'),
        values: z.array(z.string().max(253)).max(16).describe('Values of the record.'),
      }),
    )
    .max(32)
    .optional()
    .describe('Records that the Machine asks for.'),
  reverse: z
    .array(
      z.object({
        address: z.string().max(45).describe('Address of the host.'),
        name: z.string().max(253).optional().describe('Name of its PTR record.'),
        message: z
          .string()
          .max(statusBounds.text)
          .optional()
          .describe('Why the address has no PTR record with the name of this host. Unset if it has.'),
      }),
    )
    .max(16)
    .optional()
    .describe('PTR record of each address.'),
  claims: z
    .array(z.string().max(317))
    .max(statusBounds.claims)
    .optional()
    .describe('NameClaims that the Machine is a member of, as namespace/name.'),
});
