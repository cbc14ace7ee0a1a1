import type { Declaration } from './declaration.ts';
import { declaredRRsets } from './declared.ts';
import {
  absolute,
  answersAlike,
  areRivals,
  type Change,
  declaredAccount,
  leavesTo,
  ownershipOf,
  type RRset,
  type Zone,
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
  const declared = new Map(
    declaration.zones.map((zone) => [absolute(zone.name), declaredRRsets(zone, declaration.addresses)]),
  );
  const undeclared = zones.filter((zone) => !declared.has(zone.name));
  const remove = undeclared.filter((zone) => zone.account === declaredAccount && !zone.rrsets.some(isForeign));
  const retained = undeclared.filter((zone) => !remove.includes(zone));
  return {
    create: [...declared]
      .filter(([name]) => !zones.some((zone) => zone.name === name))
      .map(([name, rrsets]) => ({ name, rrsets })),
    patch: zones
      .filter((zone) => !remove.includes(zone))
      .map((zone) => ({ zone, changes: repairs(declared.get(zone.name), zone, [...declared.keys()]) }))
      .filter(({ changes }) => changes.length > 0),
    remove,
    retained: retained.map((zone) => ({ name: zone.name, message: whyRetained(zone) })),
  };
}

const isForeign = (rrset: RRset) => ownershipOf(rrset) === 'foreign';

function repairs(wanted: RRset[] | undefined, zone: Zone, declared: string[]): Change[] {
  // A zone that is only kept for other people's records keeps its SOA and NS, and loses names that nobody wants.
  if (!wanted) return zone.rrsets.filter((r) => ownershipOf(r) === 'discovered').map(deletion);
  const missing = wanted.filter(
    (rrset) => !zone.rrsets.some((r) => answersAlike(r, rrset) && ownershipOf(r) === 'declared'),
  );
  const isWanted = (rrset: RRset) => wanted.some((w) => w.name === rrset.name && w.type === rrset.type);
  const isElsewhere = leavesTo(zone.name, declared);
  const gone = zone.rrsets.filter((rrset) => {
    const ownership = ownershipOf(rrset);
    if (isWanted(rrset) || ownership === 'foreign') return false;
    return ownership === 'declared' || isElsewhere(rrset.name) || wanted.some((w) => areRivals(w, rrset));
  });
  return [...gone.map(deletion), ...missing.map((rrset): Change => ({ action: 'replace', rrset }))];
}

const deletion = ({ name, type }: RRset): Change => ({ action: 'delete', rrset: { name, type } });

function whyRetained(zone: Zone): string {
  if (zone.account !== declaredAccount) return 'not declared, and not made by this instance: left alone';
  const foreign = zone.rrsets.find(isForeign);
  return `no longer declared, but kept for records that are not this instance's, such as ${foreign?.name} ${foreign?.type}`;
}
