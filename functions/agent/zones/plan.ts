import { withoutDot, zoneOf } from '../../dns/name.ts';
import { missingGlue } from '../../dns/zone/glue.ts';
import type { LookupZone } from '../../dns/zone/lookup.ts';
import { type OwnershipTXT, ownershipRecordsFor } from '../discovery/ownership/ownership-txt.ts';
import { wildcardBlocksIn } from '../discovery/wildcard-blocks.ts';
import { areRivals, type Change, declaredAccount, ownershipOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import { closingAmong } from './alias-loops.ts';
import type { DeclaredContent } from './desired-zone.ts';
import { ptrRecordsFor } from './ptr-records.ts';
import { arrivals, changesOf, diffZone, isForeign, purge, type Wanted, type ZoneDiff } from './zone-diff.ts';

/** What brings the zones to what is declared. Nothing in it touches what is not the agent's own. */
export interface ZonesPlan {
  create: { name: string; rrsets: RRset[] }[];
  patch: { zone: Zone; changes: Change[] }[];
  remove: Zone[];
  /** Zones that are not declared and stay, with the reason. */
  retained: { name: string; message: string }[];
  /** What people should know, and nothing waits for. */
  warnings: string[];
  /** What is declared and left out, by zones: with what others have made it would lead in a circle. */
  circles: ReadonlyMap<string, string>;
}

export interface PlanOptions {
  /** Whether somebody discovers names: otherwise those that were go. */
  discovers?: boolean;
  /** Whether what was discovered gets PTR records. */
  reverse?: boolean;
  /** Whether there is still somebody who discovers an RRset; without it there is for all of them. */
  owns?: ((rrset: RRset) => boolean) | undefined;
  /** How ExternalDNS's own registry would name the twins of what was discovered, which get them then. */
  ownershipTXT?: OwnershipTXT | undefined;
  /** Patterns of names that no wildcard of an object answers for. */
  reservedNames?: readonly string[] | undefined;
  /** Whether PowerDNS works out LUA records; names that have one wait for it. */
  lua?: boolean;
}

/**
 * Pure: `declared + actual -> changes`. Applied once, a second call finds nothing to do. What was discovered goes where it
 * would lead in a circle with what is declared, and what is declared where it would with what a person has made.
 */
export function planZones(
  contents: ReadonlyMap<string, DeclaredContent>,
  zones: Zone[],
  circumstances: PlanOptions = {},
): ZonesPlan {
  const owns = circumstances.owns ?? (() => true);
  const discovered = new Set<RRset>();
  const circles = new Map<string, string>();
  let left = contents;
  for (;;) {
    const without = { ...circumstances, owns: (rrset: RRset) => owns(rrset) && !discovered.has(rrset) };
    const { results, ...reconciliation } = reconciled(left, zones, without);
    const closing = closingAmong(results, left).filter(({ rrset }) => !discovered.has(rrset));
    if (closing.length === 0) return { ...reconciliation, circles };
    for (const { rrset, zone, message } of closing) {
      if (zone === undefined) discovered.add(rrset);
      else {
        left = withoutRRset(left, zone, rrset);
        if (!circles.has(zone)) circles.set(zone, message);
      }
    }
  }
}

function withoutRRset(contents: ReadonlyMap<string, DeclaredContent>, zone: string, rrset: RRset) {
  const content = contents.get(zone);
  if (!content) return contents;
  return new Map(contents).set(zone, { ...content, rrsets: content.rrsets.filter((each) => each !== rrset) });
}

function reconciled(
  contents: ReadonlyMap<string, DeclaredContent>,
  zones: Zone[],
  { discovers = false, reverse = false, owns = () => true, ownershipTXT, reservedNames = [], lua = true }: PlanOptions,
): Omit<ZonesPlan, 'circles'> & { results: LookupZone<RRset>[] } {
  const there = new Set(zones.map(({ name }) => name));
  // Without its files a zone would deny names that are in them: until they are known, its parent has its names.
  const absent = [...contents].flatMap(([name, { waiting }]) =>
    waiting === undefined || there.has(name) ? [] : [name],
  );
  const homes = new Map([...contents.keys()].map((name) => [name, name]));
  const isAbsent = ({ name }: RRset) => absent.includes(zoneOf(name, homes) ?? '');
  const names = new Map([...homes].filter(([name]) => !absent.includes(name)));
  const isWanted = (rrset: RRset) => discovers && owns(rrset);
  const isAtHome = (zone: Zone, rrset: RRset) => isWanted(rrset) && zoneOf(rrset.name, names) === zone.name;
  // Where nobody would ever remove a discovered name, it goes. One that another zone now answers for goes along, so that it is never missing in between.
  const movers = Map.groupBy(
    (discovers ? zones : []).flatMap((zone) =>
      zone.rrsets.filter((r) => ownershipOf(r) === 'discovered' && isWanted(r) && !isAtHome(zone, r)),
    ),
    (rrset) => zoneOf(rrset.name, names),
  );
  const created = [...contents].filter(([name]) => !there.has(name) && names.has(name));
  /** With these RRsets beside the declared ones. */
  const settled = (more: ReadonlyMap<string, RRset[]>): Settled => ({
    create: created.map(([name, content]) => {
      const { rrsets } = wantedIn([...content.rrsets, ...(more.get(name) ?? [])], content, isAbsent, lua);
      return { name, rrsets: [...rrsets, ...arrivals(name, movers.get(name), rrsets)] };
    }),
    patch: zones.flatMap((zone) => {
      const content = contents.get(zone.name);
      if (!content) return [];
      const wanted = wantedIn([...content.rrsets, ...(more.get(zone.name) ?? [])], content, isAbsent, lua);
      return [{ zone, settlement: diffZone(zone, wanted, movers.get(zone.name), (r) => isAtHome(zone, r)) }];
    }),
  });
  const pointers = ptrRecordsFor(contents, reverse && discovers ? resultOf(settled(new Map())) : undefined);
  const twins =
    ownershipTXT && discovers
      ? eachZone(settled(pointers.rrsets), (zone, rrsets) => ownershipRecordsFor(zone, rrsets, ownershipTXT))
      : new Map();
  const derived = together(pointers.rrsets, twins);
  const isHome = (zone: string) => (name: string) => zoneOf(name, names) === zone;
  const denials = eachZone(settled(derived), (zone, rrsets) =>
    wildcardBlocksIn(zone, rrsets, { reservedNames, isHome: isHome(zone) }),
  );
  const result = settled(together(derived, denials));
  const { create, patch } = result;
  const undeclared = zones.filter((zone) => !contents.has(zone.name));
  const remove = undeclared.filter(isRemovable);
  const retained = undeclared.filter((zone) => !remove.includes(zone));
  return {
    create,
    patch: [
      ...patch.map(({ zone, settlement }) => ({ zone, changes: changesOf(zone, settlement) })),
      ...retained.map((zone) => ({ zone, changes: purge(zone) })),
    ].filter(({ changes }) => changes.length > 0),
    remove,
    retained: retained.map((zone) => ({ name: zone.name, message: whyRetained(zone) })),
    warnings: [...pointers.warnings, ...unreached(result, names)],
    results: [
      ...create.map(({ name, rrsets }) => ({ name, records: rrsets })),
      ...patch.map(({ zone, settlement }) => ({ name: zone.name, records: settlement.result })),
      ...retained.map(({ name, rrsets }) => ({ name, records: rrsets })),
    ],
  };
}

/** Whether a zone that is not declared is the agent's own, with all that is in it. */
export const isRemovable = ({ account, rrsets }: Zone) => account === declaredAccount && !rrsets.some(isForeign);

function wantedIn(
  rrsets: RRset[],
  { held, derived }: DeclaredContent,
  isAbsent: (rrset: RRset) => boolean,
  lua: boolean,
): Wanted {
  const waiting = new Map(lua ? [] : rrsets.filter(({ type }) => type === 'LUA').map((rrset) => [rrset.name, rrset]));
  return {
    rrsets: rrsets.filter((rrset) => (lua || rrset.type !== 'LUA') && !isAbsent(rrset)),
    holds: (rrset) => {
      const coming = waiting.get(rrset.name);
      const isReplaced = coming !== undefined && areRivals(coming, rrset);
      return isReplaced || held.has(rrset.mark?.content ?? '') || isAbsent(rrset);
    },
    isDerived: (rrset) => derived.has(rrset),
  };
}

interface Settled {
  create: { name: string; rrsets: RRset[] }[];
  patch: { zone: Zone; settlement: ZoneDiff }[];
}

/** Everything that there will be in the declared zones. */
const resultOf = ({ create, patch }: Settled) => [
  ...create.flatMap(({ rrsets }) => rrsets),
  ...patch.flatMap(({ settlement }) => settlement.result),
];

/** What follows in each zone from everything that there will be. */
const eachZone = ({ create, patch }: Settled, following: (zone: string, rrsets: RRset[]) => RRset[]) =>
  new Map([
    ...create.map(({ name, rrsets }): [string, RRset[]] => [name, following(name, rrsets)]),
    ...patch.map(({ zone, settlement }): [string, RRset[]] => [zone.name, following(zone.name, settlement.result)]),
  ]);

const together = (a: ReadonlyMap<string, RRset[]>, b: ReadonlyMap<string, RRset[]>) =>
  new Map([...a.keys(), ...b.keys()].map((zone) => [zone, [...(a.get(zone) ?? []), ...(b.get(zone) ?? [])]]));

/** Delegations that lead nowhere; those of zones that are declared follow the addresses of the server by themselves. */
const unreached = (result: Settled, names: ReadonlyMap<string, string>) =>
  [...eachZone(result, (zone, rrsets) => rrsets.filter(({ name }) => name === zone || !names.has(name)))].flatMap(
    ([zone, rrsets]) => missingGlue(zone, rrsets),
  );

function whyRetained(zone: Zone): string {
  if (zone.account !== declaredAccount) return 'not declared, and not made by this instance: left alone';
  const foreign = zone.rrsets.find(isForeign);
  const { name = '', type } = foreign ?? {};
  return `no longer declared, but kept for records that are not this instance's, such as ${withoutDot(name)} ${type}`;
}
