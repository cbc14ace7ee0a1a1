import { withoutDot, zoneOf } from '../dns/name.ts';
import type { DeclaredContent } from './declared.ts';
import { pointersTo } from './pointers.ts';
import { type Change, declaredAccount, ownershipOf, type RRset, type Zone } from './zone.ts';
import { arrivals, changesOf, emptying, isForeign, settle, type Wanted } from './zone-changes.ts';

/** What brings the zones to what is declared. Nothing in it touches what is not the agent's own. */
export interface Reconciliation {
  create: { name: string; rrsets: RRset[] }[];
  patch: { zone: Zone; changes: Change[] }[];
  remove: Zone[];
  /** Zones that are not declared and stay, with the reason. */
  retained: { name: string; message: string }[];
  /** What people should know, and nothing waits for. */
  warnings: string[];
}

export interface Circumstances {
  /** Whether somebody discovers names: otherwise those that were go. */
  discovers?: boolean;
  /** Whether what was discovered gets PTR records. */
  reverse?: boolean;
  /** Whether PowerDNS works out LUA records; names that have one wait for it. */
  lua?: boolean;
}

/** Pure: `declared + actual -> changes`. Applied once, a second call finds nothing to do. */
export function reconcile(
  contents: ReadonlyMap<string, DeclaredContent>,
  zones: Zone[],
  { discovers = false, reverse = false, lua = true }: Circumstances = {},
): Reconciliation {
  const names = new Map([...contents.keys()].map((name) => [name, name]));
  const isAtHome = (zone: Zone, rrset: RRset) => discovers && zoneOf(rrset.name, names) === zone.name;
  // Without discovery nobody would ever remove a discovered name, so it goes. One that another zone now answers for goes along, so that it is never missing in between.
  const movers = Map.groupBy(
    (discovers ? zones : []).flatMap((zone) =>
      zone.rrsets.filter((r) => ownershipOf(r) === 'discovered' && !isAtHome(zone, r)),
    ),
    (rrset) => zoneOf(rrset.name, names),
  );
  const there = new Set(zones.map(({ name }) => name));
  // Without its files a zone would deny names that are in them.
  const created = [...contents].filter(([name, { waiting }]) => !there.has(name) && waiting === undefined);
  /** With these RRsets beside the declared ones. */
  const settled = (more: ReadonlyMap<string, RRset[]>) => ({
    create: created.map(([name, content]) => {
      const { rrsets } = wantedIn(content, more.get(name), lua);
      return { name, rrsets, arriving: arrivals(name, movers.get(name), rrsets) };
    }),
    patch: zones.flatMap((zone) => {
      const content = contents.get(zone.name);
      if (!content) return [];
      const wanted = wantedIn(content, more.get(zone.name), lua);
      return [{ zone, settlement: settle(zone, wanted, movers.get(zone.name), (r) => isAtHome(zone, r)) }];
    }),
  });
  const pointers = pointersTo(contents, reverse && discovers ? published(settled(new Map())) : undefined);
  const { create, patch } = settled(pointers.rrsets);
  const undeclared = zones.filter((zone) => !contents.has(zone.name));
  const remove = undeclared.filter((zone) => zone.account === declaredAccount && !zone.rrsets.some(isForeign));
  const retained = undeclared.filter((zone) => !remove.includes(zone));
  return {
    create: create.map(({ name, rrsets, arriving }) => ({ name, rrsets: [...rrsets, ...arriving] })),
    patch: [
      ...patch.map(({ zone, settlement }) => ({ zone, changes: changesOf(zone, settlement) })),
      ...retained.map((zone) => ({ zone, changes: emptying(zone) })),
    ].filter(({ changes }) => changes.length > 0),
    remove,
    retained: retained.map((zone) => ({ name: zone.name, message: whyRetained(zone) })),
    warnings: pointers.warnings,
  };
}

function wantedIn({ rrsets: declared, held, derived }: DeclaredContent, more: RRset[] = [], lua: boolean): Wanted {
  const rrsets = [...declared, ...more];
  const waiting = new Set(lua ? [] : rrsets.filter(({ type }) => type === 'LUA').map(({ name }) => name));
  return {
    rrsets: rrsets.filter(({ type }) => lua || type !== 'LUA'),
    holds: ({ name, mark }) => waiting.has(name) || held.has(mark?.content ?? ''),
    isDerived: (rrset) => derived.has(rrset),
  };
}

/** The discovered RRsets that there will be. */
function published({ create, patch }: { create: { arriving: RRset[] }[]; patch: { settlement: Arrival }[] }): RRset[] {
  return [
    ...create.flatMap(({ arriving }) => arriving),
    ...patch.flatMap(({ settlement: { staying, arriving } }) => [...staying, ...arriving]),
  ].filter((rrset) => ownershipOf(rrset) === 'discovered');
}

type Arrival = { staying: RRset[]; arriving: RRset[] };

function whyRetained(zone: Zone): string {
  if (zone.account !== declaredAccount) return 'not declared, and not made by this instance: left alone';
  const foreign = zone.rrsets.find(isForeign);
  const { name = '', type } = foreign ?? {};
  return `no longer declared, but kept for records that are not this instance's, such as ${withoutDot(name)} ${type}`;
}
