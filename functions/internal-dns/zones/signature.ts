import * as z from 'zod';
import type { Report } from '../../contract/report.ts';
import { zoneStatusTexts } from '../../contract/zone-schema.ts';
import type { Spec } from '../spec.ts';
import type { SpecZone } from './zone.ts';

/** What the parent zone or a validating resolver needs of a signed zone. */
export const signature = z.object({
  ds: z.array(z.string()).describe(zoneStatusTexts.ds),
  dnskey: z.array(z.string()).describe(zoneStatusTexts.dnskey),
});

export type Signature = z.output<typeof signature>;

export const isSigned = ({ dnssec }: SpecZone) => dnssec !== undefined && dnssec.mode !== 'Off';

const statusZone = z.object({ name: z.string(), dnssec: signature });

/** The signatures in the composite's previous status of the zones that are still signed, by zone. */
export function signaturesBefore(status: unknown, spec: Spec): Map<string, Signature> {
  const zones: unknown = (status as { zones?: unknown } | undefined)?.zones;
  const published = (Array.isArray(zones) ? zones : []).flatMap((zone) => statusZone.safeParse(zone).data ?? []);
  const signed = spec.zones.filter(isSigned).map(({ name }) => name);
  return new Map(published.filter(({ name }) => signed.includes(name)).map(({ name, dnssec }) => [name, dnssec]));
}

/** The signatures of the signed zones on which all reports agree, by zone. */
export function signaturesIn(reports: Report[], spec: Spec): Map<string, Signature> {
  return new Map(
    spec.zones.filter(isSigned).flatMap(({ name }) => {
      const [one, ...others] = reportedSignatures(name, reports);
      return one && others.length === 0 ? [[name, one] as const] : [];
    }),
  );
}

/** The distinct signatures that reports have of a zone. */
export function reportedSignatures(zone: string, reports: Report[]): Signature[] {
  const all = reports.flatMap(({ zones }) => zones.find(({ name }) => name === zone)?.dnssec ?? []);
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}
