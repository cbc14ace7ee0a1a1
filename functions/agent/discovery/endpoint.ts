import * as z from 'zod';
import { discoverable, mostTargets } from '../../contract/declaration.ts';
import { absolute, withoutDot } from '../../dns/name.ts';
import { parseIPv4 } from '../../dns/rdata/address.ts';
import { excerpt } from '../../dns/rdata/field.ts';
import { parseContent } from '../../dns/rdata/rdata.ts';
import { defaultTTL as usualTTL } from '../../dns/zone/apex.ts';
import { canonicalAddress, discoveredMark, type RRset, resourceOf } from '../powerdns/rrset.ts';
import { firstTargets } from '../sources/host-limit.ts';

/**
 * A record as ExternalDNS speaks of it, which leaves out what is empty: a hostname annotation that ends in a comma
 * arrives as an endpoint without a name.
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

/** What ExternalDNS wants changed. */
export const endpointChanges = z.object({
  create: endpoints.optional(),
  updateNew: endpoints.optional(),
  delete: endpoints.optional(),
});

export type EndpointChanges = z.infer<typeof endpointChanges>;

export type Discoverable = (typeof discoverable)[number];

export const isDiscoverable = (type: string): type is Discoverable =>
  (discoverable as readonly string[]).includes(type);

/** How to write a type that is discovered, where it is written otherwise: DNSEndpoints may say anything. */
export function misspeltType(type: string): string | undefined {
  if (type === '') return 'its recordType is missing: write A for addresses, or what else it is';
  const right = type.trim().toUpperCase();
  return type !== right && isDiscoverable(right)
    ? `the recordType is written ${right}, not ${excerpt(type)}`
    : undefined;
}

/** Why records of a type are not discovered. */
export function typeFault(type: string, recordTypes: readonly string[]): string | undefined {
  if (!isDiscoverable(type)) return `records of type ${type} are not discovered`;
  if (recordTypes.includes(type)) return undefined;
  return `records of type ${type} are not discovered: add ${type} to discovery.recordTypes`;
}

/**
 * A target as PowerDNS gives it back. ExternalDNS has names with and without the dot at the end, and means absolute
 * ones: https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/docs/sources/mx-record.md
 * Throws what is wrong with it.
 */
export function parseTarget(type: Discoverable, target: string): string {
  if (type === 'A') return parseIPv4(target);
  // The origin of a zone file, and there is none: a null MX would come of `0 @`.
  if (type !== 'TXT' && target.includes('@') && /(?:^|\s)@\s*$/.test(target)) {
    throw new Error(`not an absolute name: ${target}`);
  }
  return parseContent(type, target, '.');
}

/** A target as PowerDNS gives it back, or as it is if that cannot be. */
export function contentOf(type: string, target: string): string {
  // Of most records. What is no address is found where wishes are judged.
  if (type === 'A' || !isDiscoverable(type)) return target;
  try {
    return parseTarget(type, target);
  } catch {
    return target;
  }
}

/** More than any name has, even with every octet escaped. An annotation may have a quarter of a million. */
const longestTarget = 2048;
/** More than any record has (RFC 1035 section 3.2.1), even so. */
const longestText = 4 * 65535;

/** A target that is too long for its type, cut to what there is to say of it. */
function briefly(type: string, target: string): string {
  // Before its type has been read a target may be a text.
  const longest = type === 'TXT' || type === '' ? longestText : longestTarget;
  return target.length > longest ? `${target.slice(0, 60)}…` : target;
}

/** Targets as the contents of an RRset: each once, in one order. */
export function contentsOf(type: string, targets: readonly string[]): string[] {
  const contents = targets.map((target) => {
    const brief = briefly(type, target);
    return brief === target ? contentOf(type, target) : brief;
  });
  return contents.length > 1 ? [...new Set(contents)].sort() : contents;
}

/** Canonical addresses and absolute names, of an object that has too many none. */
export type SeenTargets = Pick<ReadonlySet<string>, 'size' | 'has'>;

/**
 * An endpoint with those of its targets that objects are seen to give the name, and a few of the others: enough to know
 * that they are too many. Which ones depends neither on their order nor on whether it is done once or piece by piece.
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
 * The name of an endpoint, absolute. Of one that is too long (RFC 1035 section 2.3.4) only the end: to look for its zone,
 * label by label, would take longer than everything else.
 */
export function nameOf({ dnsName }: Pick<Endpoint, 'dnsName'>): string {
  const name = absolute(dnsName);
  return name.length > 254 ? `…${name.slice(-254)}` : name;
}

/** The object that wants an endpoint, such as ingress/shop/web. */
export const resourceLabel = ({ labels }: Endpoint) => labels?.resource ?? 'unknown';

/** The endpoint as an RRset in canonical form: whatever ExternalDNS says it in, the same wish looks the same. */
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

/** The RRset as ExternalDNS expects to find it again. */
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

/** A content as ExternalDNS says it. */
function targetOf(type: string, content: string): string {
  switch (type) {
    case 'AAAA':
      return canonicalAddress(content);
    case 'TXT':
      // It compares without regard to case, and would never send a text of which only that has changed:
      // https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/endpoint.go (Targets.Same)
      return content.replace(/[A-Z]/g, (letter) => `\\0${letter.charCodeAt(0)}`);
    case 'CNAME':
    case 'MX':
    case 'NS':
    case 'PTR':
      // But for the null MX, `0 .`, and for a label that would be the origin.
      return content.replace(/(?<=[^\s@])\.$/, '');
    default:
      return content;
  }
}
