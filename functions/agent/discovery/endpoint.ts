import * as z from 'zod';
import { mostTargets } from '../../contract/declaration.ts';
import { absolute, withoutDot } from '../../dns/name.ts';
import { excerpt } from '../../dns/rdata/field.ts';
import { defaultTTL as usualTTL } from '../../dns/zone/apex.ts';
import { canonicalAddress, discoveredMark, type RRset, resourceOf } from '../powerdns/rrset.ts';
import { firstTargets } from '../sources/host-limit.ts';
import { briefly, contentsOf, isDiscoverable } from '../sources/target.ts';

/**
 * A record in ExternalDNS's JSON, which omits what is empty: a hostname annotation that ends in a comma arrives as an
 * endpoint without a name.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/api/webhook.yaml
 */
export const endpoint = z.object({
  dnsName: z.string().default(''),
  targets: z.array(z.string()).default([]),
  recordType: z.string().default(''),
  recordTTL: z.number().optional(),
  labels: z.record(z.string(), z.string()).optional(),
});

export type Endpoint = z.infer<typeof endpoint>;

/** Go writes an empty list as null. */
export const endpoints = z
  .array(endpoint)
  .nullable()
  .transform((list) => list ?? []);

/** The body of ApplyChanges. */
export const endpointChanges = z.object({
  create: endpoints.optional(),
  updateNew: endpoints.optional(),
  delete: endpoints.optional(),
});

export type EndpointChanges = z.infer<typeof endpointChanges>;

/** How to spell a record type that is discoverable but for its case or blanks: a DNSEndpoint may hold any text. */
export function misspeltType(type: string): string | undefined {
  if (type === '') return 'its recordType is missing: write A for addresses, or what else it is';
  const right = type.trim().toUpperCase();
  return type !== right && isDiscoverable(right)
    ? `the recordType is written ${right}, not ${excerpt(type)}`
    : undefined;
}

/** Why records of a type are not discovered; undefined if they are. */
export function typeFault(type: string, recordTypes: readonly string[]): string | undefined {
  if (!isDiscoverable(type)) return `records of type ${type} are not discovered`;
  if (recordTypes.includes(type)) return undefined;
  return `records of type ${type} are not discovered: add ${type} to discovery.recordTypes`;
}

/** Canonical addresses and absolute names. Empty for an object over the limit of targets. */
export type SeenTargets = Pick<ReadonlySet<string>, 'size' | 'has'>;

/**
 * An endpoint with the targets that source objects give its name, and with as many others as show that they are over the
 * limit. The choice depends neither on their order nor on whether it is made at once or piece by piece.
 */
export function withFewTargets(whole: Endpoint, seenAt: (name: string) => SeenTargets): Endpoint {
  const brief = whole.targets.map((target) => briefly(whole.recordType, target));
  if (brief.length <= mostTargets) return { ...whole, targets: brief };
  const known = seenAt(nameOf(whole));
  const isKnown = (target: string) =>
    known.size > 0 && (known.has(target) || known.has(absolute(target)) || known.has(canonicalAddress(target)));
  const others = new Set(brief.filter((target) => !isKnown(target)));
  return { ...whole, targets: [...new Set(brief.filter(isKnown).sort()), ...firstTargets([...others].sort())] };
}

/**
 * The absolute name of an endpoint. Of a name that is too long (RFC 1035 section 2.3.4) only the end: looking for its zone
 * label by label would take longer than everything else.
 */
export function nameOf({ dnsName }: Pick<Endpoint, 'dnsName'>): string {
  const name = absolute(dnsName);
  return name.length > 254 ? `…${name.slice(-254)}` : name;
}

/** The source object of an endpoint, such as `ingress/shop/web`: ExternalDNS's label `resource`. */
export const resourceLabel = ({ labels }: Endpoint) => labels?.resource ?? 'unknown';

/** The endpoint as an RRset in canonical form, so that equal endpoints compare equal however they are written. */
export function rrsetOf(endpoint: Endpoint, ownerID: string, defaultTTL = usualTTL): RRset {
  const { recordType: type, targets } = endpoint;
  return {
    name: nameOf(endpoint),
    type,
    ttl: endpoint.recordTTL || defaultTTL,
    records: contentsOf(type, targets),
    mark: discoveredMark(ownerID, resourceLabel(endpoint)),
  };
}

/** The RRset as ExternalDNS expects it back. */
export function endpointOf(rrset: RRset): Endpoint {
  const { name, type, ttl, records } = rrset;
  return {
    dnsName: withoutDot(name),
    targets: records.map((content) => targetOf(type, content)).sort(),
    recordType: type,
    recordTTL: ttl,
    labels: { resource: resourceOf(rrset) },
  };
}

/** RDATA as ExternalDNS writes it. */
function targetOf(type: string, content: string): string {
  switch (type) {
    case 'AAAA':
      return canonicalAddress(content);
    case 'TXT':
      // It compares case-insensitively, and would never send a text of which only the case changed:
      // https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/endpoint.go (Targets.Same)
      return content.replace(/[A-Z]/g, (letter) => `\\0${letter.charCodeAt(0)}`);
    case 'CNAME':
    case 'MX':
    case 'NS':
    case 'PTR':
      // Except the null MX, `0 .`, and a label that would be read as the origin.
      return content.replace(/(?<=[^\s@])\.$/, '');
    default:
      return content;
  }
}
