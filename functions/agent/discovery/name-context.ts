import type { Declaration } from '../../contract/declaration.ts';
import { absolute, zoneOf } from '../../dns/name.ts';
import { serversOf } from '../../dns/zone/apex.ts';
import { cutAbove, cutAt, cutsOf, isGlue } from '../../dns/zone/zone-cut.ts';
import { areConflicting, ownershipOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import type { ZonePlacement } from './record-checks.ts';
import { isWildcardBlock } from './wildcard-blocks.ts';

/** Whether a discovered RRset is that of the owner whose wishes are judged. */
export type Owns = (rrset: RRset) => boolean;

/** Where a name would be published, and what is there. */
export interface NameContext {
  placement: ZonePlacement;
  /** The RRsets that the name has now. */
  there: RRset[];
  /** Those of them that the owner's ExternalDNS finds. */
  current: RRset[];
  /** All names of the zone. */
  names: ReadonlyMap<string, RRset[]>;
}

type Cuts = ReadonlyMap<string, RRset>;

const nothing: ReadonlyMap<string, RRset[]> = new Map();

/** Finds the place of each absolute name. */
export function nameContextsIn(zones: Zone[], declaration: Declaration, owns: Owns): (name: string) => NameContext {
  const present = new Map(
    zones.map(({ name, rrsets }) => {
      // What only keeps a name from a wildcard is in nobody's way.
      const real = rrsets.filter((rrset) => !isWildcardBlock(rrset));
      return [name, { zone: name, names: Map.groupBy(real, (rrset) => rrset.name), cuts: cutsOf(name, real) }];
    }),
  );
  const declared = declaredNames(declaration);
  const servers = new Set(declaration.zones.flatMap(serversOf));
  const recordTypes = declaration.discovery?.recordTypes ?? [];
  return (name) => {
    const answering = zoneOf(name, present);
    const zone = zoneOf(name, declared);
    const cut = answering && cutOver(name, answering.zone, answering.cuts, owns);
    const placement = { zone, answering: answering?.zone, cut, servers, declared, recordTypes };
    const names = zone === answering?.zone && answering ? answering.names : nothing;
    const there = names.get(name) ?? [];
    return { placement, there, current: currentAt(there, cut, owns), names };
  };
}

/** What an owner's ExternalDNS finds: its RRsets that answer, and that no declaration has taken over. */
export function currentIn(zones: Zone[], declaration: Declaration, owns: Owns): RRset[] {
  const declared = declaredNames(declaration);
  return zones
    .filter((zone) => declared.has(zone.name))
    .flatMap((zone) => {
      const cuts = cutsOf(zone.name, zone.rrsets);
      return Map.groupBy(zone.rrsets, (rrset) => rrset.name)
        .entries()
        .filter(([name]) => zoneOf(name, declared) === zone.name)
        .flatMap(([name, there]) => currentAt(there, cutOver(name, zone.name, cuts, owns), owns))
        .toArray();
    });
}

const declaredNames = ({ zones }: Declaration) => new Map(zones.map(({ name }) => [absolute(name), absolute(name)]));

const isOwn = (rrset: RRset, owns: Owns) => ownershipOf(rrset) === 'discovered' && owns(rrset);

/** The cut that keeps a name from being answered; a delegation of the owner's does so for what is beside and below it. */
function cutOver(name: string, zone: string, cuts: Cuts, owns: Owns): RRset | undefined {
  const cut = cutAt(name, zone, cuts);
  return cut?.name === name && isOwn(cut, owns) ? (cutAbove(name, zone, cuts) ?? cut) : cut;
}

/** Of one name's RRsets the owner's, without those that a declaration has taken the place of. */
function currentAt(there: RRset[], cut: RRset | undefined, owns: Owns): RRset[] {
  if (cut) {
    if (!isOwn(cut, owns)) return [];
    return there.filter((rrset) => rrset === cut || (isOwn(rrset, owns) && isGlue(rrset, cut)));
  }
  const declared = there.filter((r) => ownershipOf(r) === 'declared');
  return there.filter((r) => isOwn(r, owns) && !declared.some((d) => areConflicting(d, r)));
}
