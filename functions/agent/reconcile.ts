import type { Declaration } from './declaration.ts';
import { declaredRRsets } from './declared.ts';
import {
  answersAlike,
  areRivals,
  type Change,
  declaredAccount,
  excludeEachOther,
  ownershipOf,
  type RRset,
  withoutDot,
  type Zone,
  zoneOf,
} from './zone.ts';

/** What brings the zones to what is declared. Nothing in it touches what is not the agent's own. */
export interface Reconciliation {
  create: { name: string; rrsets: RRset[] }[];
  patch: { zone: Zone; changes: Change[] }[];
  remove: Zone[];
  /** Zones that are not declared and stay, with the reason. */
  retained: { name: string; message: string }[];
}

/** Pure: `declared + actual -> changes`. Applied once, a second call finds nothing to do. */
export function reconcile(declaration: Declaration, zones: Zone[]): Reconciliation {
  const declared = declaredRRsets(declaration);
  const names = new Map([...declared.keys()].map((name) => [name, name]));
  const discovers = declaration.discovery !== undefined;
  const isAtHome = (zone: Zone, rrset: RRset) => discovers && zoneOf(rrset.name, names) === zone.name;
  // Without discovery nobody would ever remove a discovered name, so it goes. One that another zone now answers for goes along, so that it is never missing in between.
  const movers = Map.groupBy(
    (discovers ? zones : []).flatMap((zone) =>
      zone.rrsets.filter((r) => ownershipOf(r) === 'discovered' && !isAtHome(zone, r)),
    ),
    (rrset) => zoneOf(rrset.name, names),
  );
  const undeclared = zones.filter((zone) => !declared.has(zone.name));
  const remove = undeclared.filter((zone) => zone.account === declaredAccount && !zone.rrsets.some(isForeign));
  const retained = undeclared.filter((zone) => !remove.includes(zone));
  return {
    create: [...declared]
      .filter(([name]) => !zones.some((zone) => zone.name === name))
      .map(([name, rrsets]) => ({ name, rrsets: [...rrsets, ...arrivals(movers.get(name), rrsets)] })),
    patch: zones
      .filter((zone) => !remove.includes(zone))
      .map((zone) => {
        const wanted = declared.get(zone.name);
        const gone = leftovers(wanted, zone, (rrset) => isAtHome(zone, rrset)).map(deletion);
        const missing = (wanted ?? []).filter((w) => !zone.rrsets.some((r) => isDeclared(r) && answersAlike(r, w)));
        const arriving = wanted ? arrivals(movers.get(zone.name), [...wanted, ...zone.rrsets]) : [];
        return { zone, changes: [...gone, ...[...missing, ...arriving].map(replacement)] };
      })
      .filter(({ changes }) => changes.length > 0),
    remove,
    retained: retained.map((zone) => ({ name: zone.name, message: whyRetained(zone) })),
  };
}

const isForeign = (rrset: RRset) => ownershipOf(rrset) === 'foreign';
const isDeclared = (rrset: RRset) => ownershipOf(rrset) === 'declared';

/** What is ours in a zone and not to be there any more. */
function leftovers(wanted: RRset[] | undefined, zone: Zone, isAtHome: (rrset: RRset) => boolean): RRset[] {
  // A zone that is only kept for other people's records keeps its SOA and NS, and loses names that nobody wants.
  if (!wanted) return zone.rrsets.filter((r) => ownershipOf(r) === 'discovered');
  return zone.rrsets.filter((rrset) => {
    if (isForeign(rrset) || wanted.some((w) => w.name === rrset.name && w.type === rrset.type)) return false;
    return isDeclared(rrset) || !isAtHome(rrset) || wanted.some((w) => areRivals(w, rrset));
  });
}

/** Of the names that come from another zone those that find their place free. */
function arrivals(movers: RRset[] = [], there: RRset[] = []): RRset[] {
  if (movers.length === 0) return [];
  const taken = Map.groupBy(there, (rrset) => rrset.name);
  const arrived = new Map<string, RRset[]>();
  for (const mover of movers) {
    const before = arrived.get(mover.name) ?? [];
    if (taken.get(mover.name)?.some((other) => areRivals(other, mover))) continue;
    if (!before.some((other) => excludeEachOther(other, mover))) arrived.set(mover.name, [...before, mover]);
  }
  return [...arrived.values()].flat();
}

const deletion = ({ name, type }: RRset): Change => ({ action: 'delete', rrset: { name, type } });
const replacement = (rrset: RRset): Change => ({ action: 'replace', rrset });

function whyRetained(zone: Zone): string {
  if (zone.account !== declaredAccount) return 'not declared, and not made by this instance: left alone';
  const foreign = zone.rrsets.find(isForeign);
  const { name = '', type } = foreign ?? {};
  return `no longer declared, but kept for records that are not this instance's, such as ${withoutDot(name)} ${type}`;
}
