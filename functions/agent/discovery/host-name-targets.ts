import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import { withoutDot, zoneOf } from '../../dns/name.ts';
import { compare } from '../lib/compare.ts';
import { roundRobin } from '../lib/round-robin.ts';
import { canonicalAddress, keyOf, type RRset, resourceOf } from '../powerdns/rrset.ts';
import { type Family, families, type HostNameAddresses } from '../resolver/host-name-state.ts';
import { type HostNameTable, mostHostNames } from '../resolver/host-names.ts';
import { hasTooManyTargets, tooManyTargets } from '../sources/host-limit.ts';
import { isTargetType } from '../sources/target.ts';
import { mayShare } from './conflict.ts';
import { type DesiredRecord, type Networks, networksOf } from './desired-records.ts';
import { typeFault } from './endpoint.ts';
import type { Violation } from './evaluation.ts';
import { namespaceOf } from './resource-label.ts';

export interface HostNameContext {
  discovery: DeclaredDiscovery;
  /** By the absolute names of the declared zones. */
  declaredZones: ReadonlyMap<string, unknown>;
  /** The records that this provider's ExternalDNS sees. */
  current: readonly RRset[];
  /** Undefined where host names cannot be resolved: they stay CNAMEs. */
  table?: HostNameTable | undefined;
}

export interface ResolvedRecords {
  desiredRecords: DesiredRecord[];
  /**
   * The absolute names whose addresses are needed, known or not. One of each namespace comes before the second of any, as
   * their number is limited: no namespace can have all.
   */
  hostNames: ReadonlySet<string>;
}

/**
 * Replaces CNAMEs to names outside the zones by the addresses that these names have. PowerDNS answers such a CNAME without
 * an address, because it resolves no names of other servers, and a client whose resolver queries it for nothing but the
 * zones has nobody to ask for the rest. A CNAME within the zones stays: PowerDNS follows it (RFC 1034 section 4.3.2).
 *
 * Pure. As long as a name has not been resolved often enough, what has been published before is kept beside its addresses.
 */
export function resolveHostNames(desiredRecords: DesiredRecord[], context: HostNameContext): ResolvedRecords {
  const { discovery, table, current } = context;
  if (!table || discovery.targets.hostNames !== 'Addresses') return { desiredRecords, hostNames: new Set() };
  const byNamespace = new Map<string, Set<string>>();
  const currentByKey = new Map(current.map((rrset) => [keyOf(rrset), rrset]));
  const networks = networksOf(discovery.targets);
  const resolved = desiredRecords.flatMap((desired) => {
    const names = outsideNames(desired, context);
    if (names.length === 0) return [desired];
    const namespace = namespaceOf(resourceOf(desired));
    const ofNamespace = byNamespace.get(namespace) ?? new Set();
    for (const name of names) ofNamespace.add(name);
    byNamespace.set(namespace, ofNamespace);
    const inside = desired.records.filter((target) => !names.includes(target));
    const rest = inside.length > 0 ? [{ ...desired, records: inside }] : [];
    return [...addressRecords(desired, names, { discovery, table, networks, currentByKey }), ...rest];
  });
  if (byNamespace.size === 0) return { desiredRecords, hostNames: new Set() };
  // In the same order everywhere, so that replicas follow the same ones.
  const sorted = [...byNamespace].sort(([a], [b]) => compare(a, b)).map(([, names]) => [...names].sort());
  return { desiredRecords: withoutNeedlessFaults(resolved), hostNames: roundRobin(sorted) };
}

/** The targets of a CNAME in the zones that are host names outside them. Any other target is found by the checks. */
function outsideNames({ name, type, records, fault, isFiltered }: DesiredRecord, context: HostNameContext): string[] {
  // With addresses instead it does not matter whether CNAMEs are discovered.
  if (type !== 'CNAME' || (fault !== undefined && !isFiltered)) return [];
  if (zoneOf(name, context.declaredZones) === undefined) return [];
  return records.filter((target) => hostName.test(target) && !isInside(target, context));
}

const isInside = (name: string, { declaredZones }: HostNameContext) => zoneOf(name, declaredZones) !== undefined;

