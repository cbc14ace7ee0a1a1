import { isIPv6 } from 'node:net';
import { parseIPv6 } from '../../dns/rdata/address.ts';
import type { RRset as Answered } from '../../dns/zone/rrset.ts';
import { recordCost } from '../../dns/zone-file/zone-file.ts';

/** An RRset as PowerDNS has it. */
export interface RRset extends Answered {
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
  /** What PowerDNS makes of it, such as Native. */
  kind?: string;
  /** Whether a key signs its answers. */
  dnssec?: boolean;
  rrsets: RRset[];
}

export type Change = { action: 'replace'; rrset: RRset } | { action: 'delete'; rrset: Pick<RRset, 'name' | 'type'> };

export const deletion = ({ name, type }: Pick<RRset, 'name' | 'type'>): Change => ({
  action: 'delete',
  rrset: { name, type },
});
export const replacement = (rrset: RRset): Change => ({ action: 'replace', rrset });

/** Marks zones and RRsets that were declared. */
export const declaredAccount = 'internal-dns';

const discoveredPrefix = 'external-dns/';

/** Marks an RRset as discovered by one owner's ExternalDNS, for the object that wants it. */
export const discoveredMark = (ownerID: string, resource: string): Mark => ({
  account: discoveredPrefix + ownerID,
  content: resource,
});

export const isManaged = (account: string) => account === declaredAccount || account.startsWith(discoveredPrefix);

export type Ownership = 'declared' | 'discovered' | 'foreign';

/** Foreign RRsets are left alone, whatever is in them. */
export function ownershipOf({ mark }: Pick<RRset, 'mark'>): Ownership {
  if (mark?.account === declaredAccount) return 'declared';
  return mark?.account.startsWith(discoveredPrefix) ? 'discovered' : 'foreign';
}

/** Among them LUA records, which the agent makes of addresses only. */
export const isAddressType = (type: string) => type === 'A' || type === 'AAAA' || type === 'LUA' || type === 'ALIAS';

/**
 * Two RRsets of one name that cannot stand side by side: a CNAME suffers nothing beside it (RFC 1034 section 3.6.2),
 * and addresses of two makers would be one answer to a client.
 */
export function areConflicting(a: Pick<RRset, 'name' | 'type'>, b: Pick<RRset, 'name' | 'type'>): boolean {
  if (a.name !== b.name) return false;
  return (
    a.type === b.type || a.type === 'CNAME' || b.type === 'CNAME' || (isAddressType(a.type) && isAddressType(b.type))
  );
}

/** How much room RRsets take of what all zones have together: one for each usual record. */
export const totalCost = (rrsets: readonly RRset[]): number =>
  rrsets.reduce((sum, { records }) => records.reduce((ofRRset, content) => ofRRset + recordCost(content), sum), 0);

/** Whether PowerDNS makes one answer of two RRsets of a name. */
export const areAnsweredTogether = (a: RRset, b: RRset) =>
  typesAnswered(a).some((type) => isAddressType(type) && typesAnswered(b).includes(type));

/** A LUA record says first what it answers, and an ALIAS has the addresses of another name. */
function typesAnswered({ type, records }: RRset): string[] {
  if (type === 'ALIAS') return ['A', 'AAAA'];
  return type === 'LUA' ? records.map((content) => content.split(' ')[0] ?? '') : [type];
}

/** Identifies an RRset in its zone. */
export const keyOf = ({ name, type }: Pick<RRset, 'name' | 'type'>) => `${name} ${type}`;

/** The object that a discovered RRset is for, such as ingress/shop/web; empty where nobody has said so. */
export const resourceOf = ({ mark }: Pick<RRset, 'mark'>) => mark?.content ?? '';

/** Whether one object wants both. */
export const sameResource = (a: RRset, b: RRset) => a.mark?.content === b.mark?.content;

/** Rivals, unless they are the IPv4 and the IPv6 addresses of one object. */
export const areMutuallyExclusive = (a: RRset, b: RRset) =>
  areConflicting(a, b) && !(sameResource(a, b) && a.type !== b.type && isAddressType(a.type) && isAddressType(b.type));

/** What an RRset answers, as text. The serial of a SOA is PowerDNS's own. */
export const answerOf = ({ name, type, ttl, records }: RRset) =>
  JSON.stringify([name, type, ttl, ...comparable(type, records)]);

/** Whether two RRsets answer alike, whosever they are. */
export const haveSameAnswer = (a: RRset, b: RRset) =>
  a.name === b.name && a.type === b.type && answerOf(a) === answerOf(b);

function comparable(type: string, records: string[]): string[] {
  if (type === 'SOA') return records.map((content) => content.replace(/^(\S+ \S+) \d+/, '$1'));
  return records.map((content) => (type === 'AAAA' ? canonicalAddress(content) : content)).sort();
}

/** An address in one form (RFC 5952 for IPv6), so that it can be compared; other text comes back as it is. */
export function canonicalAddress(text: string): string {
  return isIPv6(text) && !text.includes('%') ? parseIPv6(text) : text;
}
