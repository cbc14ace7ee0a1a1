import { isIP, isIPv4 } from 'node:net';

/** Names are absolute, in lower case and with the trailing dot, everywhere behind the edges of the agent. */
export interface RRset {
  name: string;
  type: string;
  /** Seconds. */
  ttl: number;
  /** The content of each record as PowerDNS writes it. */
  records: string[];
  /** Whose it is; none when a person made it. */
  mark?: Mark;
}

/** An RRset's comment in PowerDNS: written in the same transaction as the records. */
export interface Mark {
  account: string;
  content: string;
}

export interface Zone {
  name: string;
  /** What PowerDNS calls the zone in its paths. */
  id: string;
  account: string;
  rrsets: RRset[];
}

export type Change = { action: 'replace'; rrset: RRset } | { action: 'delete'; rrset: Pick<RRset, 'name' | 'type'> };

/** Marks zones and RRsets that were declared. */
export const declaredAccount = 'internal-dns';

const discoveredPrefix = 'external-dns/';

/** Marks an RRset as discovered by one owner's ExternalDNS, for the object that wants it. */
export const discoveredMark = (ownerID: string, resource: string): Mark => ({
  account: discoveredPrefix + ownerID,
  content: resource,
});

export type Ownership = 'declared' | 'discovered' | 'foreign';

/** Foreign RRsets are left alone, whatever is in them. */
export function ownershipOf({ mark }: RRset): Ownership {
  if (mark?.account === declaredAccount) return 'declared';
  return mark?.account.startsWith(discoveredPrefix) ? 'discovered' : 'foreign';
}

export const absolute = (name: string) => `${name.replace(/\.$/, '').toLowerCase()}.`;

export const withoutDot = (name: string) => name.replace(/\.$/, '');

export const isWithin = (name: string, zone: string) => name === zone || name.endsWith(`.${zone}`);

/** The zone that answers for a name: the longest that it is within. */
export function zoneOf<Z extends { name: string }>(name: string, zones: Z[]): Z | undefined {
  return zones
    .filter((zone) => isWithin(name, zone.name))
    .reduce<Z | undefined>((best, zone) => (best && best.name.length >= zone.name.length ? best : zone), undefined);
}

/** Whether a zone leaves a name to one of the other zones, below it: there it would never be asked for. */
export function leavesTo(zone: string, zones: string[]): (name: string) => boolean {
  const children = zones.filter((other) => other !== zone && isWithin(other, zone));
  return (name) => children.some((child) => isWithin(name, child));
}

const isAddressType = (type: string) => type === 'A' || type === 'AAAA';

/**
 * Two RRsets of one name that cannot stand side by side: a CNAME suffers nothing beside it (RFC 1034 section 3.6.2),
 * and addresses of two makers would be one answer to a client.
 */
export function areRivals(a: Pick<RRset, 'name' | 'type'>, b: Pick<RRset, 'name' | 'type'>): boolean {
  if (a.name !== b.name) return false;
  return (
    a.type === b.type || a.type === 'CNAME' || b.type === 'CNAME' || (isAddressType(a.type) && isAddressType(b.type))
  );
}

/** Whether two RRsets answer alike; the serial of a SOA is PowerDNS's own. */
export function answersAlike(a: RRset, b: RRset): boolean {
  return (
    a.name === b.name &&
    a.type === b.type &&
    a.ttl === b.ttl &&
    a.records.length === b.records.length &&
    comparable(a).every((content, index) => content === comparable(b)[index])
  );
}

function comparable({ type, records }: RRset): string[] {
  if (type === 'SOA') return records.map((content) => content.replace(/^(\S+ \S+) \d+/, '$1'));
  return records.map((content) => (type === 'AAAA' ? canonicalAddress(content) : content)).sort();
}

/** An address in one form (RFC 5952 for IPv6), so that it can be compared; other text comes back as it is. */
export function canonicalAddress(text: string): string {
  if (isIPv4(text) || isIP(text) === 0) return text;
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}
