import { isIPv4, isIPv6 } from 'node:net';
import type { Reason } from '../../contract/verdict.ts';
import { withoutDot } from '../../dns/name.ts';
import { isTTL, maxTTL } from '../../dns/ttl.ts';
import { isReverse } from '../../dns/zone/reverse.ts';
import { isGlue } from '../../dns/zone/zone-cut.ts';
import { ownershipOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import { tooManyTargets } from '../sources/host-limit.ts';
import type { DesiredRecord } from './desired-record.ts';
import { isDiscoverable, misspeltType, parseTarget, typeFault } from './endpoint.ts';
import { illegalName, moreThanHost } from './host-name.ts';
import { sharingGroup } from './resource-label.ts';

/** Where a wish would be published. */
export interface ZonePlacement {
  /** The declared zone that the name is in. */
  zone: string | undefined;
  /** The zone that PowerDNS answers from. */
  answering: string | undefined;
  declared: ReadonlyMap<string, string>;
  /** The names of the zones' own servers. */
  servers: ReadonlySet<string>;
  /** The delegation or DNAME from which on the name is somebody else's. */
  cut: RRset | undefined;
  /** The types that are discovered. */
  recordTypes: readonly string[];
  /** A declared name below this one, which a delegation would hide. */
  beneath?: string | undefined;
}

/** What is wrong with a wish by itself, and what to do about it where the verdict alone does not say that. */
export function fault(desired: DesiredRecord, placement: ZonePlacement): Reason | undefined {
  const { name, type, ttl } = desired;
  const { zone, answering, declared, servers, recordTypes } = placement;
  if (name === '.') return refused('an empty name: remove it, or a comma too many in the annotation');
  const misspelt = misspeltType(type);
  const unwanted = misspelt ? undefined : typeFault(type, recordTypes);
  if (unwanted) return filtered(isDiscoverable(type) ? unwanted : `${unwanted}: declare them in spec.zones`);
  const more = moreThanHost(name, declared);
  if (more) return refused(more);
  if (!zone) return { verdict: 'OutsideZones', message: outside([...declared.keys()]) };
  if (misspelt) return refused(misspelt);
  const illegal = illegalName(name, type);
  if (illegal) return refused(illegal);
  if (servers.has(name)) return { verdict: 'DeclaredElsewhere', message: "the name of a zone's own server" };
  if (answering !== zone) return refused(elsewhere(zone, answering));
  const hidden = cutFault(desired, placement);
  if (hidden) return hidden;
  const misplaced = placeFault(desired, zone, placement.beneath) ?? (isTTL(ttl) ? undefined : noTTL(ttl));
  if (misplaced) return refused(misplaced);
  if (desired.fault !== undefined) return ownFault(desired.fault, desired.isFiltered);
  return contentFault(desired);
}

const refused = (message: string): Reason => ({ verdict: 'Refused', message });
const filtered = (message: string): Reason => ({ verdict: 'Filtered', message });

const noTTL = (ttl: number) => `not a time to live of 0 to ${maxTTL} seconds: ${ttl}`;

/** Networks take addresses; everything else but too many targets is that several objects' targets are in one endpoint. */
const ownFault = (message: string, isFiltered = false) => {
  if (isFiltered) return filtered(`${message}: change that field, or the address of the object`);
  return refused(message === tooManyTargets ? message : `${message}: give each of them a host of its own`);
};

export const outside = (zones: readonly string[]) => `outside the zones ${zones.map(withoutDot).join(', ')}`;

/** What it means for a name that others' records are in its way. */
export const verdictOf = { declared: 'DeclaredElsewhere', foreign: 'ForeignRecord', discovered: 'Duplicate' } as const;

function cutFault(desired: RRset, { cut }: ZonePlacement): Reason | undefined {
  if (!cut) return undefined;
  const { name, type } = desired;
  if (isGlue(desired, cut) && isOfGroup(desired, cut)) return undefined;
  const verdict = verdictOf[ownershipOf(cut)];
  // What else is in a name's way is followed by what goes for its verdict.
  const remedy = verdict === 'ForeignRecord' ? ': remove that record, or use another host' : '';
  if (cut.type === 'DNAME')
    return { verdict, message: `the DNAME of ${withoutDot(cut.name)} covers it (RFC 6672 section 2.4)${remedy}` };
  // A delegation that stands is its own cut.
  if (type === 'NS' && cut.name === name) return undefined;
  return { verdict, message: `${withoutDot(cut.name)} is delegated: its own servers answer for it${remedy}` };
}

/** Whoever gave a name to servers says where they are, and nobody else: he would answer for all of it. */
const isOfGroup = (desired: RRset, cut: RRset) =>
  ownershipOf(cut) === 'discovered' && sharingGroup(resourceOf(cut)) === sharingGroup(resourceOf(desired));

/** What a type cannot be where the name is. */
function placeFault({ name, type }: RRset, zone: string, beneath: string | undefined): string | undefined {
  switch (type) {
    case 'CNAME':
      return name === zone
        ? `a CNAME cannot stand at the top of a zone (RFC 1034 section 3.6.2): ${otherAtTop}`
        : undefined;
    case 'PTR':
      return isReverse(zone)
        ? undefined
        : 'a PTR record belongs in a reverse zone (RFC 1035 section 3.5): name it below in-addr.arpa or ip6.arpa';
    case 'NS':
      if (name === zone) return "a zone's own servers are declared, not discovered: see spec.zones[].nameServers";
      if (name.startsWith('*.')) return 'a wildcard cannot be delegated (RFC 4592 section 4.2): delegate a name';
      return (
        beneath &&
        `a delegation would hide ${withoutDot(beneath)}, which the InternalDNS declares: delegate another name`
      );
    default:
      return undefined;
  }
}

const otherAtTop = 'use a host below it, or an address as target';

function contentFault({ name, type, records }: RRset): Reason | undefined {
  if (records.length === 0 || records.includes('')) return { verdict: 'NoAddress', message: 'no target' };
  const bad = records.map((content) => whyNoContent(type, content)).find((message) => message !== undefined);
  if (bad) return refused(`correct the target: ${bad}`);
  if (type !== 'CNAME') return undefined;
  if (records.length !== 1) return refused(`a CNAME has one target, not ${records.length}: give the object only one`);
  return records[0] === name ? refused('a CNAME to itself: give the object another target') : undefined;
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

const elsewhere = (zone: string, answering: string | undefined) =>
  answering && answering.length > zone.length
    ? `the zone ${withoutDot(answering)} answers for it, and is not declared: declare it in spec.zones`
    : `the zone ${withoutDot(zone)} could not be made: see the condition ZonesReady`;