/** Names of load balancers contain underscores, too. */
const hostName = /^(?=.{2,254}$)(?:[a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?\.)+$/;

interface AddressContext {
  discovery: DeclaredDiscovery;
  table: HostNameTable;
  networks: Networks | undefined;
  currentByKey: ReadonlyMap<string, RRset>;
}

/** The addresses of host names as the records of an object; without any, one record that says why. */
function addressRecords(desired: DesiredRecord, names: readonly string[], context: AddressContext): DesiredRecord[] {
  const { name, ttl, mark } = desired;
  const faults = names.flatMap((each) => faultsOf(each, context.table));
  const records = families.flatMap((type): DesiredRecord[] => {
    const record: DesiredRecord = { name, type, ttl, records: [], ...(mark && { mark }) };
    const { addresses, isKept } = addressesOf(record, type, names, context);
    if (addresses.length === 0) return [];
    const [fault] = faults;
    const note = fault && `${isKept || fault.isOld ? 'the last known addresses, as ' : ''}${fault.message}`;
    return [limited({ ...record, records: addresses, ...(note !== undefined && { note }) }, context)];
  });
  if (records.length > 0) return records;
  // What has been published stays unless no name has an address for certain.
  const fault = faults.find(({ isFinal }) => !isFinal) ?? faults[0] ?? unknown(names[0] as string);
  const { message, verdict, isFinal = false } = fault;
  const { isFiltered: _, note: __, ...rest } = desired;
  return [{ ...rest, records: [...names], fault: message, unresolved: { verdict, isFinal } }];
}

interface Addresses {
  addresses: string[];
  /** Whether some of them are those of before. */
  isKept: boolean;
}

function addressesOf(
  record: DesiredRecord,
  type: Family,
  names: readonly string[],
  { table, currentByKey, discovery }: AddressContext,
): Addresses {
  const followed = names.map((name) => table.get(name));
  const addresses = new Set(followed.flatMap((each) => each?.[type] ?? []));
  const isUnsettled = followed.some((each) => !each || each.unsettled.includes(type));
  const current = isUnsettled ? currentByKey.get(keyOf(record)) : undefined;
  // A record that several objects share has the mark of one of them.
  const isShared = current && mayShare(current, record, discovery.sharedHosts);
  const before = isShared ? current.records.map(canonicalAddress).filter((address) => !addresses.has(address)) : [];
  return { addresses: [...addresses, ...before].sort(), isKept: before.length > 0 };
}

/** As far as the spec lets it be published. */
function limited(record: DesiredRecord, { discovery, networks }: AddressContext): DesiredRecord {
  const fault = typeFault(record.type, discovery.recordTypes);
  if (fault !== undefined) return { ...record, isFiltered: true, fault };
  const within = networks?.within(record) ?? record;
  return hasTooManyTargets(within.records) ? { ...within, fault: tooManyTargets } : within;
}

/** Filtered addresses are of no interest where the object has others. */
function withoutNeedlessFaults(desiredRecords: DesiredRecord[]): DesiredRecord[] {
  const placeOf = ({ name, mark }: DesiredRecord) => `${name} ${mark?.content}`;
  const isAnswer = ({ type, isFiltered, unresolved }: DesiredRecord) =>
    isTargetType(type) && !isFiltered && !unresolved;
  const answered = new Set(desiredRecords.filter(isAnswer).map(placeOf));
  return desiredRecords.filter((desired) => {
    const isFiltered = desired.isFiltered === true && isTargetType(desired.type);
    return !isFiltered || !answered.has(placeOf(desired));
  });
}

interface Fault extends Violation {
  /** Whether the name has addresses all the same: old ones. */
  isOld: boolean;
}

const cure = 'or give the object another target';

function faultsOf(name: string, table: HostNameTable): Fault[] {
  const addresses = table.get(name);
  if (!addresses) return [table.isFull ? overLimit(name) : unknown(name)];
  const { fault } = addresses;
  if (fault === undefined) return [];
  if (fault === 'Unknown') return [unknown(name)];
  const isOld = addresses.A.length + addresses.AAAA.length > 0;
  const isFinal = typeof fault === 'string';
  return [{ verdict: 'NoAddress', message: messageOf(withoutDot(name), fault), isFinal, isOld }];
}

function messageOf(name: string, fault: Exclude<NonNullable<HostNameAddresses['fault']>, 'Unknown'>): string {
  if (typeof fault === 'object')
    return `the pod's resolver does not resolve the target ${name} (${fault.failure}): find the cause with dig, ${cure}`;
  switch (fault) {
    case 'Absent':
      return `the pod's resolver cannot find the target ${name} (NXDOMAIN): fix that name, ${cure}`;
    case 'NoAddress':
      return `the pod's resolver has no address for the target ${name} (NODATA): fix that name, ${cure}`;
    case 'Unusable':
      return `the target ${name} has only addresses that lead nowhere, such as 127.0.0.1: fix that name, ${cure}`;
  }
}

const unknown = (name: string): Fault => ({
  verdict: 'Pending',
  message: `the target ${withoutDot(name)} is not resolved yet`,
  isOld: false,
});

const overLimit = (name: string): Fault => ({
  verdict: 'Refused',
  message: `the target ${withoutDot(name)} is not resolved, as ${mostHostNames} other host names are: use fewer, or set discovery.targets.hostNames: CNAME`,
  isOld: false,
});
