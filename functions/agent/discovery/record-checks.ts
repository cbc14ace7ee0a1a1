import { isIPv4, isIPv6 } from 'node:net';
import { zoneServerMessage } from '../../contract/host-rules.ts';
import { withoutDot } from '../../dns/name.ts';
import { isTTL, maxTTL } from '../../dns/ttl.ts';
import { isReverse } from '../../dns/zone/reverse.ts';
import { isGlue } from '../../dns/zone/zone-cut.ts';
import { type Ownership, ownershipOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import { tooManyTargets } from '../sources/host-limit.ts';
import { isDiscoverable, parseTarget } from '../sources/target.ts';
import { misspeltType, typeFault } from './endpoint.ts';
import type { Check, Violation } from './evaluation.ts';
import { illegalName, moreThanHost } from './host-name.ts';
import { sharingGroup } from './resource-label.ts';

// Checks of a record by itself: its name, type, TTL and targets, and its place in the zones.

export const refused = (message: string | undefined): Violation | undefined =>
  message === undefined ? undefined : { verdict: 'Refused', message };

const filtered = (message: string): Violation => ({ verdict: 'Filtered', message });

/** The verdict on a record that conflicts with one of each kind. */
export const conflictVerdicts = {
  declared: 'DeclaredElsewhere',
  foreign: 'ForeignRecord',
  discovered: 'Duplicate',
} as const satisfies Record<Ownership, Violation['verdict']>;

/** An empty name is a violation: a hostname annotation that ends in a comma arrives as one. */
export const emptyName: Check = ({ desired }) =>
  desired.name === '.' ? refused('the name is empty: remove it, or the extra comma in the annotation') : undefined;

/** A type is a violation when `discovery.recordTypes` lacks it, or when no ExternalDNS may ever publish it. */
export const undiscoverableType: Check = ({ desired: { type, unresolved }, context: { discovery } }) => {
  if (unresolved || misspeltType(type) !== undefined) return undefined;
  const message = typeFault(type, discovery.recordTypes);
  if (message === undefined) return undefined;
  return filtered(isDiscoverable(type) ? message : `${message}: declare them in spec.zones`);
};

/** A host with a port, a path or quotes is a violation when the host itself is in a zone. */
export const notAHostName: Check = ({ desired, nameContext }) =>
  refused(moreThanHost(desired.name, nameContext.declaredZones));

/** A name is a violation when it is in no declared zone. */
export const outsideZones: Check = ({ nameContext: { zone, declaredZones } }) =>
  zone === undefined
    ? { verdict: 'OutsideZones', message: `outside the zones ${[...declaredZones.keys()].map(withoutDot).join(', ')}` }
    : undefined;

/** A type is a violation when it would be discovered if it were spelt right. */
export const misspelledType: Check = ({ desired }) => refused(misspeltType(desired.type));

/** A name is a violation when it breaks RFC 1123, or is one that clients trust by itself, such as wpad. */
export const illegalHostName: Check = ({ desired: { name, type } }) => refused(illegalName(name, type));

/** A name is a violation when it is the name server of a declared zone. */
export const zonesOwnServer: Check = ({ desired, nameContext }) =>
  nameContext.nameServers.has(desired.name) ? { verdict: 'DeclaredElsewhere', message: zoneServerMessage } : undefined;

/** A name is a violation when PowerDNS answers for it from another zone than the declared one. */
export const answeredByAnotherZone: Check = ({ nameContext: { zone, answeringZone } }) => {
  if (zone === undefined || answeringZone === zone) return undefined;
  return refused(
    answeringZone && answeringZone.length > zone.length
      ? `the zone ${withoutDot(answeringZone)} answers for it, and is not declared: declare it in spec.zones`
      : `the zone ${withoutDot(zone)} could not be created: see the condition ZonesReady`,
  );
};

/** A name is a violation when a delegation or DNAME covers it, unless it is glue of the same namespace's delegation. */
export const belowZoneCut: Check = ({ desired, nameContext: { cut } }) => {
  if (!cut) return undefined;
  if (isGlue(desired, cut) && isOfSameGroup(desired, cut)) return undefined;
  // A current delegation is its own cut.
  if (cut.type === 'NS' && desired.type === 'NS' && cut.name === desired.name) return undefined;
  const verdict = conflictVerdicts[ownershipOf(cut)];
  // The advice for the other verdicts is in the sentence about the name.
  const remedy = verdict === 'ForeignRecord' ? ': remove that record, or use another host' : '';
  const what =
    cut.type === 'DNAME'
      ? `the DNAME of ${withoutDot(cut.name)} covers it (RFC 6672 section 2.4)`
      : `${withoutDot(cut.name)} is delegated: its own servers answer for it`;
  return { verdict, message: `${what}${remedy}` };
};

/** Only those who delegate a name may publish its glue: anybody else would answer for everything below it. */
const isOfSameGroup = (desired: RRset, cut: RRset) =>
  ownershipOf(cut) === 'discovered' && sharingGroup(resourceOf(cut)) === sharingGroup(resourceOf(desired));

/** A target is a violation while the host name that it is has no address. Before the checks of CNAMEs: it is to be none. */
export const unresolvedTarget: Check = ({ desired: { fault = '', unresolved } }) =>
  unresolved && { ...unresolved, message: fault };

/** A CNAME, PTR or NS is a violation where DNS does not allow the type. */
export const misplacedType: Check = ({ desired: { name, type }, nameContext: { zone = '' } }) => {
  if (type === 'CNAME' && name === zone) {
    return refused(
      'a CNAME is not allowed at the zone apex (RFC 1034 section 3.6.2): use a host below it, or an address as target',
    );
  }
  if (type === 'PTR' && !isReverse(zone)) {
    return refused(
      'a PTR record belongs in a reverse zone (RFC 1035 section 3.5): name it below in-addr.arpa or ip6.arpa',
    );
  }
  if (type !== 'NS') return undefined;
  if (name === zone)
    return refused('the name servers of a zone are declared, not discovered: see spec.zones[].nameServers');
  if (!name.startsWith('*.')) return undefined;
  return refused('a wildcard cannot be delegated (RFC 4592 section 4.2): delegate a name');
};

/** A TTL is a violation when it is not one of RFC 2181 section 8. */
export const invalidTTL: Check = ({ desired: { ttl } }) =>
  isTTL(ttl) ? undefined : refused(`the TTL ${ttl} is invalid: use 0 to ${maxTTL} seconds`);

/** A target is a violation when `discovery.targets.networks` excludes it. */
export const filteredTarget: Check = ({ desired: { fault, isFiltered } }) =>
  fault !== undefined && isFiltered ? filtered(`${fault}: change that field, or the address of the object`) : undefined;

/** Targets are a violation when there are too many, or when one endpoint has those of several objects. */
export const unclearTarget: Check = ({ desired: { fault } }) =>
  refused(fault === undefined || fault === tooManyTargets ? fault : `${fault}: give each of them a host of its own`);

/** A record is a violation when it has no target (yet). */
export const missingTarget: Check = ({ desired: { records } }) =>
  records.length === 0 || records.includes('') ? { verdict: 'NoAddress', message: 'no target' } : undefined;

/** A target is a violation when it is not of the form that the type has. */
export const invalidTarget: Check = ({ desired: { type, records } }) => {
  const message = records
    .values()
    .map((content) => targetError(type, content))
    .find((each) => each !== undefined);
  return refused(message && `correct the target: ${message}`);
};

function targetError(type: string, content: string): string | undefined {
  if (type === 'A' ? isIPv4(content) : type === 'AAAA' && isIPv6(content) && !content.includes('%')) return undefined;
  try {
    if (isDiscoverable(type)) parseTarget(type, content);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A CNAME is a violation when it has several targets, or leads to its own name. */
export const invalidCNAME: Check = ({ desired: { name, type, records } }) => {
  if (type !== 'CNAME') return undefined;
  if (records.length !== 1) return refused(`a CNAME has one target, not ${records.length}: give the object only one`);
  return records[0] === name ? refused('a CNAME to itself: give the object another target') : undefined;
};
