import { isIP } from 'node:net';
import * as z from 'zod';
import { checkedValues } from '../../dns/record.ts';
import type { ZoneSettings } from '../../dns/zone/apex.ts';
import { bounds, zoneStates } from '../report.ts';
import { immutable, withCEL, withRules } from '../rules.ts';
import { type ParsedZone, parseZone, zoneIssues } from '../zone-records.ts';
import { dnssecTransitions, nameServersRule, type ZoneFields, zoneFields, zoneStatusTexts } from '../zone-schema.ts';
import { statusOfInstances } from './instance-status.ts';

const { name, ...fields } = zoneFields({
  unsigning: 'the status',
  keys: 'The key is stored in the Secret idns-<name of the InternalDNS>-dnssec; the status contains its DS records.',
  moreRecords: 'Those of type DNAME, and the fields ptr and check.url, are for administrators: see docs/zones.md.',
});

type Fields = Pick<ZoneFields, 'records'>;

/** What would reach beyond the zone, which is all that its team has. */
const forAdministrators = [
  {
    cel: "self.records.all(r, r.type != 'DNAME')",
    holds: ({ records }: Fields) => records.every(({ type }) => type !== 'DNAME'),
    message:
      'records can have no DNAME here, because PowerDNS has to know of one at its start: declare the zone in an InternalDNS, or use CNAMEs',
  },
  {
    cel: 'self.records.all(r, !has(r.check) || !has(r.check.url))',
    holds: ({ records }: Fields) => records.every(({ check }) => check?.url === undefined),
    message:
      'records can have no check.url here, because the server would request the page from its own pod: use check.port',
  },
  {
    cel: 'self.records.all(r, !has(r.ptr) || !r.ptr)',
    holds: ({ records }: Fields) => records.every(({ ptr }) => !ptr),
    message:
      'records can have no ptr here, because PTR records are in a zone of their own: use a Machine, or declare PTR records in a Zone',
  },
];

/** The spec of a Zone: a team's own domain. */
export const zoneSpec = withCEL(
  withRules(
    z.object({
      name: immutable(name, 'name').describe(
        `${name.description} Immutable. It is not the name of the object, which can have no slash.`,
      ),
      ...fields,
    }),
    nameServersRule,
    ...forAdministrators,
  ),
  ...dnssecTransitions('the status'),
);

export type ZoneSpec = z.output<typeof zoneSpec>;

/** What the records of a Zone depend on. */
export interface ZoneSurroundings {
  /** Name of the InternalDNS. */
  composite: string;
  /** Those of the advertised Service. */
  addresses: string[];
  /** All zones of the instance, this one included. */
  zones: ZoneSettings[];
  /** Which addresses the namespace can have checked, with the networks in words, and which nobody can. */
  rights: {
    allows: (address: string) => boolean;
    networks: string;
    isOfService?: ((address: string) => boolean) | undefined;
  };
}

/** A Zone that the schema has accepted. */
export type TeamZone = Pick<ParsedZone, 'records' | 'issues'>;

/** The records of a Zone, and what no schema can tell of its issues, except for loops across several zones. */
export function parseTeamZone(spec: ZoneSpec, { composite, addresses, zones, rights }: ZoneSurroundings): TeamZone {
  const parsed = parseZone(spec, composite, addresses);
  const forbidden = spec.records.flatMap((record, index) =>
    checkedValues(record).flatMap((address) => {
      const reason = isIP(address) === 0 ? undefined : whyUnchecked(address, rights);
      return reason === undefined
        ? []
        : [{ at: `records[${index}].check`, message: `${address} cannot be checked: ${reason}` }];
    }),
  );
  return { records: parsed.records, issues: [...zoneIssues(spec, parsed, zones, false), ...forbidden] };
}

function whyUnchecked(address: string, rights: ZoneSurroundings['rights']): string | undefined {
  if (!rights.allows(address)) return `it is outside ${rights.networks} (discovery.tenants, networks)`;
  return rights.isOfService?.(address) ? 'it is of a Service' : undefined;
}

/** The lines of a delegation in a status: of 13 name servers, with a few addresses each. Any more are left out. */
export const maxDelegation = 64;

const text = (max: number) => z.string().max(max);

export const zoneStatus = statusOfInstances({
  state: z
    .enum([...zoneStates, 'Refused'])
    .describe(
      'State of the zone. Serving: as declared; Pending: not answering yet; Failed: not as declared; Retained: no longer served as declared, but kept because it has records that are not managed; Refused: never served, such as one that the namespace may not have. message says why.',
    ),
  message: text(bounds.message).optional().describe(zoneStatusTexts.message),
  delegation: z.array(text(640)).max(maxDelegation).optional().describe(zoneStatusTexts.delegation),
  dnssec: z
    .object({
      ds: z.array(text(200)).max(4).describe(zoneStatusTexts.ds),
      dnskey: z.array(text(300)).max(4).describe(zoneStatusTexts.dnskey),
    })
    .optional()
    .describe(zoneStatusTexts.dnssec),
});
