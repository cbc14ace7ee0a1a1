import { withoutDot, zoneOf } from '../../dns/name.ts';
import { missingGlue } from '../../dns/zone/glue.ts';
import type { LookupZone } from '../../dns/zone/lookup.ts';
import { type OwnershipTXT, ownershipRecordsFor } from '../discovery/ownership/ownership-txt.ts';
import { wildcardBlocksIn } from '../discovery/wildcard-blocks.ts';
import { areConflicting, type Change, declaredAccount, ownershipOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import { loopingRRsets } from './alias-loops.ts';
import type { DesiredZone } from './desired-zone.ts';
import { isDerivedPTR, type PTRSource, ptrRecordsFor } from './ptr-records.ts';
import { arrivals, changesOf, type Desired, diffZone, isForeign, purge, type ZoneDiff } from './zone-diff.ts';

/** The changes that make the zones what they should be. It touches only what is the agent's own. */
export interface ZonesPlan {
  create: { name: string; rrsets: RRset[] }[];
  patch: { zone: Zone; changes: Change[] }[];
  remove: Zone[];
  /** Undeclared zones that stay, with the reason. */
  retained: { name: string; message: string }[];
  /** For people to know; nothing waits for them. */
  warnings: string[];
  /** Why declared RRsets are left out of a zone: beside foreign records they would form a CNAME or ALIAS loop. */
  loops: ReadonlyMap<string, string>;
}

export interface PlanOptions {
  /** Whether discovery is on: otherwise all discovered RRsets go. */
  discovers?: boolean;
  /** Whether discovered addresses get PTR records. */
  reverse?: boolean;
  /** The PTR records that Machines request. While nobody knows, those that are there stay. */
  ptrSources?: readonly PTRSource[] | 'unknown';
  /** Reports whether an ExternalDNS still owns a discovered RRset. By default one owns each of them. */
  isStillDiscovered?: ((rrset: RRset) => boolean) | undefined;
  /** How ExternalDNS's TXT registry names its records. Without it discovered RRsets get none. */
  ownershipTXT?: OwnershipTXT | undefined;
  /** Patterns of names that no discovered wildcard answers. */
  reservedNames?: readonly string[] | undefined;
  /** Whether PowerDNS runs LUA records already: until then, names that get one keep what they have. */
  lua?: boolean;
}

/**
 * Computes `desired + current -> changes`; once they are applied, there are none left. Of a CNAME or ALIAS loop the
 * discovered RRsets go, and the declared ones only if the rest of it is foreign.
 */
export function planZones(
  desired: ReadonlyMap<string, DesiredZone>,
  zones: Zone[],
  options: PlanOptions = {},
): ZonesPlan {
  const { isStillDiscovered = () => true } = options;
  const dropped = new Set<RRset>();
  const loops = new Map<string, string>();
  let remaining = desired;
  for (;;) {
    const { results, ...plan } = planOnce(remaining, zones, {
      ...options,
      isStillDiscovered: (rrset) => isStillDiscovered(rrset) && !dropped.has(rrset),
    });
    const looping = loopingRRsets(results, remaining).filter(({ rrset }) => !dropped.has(rrset));
    if (looping.length === 0) return { ...plan, loops };
    for (const { rrset, zone, message } of looping) {
      if (zone === undefined) dropped.add(rrset);
      else {
        remaining = withoutRRset(remaining, zone, rrset);
        if (!loops.has(zone)) loops.set(zone, message);
      }
    }
  }
}

function withoutRRset(desired: ReadonlyMap<string, DesiredZone>, name: string, rrset: RRset) {
  const zone = desired.get(name);
  if (!zone) return desired;
  return new Map(desired).set(name, { ...zone, rrsets: zone.rrsets.filter((each) => each !== rrset) });
}

function planOnce(
  desired: ReadonlyMap<string, DesiredZone>,
  zones: Zone[],
  {
    discovers = false,
    reverse = false,
    ptrSources = [],
    isStillDiscovered = () => true,
    ownershipTXT,
    reservedNames = [],
    lua = true,
  }: PlanOptions,
): Omit<ZonesPlan, 'loops'> & { results: LookupZone<RRset>[] } {
  const currentNames = new Set(zones.map(({ name }) => name));
  // Without its files a new zone would deny the names in them: until they are read, its parent zone keeps these names.
  const absent = [...desired].flatMap(([name, { pending }]) =>
    pending === undefined || currentNames.has(name) ? [] : [name],
  );
  const declaredNames = new Map([...desired.keys()].map((name) => [name, name]));
  const isAbsent = ({ name }: RRset) => absent.includes(zoneOf(name, declaredNames) ?? '');
  const names = new Map([...declaredNames].filter(([name]) => !absent.includes(name)));
  const isDesired = (rrset: RRset) => discovers && isStillDiscovered(rrset);
  const belongs = (zone: Zone, rrset: RRset) => isDesired(rrset) && zoneOf(rrset.name, names) === zone.name;
  // A discovered RRset that nobody would ever remove goes. One that is now in another zone moves there, without a gap.
  const movers = Map.groupBy(
    (discovers ? zones : []).flatMap((zone) =>
      zone.rrsets.filter((rrset) => ownershipOf(rrset) === 'discovered' && isDesired(rrset) && !belongs(zone, rrset)),
    ),
    (rrset) => zoneOf(rrset.name, names),
  );
  const created = [...desired].filter(([name]) => !currentNames.has(name) && names.has(name));
  const diffWith = (derived: ReadonlyMap<string, RRset[]>): ZoneDiffs => ({
    create: created.map(([name, zone]) => {
      const { rrsets } = desiredIn([...zone.rrsets, ...(derived.get(name) ?? [])], zone, { isAbsent, lua });
      return { name, rrsets: [...rrsets, ...arrivals(name, movers.get(name), rrsets)] };
    }),
    patch: zones.flatMap((zone) => {
      const declared = desired.get(zone.name);
      if (!declared) return [];
      const rrsets = [...declared.rrsets, ...(derived.get(zone.name) ?? [])];
      const isKept = ptrSources === 'unknown' ? isDerivedPTR : () => false;
      const wanted = desiredIn(rrsets, declared, { isAbsent, isKept, lua });
      const diff = diffZone(zone, wanted, movers.get(zone.name), (rrset) => belongs(zone, rrset));
      return [{ zone, diff }];
    }),
  });
  // Each kind of derived records follows from a result that has the kinds before it.
  const published = reverse && discovers ? resultOf(diffWith(new Map())) : undefined;
  const ptr = ptrRecordsFor(desired, published, ptrSources === 'unknown' ? [] : ptrSources);
  const ownershipRecords =
    ownershipTXT && discovers
      ? mapZones(diffWith(ptr.rrsets), (zone, rrsets) => ownershipRecordsFor(zone, rrsets, ownershipTXT))
      : new Map();
  const derived = merged(ptr.rrsets, ownershipRecords);
  const isIn = (zone: string) => (name: string) => zoneOf(name, names) === zone;
  const wildcardBlocks = mapZones(diffWith(derived), (zone, rrsets) =>
    wildcardBlocksIn(zone, rrsets, { reservedNames, isHome: isIn(zone) }),
  );
  const diffs = diffWith(merged(derived, wildcardBlocks));
  const { create, patch } = diffs;
  const undeclared = zones.filter((zone) => !desired.has(zone.name));
  const remove = undeclared.filter(isRemovable);
  const retained = undeclared.filter((zone) => !remove.includes(zone));
  return {
    create,
    patch: [
      ...patch.map(({ zone, diff }) => ({ zone, changes: changesOf(zone, diff) })),
      ...retained.map((zone) => ({ zone, changes: purge(zone) })),
    ].filter(({ changes }) => changes.length > 0),
    remove,
    retained: retained.map((zone) => ({ name: zone.name, message: retainedReason(zone) })),
    warnings: [...ptr.warnings, ...glueWarnings(diffs, names, (name) => desired.get(name)?.isOfTeam ?? false)],
    results: [
      ...create.map(({ name, rrsets }) => ({ name, records: rrsets })),
      ...patch.map(({ zone, diff }) => ({ name: zone.name, records: diff.result })),
      ...retained.map(({ name, rrsets }) => ({ name, records: rrsets })),
    ],
  };
}

/** Reports whether an undeclared zone, with everything in it, is the agent's own. */
export const isRemovable = ({ account, rrsets }: Zone) => account === declaredAccount && !rrsets.some(isForeign);

interface DesiredInOptions {
  isAbsent: (rrset: RRset) => boolean;
  /** Whether a current RRset stays although it is not desired. */
  isKept?: (rrset: RRset) => boolean;
  lua: boolean;
}

function desiredIn(
  rrsets: RRset[],
  { heldFiles, derived }: DesiredZone,
  { isAbsent, isKept = () => false, lua }: DesiredInOptions,
): Desired {
  const delayed = new Map(lua ? [] : rrsets.filter(({ type }) => type === 'LUA').map((rrset) => [rrset.name, rrset]));
  return {
    rrsets: rrsets.filter((rrset) => (lua || rrset.type !== 'LUA') && !isAbsent(rrset)),
    isKept: (rrset) => {
      const successor = delayed.get(rrset.name);
      const awaitsSuccessor = successor !== undefined && areConflicting(successor, rrset);
      return awaitsSuccessor || isKept(rrset) || heldFiles.has(rrset.mark?.content ?? '') || isAbsent(rrset);
    },
    isDerived: (rrset) => derived.has(rrset),
  };
}

interface ZoneDiffs {
  create: { name: string; rrsets: RRset[] }[];
  patch: { zone: Zone; diff: ZoneDiff }[];
}

const resultOf = ({ create, patch }: ZoneDiffs) => [
  ...create.flatMap(({ rrsets }) => rrsets),
  ...patch.flatMap(({ diff }) => diff.result),
];

/** Maps the resulting RRsets of each zone. */
const mapZones = ({ create, patch }: ZoneDiffs, map: (zone: string, rrsets: RRset[]) => RRset[]) =>
  new Map([
    ...create.map(({ name, rrsets }): [string, RRset[]] => [name, map(name, rrsets)]),
    ...patch.map(({ zone, diff }): [string, RRset[]] => [zone.name, map(zone.name, diff.result)]),
  ]);

const merged = (a: ReadonlyMap<string, RRset[]>, b: ReadonlyMap<string, RRset[]>) =>
  new Map([...a.keys(), ...b.keys()].map((zone) => [zone, [...(a.get(zone) ?? []), ...(b.get(zone) ?? [])]]));

/**
 * Warns of delegations without glue, but not in zones of teams: administrators read it. The glue of declared zones follows
 * the server's own addresses.
 */
const glueWarnings = (diffs: ZoneDiffs, names: ReadonlyMap<string, string>, isOfTeam: (zone: string) => boolean) =>
  [...mapZones(diffs, (zone, rrsets) => rrsets.filter(({ name }) => name === zone || !names.has(name)))].flatMap(
    ([zone, rrsets]) => (isOfTeam(zone) ? [] : missingGlue(zone, rrsets)),
  );

function retainedReason(zone: Zone): string {
  if (zone.account !== declaredAccount) return 'not declared, and not made by this instance: left alone';
  const foreign = zone.rrsets.find(isForeign);
  const { name = '', type } = foreign ?? {};
  return `no longer declared, but kept for records that are not this instance's, such as ${withoutDot(name)} ${type}`;
}
