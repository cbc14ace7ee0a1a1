import * as z from 'zod';
import { defaultTTL as usualTTL } from '../../dns/apex.ts';
import { absolute, withoutDot } from '../../dns/name.ts';
import { canonicalAddress, discoveredMark, type RRset } from '../zone.ts';

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

/** The object that wants an endpoint, such as ingress/shop/web. */
const resourceOf = ({ labels }: Endpoint) => labels?.resource ?? 'unknown';

/** The endpoint as an RRset in canonical form: whatever ExternalDNS says it in, the same wish looks the same. */
export function rrsetOf(endpoint: Endpoint, ownerID: string, defaultTTL = usualTTL): RRset {
  const { dnsName, recordType: type, targets } = endpoint;
  return {
    name: absolute(dnsName),
    type,
    ttl: endpoint.recordTTL || defaultTTL,
    records: [...new Set(targets.map((t) => (type === 'CNAME' ? absolute(t) : canonicalAddress(t))))].sort(),
    mark: discoveredMark(ownerID, resourceOf(endpoint)),
  };
}

/** The RRset as ExternalDNS expects to find it again. */
export function endpointOf({ name, type, ttl, records, mark }: RRset): Endpoint {
  return {
    dnsName: withoutDot(name),
    targets: records.map((r) => (type === 'CNAME' ? withoutDot(r) : canonicalAddress(r))).sort(),
    recordType: type,
    recordTTL: ttl,
    labels: { resource: mark?.content ?? '' },
  };
}
