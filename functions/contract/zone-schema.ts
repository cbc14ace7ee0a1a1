import * as z from 'zod';
import { type SOA, soa as soaFields } from '../dns/rdata/soa.ts';
import { record, ttl } from '../dns/record.ts';
import { defaultTTL } from '../dns/zone/apex.ts';
import { hostName, inFull, zoneName } from './name-form.ts';
import { type Rule, withRules } from './rules.ts';

// No CEL rules below `records`: the API server estimates their cost by the maximum number of records. Function and
// agent check them.

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

/** What differs between a zone of an InternalDNS and one of a team. */
interface Words {
  /** What shows which DS records to remove. */
  unsigning: string;
  /** Where the key and its DS records are. */
  keys: string;
  /** What to do with more records than fit. */
  moreRecords: string;
}

/** The fields of a zone, wherever it is declared. */
export const zoneFields = ({ unsigning, keys, moreRecords }: Words) => ({
  name: zoneName('zone name').describe(
    'Name of the zone, forward or reverse, such as corp.internal, 2.0.192.in-addr.arpa or 64/26.2.0.192.in-addr.arpa.',
  ),
  nameServers: z
    .array(hostName('name server'))
    .max(13)
    .default([])
    .describe(
      'Names of the name servers in the NS records. Names inside the zone get the addresses of the Service that advertise names or, in the same order, those of the Services of replicas. Defaults to ns1 below the zone, if that is a host name, and ns2 and so on for further replicas with a Service.',
    ),
  soa: soa.optional().describe('Fields of the SOA record. The serial is incremented automatically with every change.'),
  defaultTTL: ttl.optional().describe(`TTL in seconds of records without a ttl. Defaults to ${defaultTTL}.`),
  records: z
    .array(record)
    .max(1000)
    .default([])
    .describe(
      `Static records. ${moreRecords} Names and values can contain the placeholders {{xr.name}}, {{zone.name}} and {{service.address}}. As the whole value of an A or AAAA record, {{service.address}} is replaced by all addresses of that family of the Service that advertise names, elsewhere by the first address. While the Service has no address, the value is omitted.`,
    )
    .meta({ 'x-kubernetes-list-type': 'atomic' }),
  dnssec: z
    .object({
      mode: z
        .enum(['Off', 'Signed', 'Unsigning'])
        .default('Off')
        .describe(
          `Whether the zone is signed. To turn signing off, set Unsigning first: the zone stays signed while ${unsigning} shows which DS records to remove, then set "Off". "Off" must be quoted: YAML reads a bare Off as false.`,
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
    .describe(`DNSSEC. ${keys}`),
});

/** A zone, wherever it is declared. */
export type ZoneFields = z.output<z.ZodObject<ReturnType<typeof zoneFields>>>;

export const nameServersRule: Rule<Pick<ZoneFields, 'name' | 'nameServers'>> = {
  cel: "!self.name.matches('[/_]') || size(self.nameServers) > 0",
  holds: ({ name, nameServers }) => !/[/_]/.test(name) || nameServers.length > 0,
  message:
    'a zone with a slash or an underscore in its name needs nameServers of its own, such as ns1.corp.internal: below it there are no host names (RFC 1123 section 2.1)',
};

const isKeyed = "has(oldSelf.dnssec) && oldSelf.dnssec.mode != 'Off'";
const staysKeyed = "has(self.dnssec) && self.dnssec.mode != 'Off'";

/** How signing can change. */
export const dnssecTransitions = (whereToLook: string) => [
  {
    rule: `!(has(oldSelf.dnssec) && oldSelf.dnssec.mode == 'Signed') || (${staysKeyed})`,
    message: `dnssec.mode can change from Signed to "Off" only through Unsigning, or validating resolvers lose the zone: set it to Unsigning, and see ${whereToLook} for what to remove first`,
  },
  {
    rule: `!(${isKeyed}) || !(${staysKeyed}) || self.dnssec.algorithm == oldSelf.dnssec.algorithm`,
    message:
      'dnssec.algorithm cannot change while the zone has a key: set dnssec.mode to Unsigning, then to "Off", then sign again',
  },
];

/** Descriptions of what the status has of a zone. */
export const zoneStatusTexts = {
  message: 'What is wrong, and how to fix it.',
  delegation:
    'Records that the parent zone must have, as lines of a zone file: NS, DS and the addresses of the name servers. A line that begins with a semicolon names a missing address. Unset if the parent is a zone of this instance.',
  dnssec: 'What the parent or a validating resolver needs of a signed zone.',
  ds: 'RDATA of the DS records, for the parent zone or the trust anchor of a resolver.',
  dnskey: 'RDATA of the DNSKEY records.',
} as const;
