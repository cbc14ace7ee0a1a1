import type { DeclaredZone } from '../../contract/declaration.ts';
import { serverAddressesOf } from '../../contract/server-addresses.ts';
import { absolute, parentOf, zoneOf } from '../../dns/name.ts';
import { apexOf, delegationOf, hostRRsets } from '../../dns/zone/apex.ts';
import { octetsOf, rangeOf } from '../../dns/zone/reverse.ts';
import type { ZoneIssue } from '../../dns/zone/rrset.ts';
import { zoneContext } from '../../dns/zone/validate-zone.ts';
import { recordCost } from '../../dns/zone-file/zone-file.ts';
import { canonicalAddress, isAddressType, keyOf, type RRset } from '../powerdns/rrset.ts';
import { unresolvableAliases } from './alias-loops.ts';
import { isOfTeam, type ServedDeclaration } from './served-declaration.ts';
import type { ZoneFiles } from './zone-file.ts';
import { declaredMark, type SkippedRecords, type ZoneRecords, zoneRecords } from './zone-records.ts';

/** Everything that is declared of one zone. */
export interface DesiredZone extends ZoneRecords {
  isOfTeam: boolean;
  /** Seconds. */
  defaultTTL: number;
  /** The RRsets that were derived, not written. They yield to current records of a zone file that cannot be read now. */
  derived: Set<RRset>;
}

/** The DS records of each signed zone, by its absolute name. */
export type DSRecords = ReadonlyMap<string, string[]>;

/** The cost of the current RRsets, in ordinary records. */
export interface CurrentCost {
  /** By zone, then by zone file. */
  files: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Of discovered and foreign RRsets. */
  others: number;
}

/** The limit of ordinary records of all zones together, but for those of teams, which have one of their own. */
export interface RecordBudget {
  most: number;
  current?: CurrentCost | undefined;
}

const noCost: CurrentCost = { files: new Map(), others: 0 };

/** Computes the desired zones by absolute name, without the records that are derived from current ones. */
export function desiredZones(
  declaration: ServedDeclaration,
  files: ZoneFiles = new Map(),
  dsRecords: DSRecords = new Map(),
  budget: RecordBudget = { most: Number.POSITIVE_INFINITY },
): Map<string, DesiredZone> {
  const skipped = new Map(declaration.zones.map(({ name }) => [absolute(name), new Map<string, ZoneIssue>()]));
  for (;;) {
    const desired = desiredWithout(skipped, declaration, files, dsRecords, budget);
    const unresolvable = unresolvableAliases(desired);
    if (unresolvable.length === 0) return desired;
    // Without them other names may match a wildcard.
    for (const { zone, source, issue } of unresolvable) skipped.get(zone)?.set(source, issue);
  }
}

function desiredWithout(
  skipped: ReadonlyMap<string, SkippedRecords>,
  declaration: ServedDeclaration,
  files: ZoneFiles,
  dsRecords: DSRecords,
  { most, current = noCost }: RecordBudget,
): Map<string, DesiredZone> {
  const { zones } = declaration;
  const names = new Map(zones.map(({ name }) => [absolute(name), absolute(name)]));
  const ofTeams = new Set(zones.filter(isOfTeam).map(({ name }) => absolute(name)));
  const servers = serverAddressesOf(declaration);
  // One zone may name a server that is in another: its address belongs in the zone that resolvers ask for it.
  const hosts = Map.groupBy(servers, ([server]) => zoneOf(server, names));
  const inSpec = zones
    .filter((zone) => !isOfTeam(zone))
    .flatMap(({ records = [] }) => records.flatMap(({ values }) => values));
  const ofFiles = current.files.values().flatMap((files) => files.values());
  const spent = [...ofFiles, ...inSpec.map(recordCost)].reduce((sum, each) => sum + each, current.others);
  let budget = most - spent;
  const desired = new Map(
    zones.map((zone): [string, DesiredZone] => {
      const context = zoneContext(zone, zones);
      const content = zoneRecords(zone, context, files, {
        skipped: skipped.get(context.name),
        budget,
        current: current.files.get(context.name),
        ...(ofTeams.size > 0 && { isTaken: (name) => ofTeams.has(zoneOf(name, names) ?? '') }),
      });
      budget -= content.cost;
      const addressed = new Set(content.rrsets.filter((r) => isAddressType(r.type)).map((r) => r.name));
      const derived = (hosts.get(context.name) ?? [])
        .filter(([server]) => !addressed.has(server))
        .flatMap(([server, addresses]) => hostRRsets(server, canonical(addresses), context.defaultTTL))
        .map(declared);
      const rrsets = [...apexOf(zone).map(declared), ...derived, ...content.rrsets];
      const { defaultTTL } = context;
      return [context.name, { ...content, rrsets, defaultTTL, derived: new Set(derived), isOfTeam: isOfTeam(zone) }];
    }),
  );
  for (const zone of zones) addDelegation(zone, desired, dsRecords.get(absolute(zone.name)) ?? []);
  for (const [name, { rrsets, derived }] of desired) {
    for (const alias of classlessAliases(name, rrsets)) {
      if (skipped.get(name)?.has(keyOf(alias))) continue;
      rrsets.push(alias);
      derived.add(alias);
    }
  }
  return desired;
}

const canonical = (addresses: string[]) => [...new Set(addresses.map(canonicalAddress))];

const declared = (rrset: RRset): RRset => ({ ...rrset, mark: declaredMark() });

/** Adds a zone's delegation to its parent zone, if that is declared too. */
function addDelegation(zone: DeclaredZone, desired: Map<string, DesiredZone>, ds: string[]): void {
  const name = absolute(zone.name);
  const parent = zoneOf(parentOf(name), desired);
  if (!parent) return;
  parent.rrsets.push(...delegationOf(zone, ds, desired.get(name)?.rrsets ?? []).map(declared));
}

/** Returns the CNAMEs of RFC 2317 section 4 for the delegated parts of a /24, marked as the delegation is. */
function classlessAliases(zone: string, rrsets: RRset[]): RRset[] {
  const taken = new Set(rrsets.map(({ name }) => name));
  const aliases: RRset[] = [];
  for (const { name: target, type, ttl, mark } of rrsets) {
    const range = type === 'NS' && target !== zone ? rangeOf(target) : undefined;
    if (range?.network !== zone) continue;
    for (const octet of octetsOf(range)) {
      const name = `${octet}.${zone}`;
      // Parts may overlap, and a name has only one CNAME.
      if (taken.has(name)) continue;
      taken.add(name);
      aliases.push({ name, type: 'CNAME', ttl, records: [`${octet}.${target}`], ...(mark && { mark }) });
    }
  }
  return aliases;
}
