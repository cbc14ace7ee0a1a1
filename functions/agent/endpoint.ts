import { defaultTTL } from './declared.ts';
import { absolute, canonicalAddress, discoveredMark, type RRset, withoutDot } from './zone.ts';

/**
 * A record as ExternalDNS speaks of it:
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/api/webhook.yaml
 */
export interface Endpoint {
  dnsName: string;
  targets: string[];
  recordType: string;
  recordTTL?: number;
  labels?: Record<string, string>;
}

/** What ExternalDNS wants changed. */
export interface EndpointChanges {
  create?: Endpoint[] | null;
  updateOld?: Endpoint[] | null;
  updateNew?: Endpoint[] | null;
  delete?: Endpoint[] | null;
}

/** The object that wants an endpoint, such as ingress/shop/web. */
export const resourceOf = ({ labels }: Endpoint) => labels?.resource ?? 'unknown';

/** The endpoint as an RRset in canonical form: whatever ExternalDNS says it in, the same wish looks the same. */
export function rrsetOf(endpoint: Endpoint, ownerID: string): RRset {
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
