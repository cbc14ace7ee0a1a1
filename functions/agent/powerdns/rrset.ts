import { isIPv6 } from 'node:net';
import { parseIPv6 } from '../../dns/rdata/address.ts';
import type { RRset as DNSRRset } from '../../dns/zone/rrset.ts';
import { recordCost } from '../../dns/zone-file/zone-file.ts';

/** An RRset as PowerDNS has it. */
export interface RRset extends DNSRRset {
  /** Its owner; undefined for an RRset made by hand. */
  mark?: Mark;
  /**
   * Set where an answer is computed: the content of the LUA record that chooses among `records`, which are all that it may
   * answer with. PowerDNS has that record instead: see zones/computed-rrset.ts.
   */
  computed?: string;
  /** Whether the mark was imported and PowerDNS does not have it yet. Never written, never compared. */
  isAdopted?: true;
}

/** An RRset's comment in PowerDNS: written in the same transaction as the records. */
export interface Mark {
  account: string;
  content: string;
}

export interface Zone {
  name: string;
  /** The zone in the paths of PowerDNS's API. */
  id: string;
  account: string;
  /** Such as Native. */
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

/** Marks declared zones and RRsets. */
export const declaredAccount = 'internal-dns';

const discoveredPrefix = 'external-dns/';

/** Marks an RRset as discovered by the ExternalDNS of an owner ID, for one object. */
export const discoveredMark = (ownerID: string, resource: string): Mark => ({
  account: discoveredPrefix + ownerID,
  content: resource,
});

export const isManaged = (account: string) => account === declaredAccount || account.startsWith(discoveredPrefix);

export type Ownership = 'declared' | 'discovered' | 'foreign';

/** Foreign RRsets are never touched. */
export function ownershipOf({ mark }: Pick<RRset, 'mark'>): Ownership {
  if (mark?.account === declaredAccount) return 'declared';
  return mark?.account.startsWith(discoveredPrefix) ? 'discovered' : 'foreign';
}

/** LUA is among them, as the agent creates LUA records for addresses only. */
export const isAddressType = (type: string) => type === 'A' || type === 'AAAA' || type === 'LUA' || type === 'ALIAS';

/**
 * Reports whether two RRsets cannot coexist: a CNAME allows no other type beside it (RFC 1034 section 3.6.2), and addresses
 * from two sources would be one answer to a client.
 */
export function areConflicting(a: Pick<RRset, 'name' | 'type'>, b: Pick<RRset, 'name' | 'type'>): boolean {
  if (a.name !== b.name) return false;
  return (
    a.type === b.type || a.type === 'CNAME' || b.type === 'CNAME' || (isAddressType(a.type) && isAddressType(b.type))
  );
}

/** What RRsets cost of the record budget of all zones: one for each ordinary record. */
export const totalCost = (rrsets: readonly RRset[]): number =>
  rrsets.reduce((sum, rrset) => contentsOf(rrset).reduce((ofRRset, content) => ofRRset + recordCost(content), sum), 0);

const contentsOf = ({ records, computed }: RRset) => (computed === undefined ? records : [computed]);

/** Reports whether PowerDNS combines two RRsets of a name into one answer. */
export const areAnsweredTogether = (a: RRset, b: RRset) =>
  typesAnswered(a).some((type) => isAddressType(type) && typesAnswered(b).includes(type));

/** The content of a LUA record begins with its type, and an ALIAS is answered with addresses. */
function typesAnswered({ type, records }: RRset): string[] {
  if (type === 'ALIAS') return ['A', 'AAAA'];
  return type === 'LUA' ? records.map((content) => content.split(' ')[0] ?? '') : [type];
}

/** Identifies an RRset in its zone. */
export const keyOf = ({ name, type }: Pick<RRset, 'name' | 'type'>) => `${name} ${type}`;

/** The object that a discovered RRset is for, such as ingress/shop/web; empty if unknown. */
export const resourceOf = ({ mark }: Pick<RRset, 'mark'>) => mark?.content ?? '';

/** Reports whether two RRsets are for the same object. */
export const sameResource = (a: RRset, b: RRset) => a.mark?.content === b.mark?.content;

/** As `areConflicting`, but allows the IPv4 and the IPv6 addresses of one object. */
export const areMutuallyExclusive = (a: RRset, b: RRset) =>
  areConflicting(a, b) && !(sameResource(a, b) && a.type !== b.type && isAddressType(a.type) && isAddressType(b.type));

/** The answer of an RRset as text, without a SOA's serial, which is PowerDNS's own. */
export const answerOf = ({ name, type, ttl, records, computed }: RRset) =>
  JSON.stringify([name, type, ttl, ...comparable(type, records), ...(computed === undefined ? [] : [computed])]);

/** Reports whether two RRsets have the same answer, whatever their marks. */
export const haveSameAnswer = (a: RRset, b: RRset) =>
  a.name === b.name && a.type === b.type && answerOf(a) === answerOf(b);

function comparable(type: string, records: string[]): string[] {
  if (type === 'SOA') return records.map((content) => content.replace(/^(\S+ \S+) \d+/, '$1'));
  return records.map((content) => (type === 'AAAA' ? canonicalAddress(content) : content)).sort();
}

/** Returns an address in its canonical form (RFC 5952 for IPv6), and any other text unchanged. */
export function canonicalAddress(text: string): string {
  return isIPv6(text) && !text.includes('%') ? parseIPv6(text) : text;
}
