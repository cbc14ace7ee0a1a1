import { parseContent, type RecordType, recordTypes } from '../../dns/content.ts';
import type { Claim } from '../discovery/claim.ts';
import { isRead, type Reading } from './annotation.ts';
import { claimOf, hostsOf, type List, type Metadata, targetsOf, unique } from './metadata.ts';

export interface DNSEndpoint {
  metadata: Metadata;
  spec?: { endpoints?: List<Endpoint | null> };
}

interface Endpoint {
  dnsName?: string;
  recordType?: string;
  targets?: List<string>;
}

/**
 * One claim with the targets of all its endpoints. ExternalDNS asks no DNSEndpoint for its controller.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/crd.go
 */
export function dnsEndpointClaim({ metadata, spec }: DNSEndpoint, reading: Reading): Claim | undefined {
  if (!isRead(metadata, reading)) return undefined;
  const endpoints = (spec?.endpoints ?? []).filter((endpoint) => endpoint !== null);
  const hosts = hostsOf(endpoints.map(({ dnsName = '' }) => dnsName));
  return claimOf('crd', metadata, hosts, unique(endpoints.flatMap(contentsOf)));
}

function contentsOf({ recordType = '', targets }: Endpoint): string[] {
  const texts = targets ?? [];
  if (['A', 'AAAA', 'CNAME'].includes(recordType) || !isKnown(recordType)) return targetsOf(texts);
  return texts.map((text) => canonical(recordType, text));
}

const isKnown = (type: string): type is RecordType => recordTypes.some((known) => known === type);

/** What is no content of its type stays as it is: to say so is not the claim's business. */
function canonical(type: RecordType, text: string): string {
  try {
    return parseContent(type, text, '.');
  } catch {
    return text;
  }
}
