import { isIPv4, isIPv6 } from 'node:net';
import { withoutDot } from '../../../dns/name.ts';
import { isReverse } from '../../../dns/reverse.ts';
import { isTTL } from '../../../dns/ttl.ts';
import type { Reason } from '../../verdict.ts';
import { ownershipOf, type RRset } from '../../zone.ts';
import { isDiscoverable, parseTarget, typeFault } from '../wish/endpoint.ts';
import type { Wish } from '../wish/wish.ts';

/** Where a wish would be published. */
export interface Setting {
  /** The declared zone that the name is in. */
  zone: string | undefined;
  /** The zone that PowerDNS answers from. */
  answering: string | undefined;
  declared: ReadonlyMap<string, string>;
  /** The names of the zones' own servers. */
  servers: ReadonlySet<string>;
  /** The delegation or DNAME from which on the name is somebody else's. */
  cut: Pick<RRset, 'name' | 'type' | 'mark'> | undefined;
  /** The types that are discovered. */
  recordTypes: readonly string[];
  /** A declared name below this one, which a delegation would hide. */
  beneath?: string | undefined;
}

/** What is wrong with a wish by itself. */
export function fault(wish: Wish, setting: Setting): Reason | undefined {
  const { name, type, ttl } = wish;
  const { zone, answering, declared, servers, recordTypes } = setting;
  if (name === '.') return refused('an empty name');
  const unwanted = typeFault(type, recordTypes);
  if (unwanted) return { verdict: 'Filtered', message: unwanted };
  if (!zone) return { verdict: 'OutsideZones', message: outside([...declared.keys()]) };
  const illegal = illegalName(name, type);
  if (illegal) return refused(illegal);
  if (servers.has(name)) return { verdict: 'DeclaredElsewhere', message: "the name of a zone's own server" };
  if (answering !== zone) return refused(elsewhere(zone, answering));
  const hidden = cutFault(wish, setting);
  if (hidden) return hidden;
  const misplaced = placeFault(wish, zone, setting.beneath) ?? (isTTL(ttl) ? undefined : `not a time to live: ${ttl}`);
  if (misplaced) return refused(misplaced);
  if (wish.fault !== undefined) return { verdict: wish.isFiltered ? 'Filtered' : 'Refused', message: wish.fault };
  return contentFault(wish);
}

const refused = (message: string): Reason => ({ verdict: 'Refused', message });

export const outside = (zones: readonly string[]) => `outside the zones ${zones.map(withoutDot).join(', ')}`;

/** What it means for a name that others' records are in its way. */
export const verdictOf = { declared: 'DeclaredElsewhere', foreign: 'ForeignRecord', discovered: 'Duplicate' } as const;

function cutFault({ name, type }: RRset, { cut }: Setting): Reason | undefined {
  if (!cut) return undefined;
  const verdict = verdictOf[ownershipOf(cut)];
  if (cut.type === 'DNAME')
    return { verdict, message: `the DNAME of ${withoutDot(cut.name)} covers it (RFC 6672 section 2.4)` };
  // A delegation that stands is its own cut.
  if (type === 'NS' && cut.name === name) return undefined;
  return { verdict, message: `${withoutDot(cut.name)} is delegated: its own servers answer for it` };
}

/** What a type cannot be where the name is. */
function placeFault({ name, type }: RRset, zone: string, beneath: string | undefined): string | undefined {
  switch (type) {
    case 'CNAME':
      return name === zone ? 'a CNAME cannot stand at the top of a zone (RFC 1034 section 3.6.2)' : undefined;
    case 'PTR':
      return isReverse(zone) ? undefined : 'a PTR record belongs in a reverse zone (RFC 1035 section 3.5)';
    case 'NS':
      if (name === zone) return "a zone's own servers are declared, not discovered";
      if (name.startsWith('*.')) return 'a wildcard cannot be delegated (RFC 4592 section 4.2)';
      return beneath && `a delegation would hide ${withoutDot(beneath)}, which the InternalDNS declares`;
    default:
      return undefined;
  }
}

function contentFault({ name, type, records }: RRset): Reason | undefined {
  if (records.length === 0 || records.includes('')) return { verdict: 'NoAddress', message: 'no target' };
  const bad = records.map((content) => whyNoContent(type, content)).find((message) => message !== undefined);
  if (bad) return refused(bad);
  if (type !== 'CNAME') return undefined;
  if (records.length !== 1) return refused(`a CNAME has one target, not ${records.length}`);
  return records[0] === name ? refused('a CNAME to itself') : undefined;
}

function whyNoContent(type: string, content: string): string | undefined {
  if (type === 'A' ? isIPv4(content) : type === 'AAAA' && isIPv6(content) && !content.includes('%')) return undefined;
  try {
    if (isDiscoverable(type)) parseTarget(type, content);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Host names as RFC 1123 section 2.1 has them, with a wildcard as the first label at most; RFC 8552 for services. */
function illegalName(name: string, type: string): string | undefined {
  const labels = withoutDot(name).split('.');
  const hosts = labels[0] === '*' ? labels.slice(1) : labels;
  if (name.length > 254) return 'longer than 253 characters (RFC 1035 section 2.3.4)';
  if (labels.some((l) => l === '')) return 'has an empty label';
  if (labels.some((l) => l.length > 63)) return 'has a label of more than 63 characters (RFC 1035 section 2.3.4)';
  const isService = type === 'SRV' || type === 'TXT';
  // Challenges such as _acme-challenge prove who owns a name: where an annotation suffices, nobody may write them.
  if (!isService && name.includes('_') && labels.some((l) => l.startsWith('_'))) {
    return `names that begin with an underscore are not for discovery of ${type} records`;
  }
  if (type === 'SRV' && !/^_[^.]+\._[^.]+\./.test(name)) {
    return 'not _service._proto and a name, such as _sip._tcp.www (RFC 2782)';
  }
  // Whoever holds it configures the proxy of every browser: https://www.kb.cert.org/vuls/id/598349
  if (labels[0] === 'wpad') return 'wpad would configure the proxies of browsers';
  const legal = isService ? serviceLabel : hostLabel;
  const bad = hosts.find((l) => !legal.test(l));
  return bad && `${JSON.stringify(bad)} is not a label of letters, digits and hyphens (RFC 1123 section 2.1)`;
}

const hostLabel = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const serviceLabel = /^_?[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

const elsewhere = (zone: string, answering: string | undefined) =>
  answering && answering.length > zone.length
    ? `the zone ${withoutDot(answering)} answers for it, and is not declared`
    : `the zone ${withoutDot(zone)} could not be made`;
