import type { Declaration } from '../../contract/declaration.ts';
import { absolute, zoneOf } from '../../dns/name.ts';
import { nameServersOf } from '../../dns/zone/apex.ts';
import { cutAbove, cutAt, cutsOf, isGlue } from '../../dns/zone/zone-cut.ts';
import { areConflicting, ownershipOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import { isWildcardBlock } from './wildcard-blocks.ts';

/** Reports whether a discovered RRset belongs to the provider whose records are evaluated. */
export type Owns = (rrset: RRset) => boolean;

/** What is known of a name before anything is published there, whichever record is desired. */
export interface NameContext {
  /** The declared zone that the name is in. */
  zone: string | undefined;
  /** The zone that PowerDNS answers from, declared or not. */
  answeringZone: string | undefined;
  /** The names of all declared zones. */
  declaredZones: ReadonlyMap<string, string>;
  /** The names of the zones' own servers. */
  nameServers: ReadonlySet<string>;
  /** The delegation or DNAME that covers the name, so that records at it are not answered. */
  cut: RRset | undefined;
  /** All RRsets at the name, whoever owns them; empty if another zone answers. */
  existing: RRset[];
  /** The provider's own RRsets among them: what its ExternalDNS finds. */
  current: RRset[];
  /** All names of the zone with their RRsets; empty if another zone answers. */
  names: ReadonlyMap<string, RRset[]>;
}

type Cuts = ReadonlyMap<string, RRset>;

const noNames: ReadonlyMap<string, RRset[]> = new Map();

/** Returns a lookup of the context of an absolute name. */
export function nameContextsIn(zones: Zone[], declaration: Declaration, owns: Owns): (name: string) => NameContext {
  const present = new Map(
    zones.map(({ name, rrsets }) => {
      // A record that only blocks a wildcard conflicts with nothing.
      const real = rrsets.filter((rrset) => !isWildcardBlock(rrset));
      return [name, { zone: name, names: Map.groupBy(real, (rrset) => rrset.name), cuts: cutsOf(name, real) }];
    }),
  );
  const declaredZones = zoneNames(declaration);
  const nameServers = new Set(declaration.zones.flatMap(nameServersOf));
  return (name) => {
    const answering = zoneOf(name, present);
    const zone = zoneOf(name, declaredZones);
    const cut = answering && cutOver(name, answering.zone, answering.cuts, owns);
    const names = answering && answering.zone === zone ? answering.names : noNames;
    const existing = names.get(name) ?? [];
    const current = currentAt(existing, cut, owns);
    return { zone, answeringZone: answering?.zone, declaredZones, nameServers, cut, existing, current, names };
  };
}

/** Returns what ExternalDNS finds: the provider's RRsets that are answered and that no declared record supersedes. */
export function currentIn(zones: Zone[], declaration: Declaration, owns: Owns): RRset[] {
  const declaredZones = zoneNames(declaration);
  return zones
    .filter((zone) => declaredZones.has(zone.name))
    .flatMap((zone) => {
      const cuts = cutsOf(zone.name, zone.rrsets);
      return Map.groupBy(zone.rrsets, (rrset) => rrset.name)
        .entries()
        .filter(([name]) => zoneOf(name, declaredZones) === zone.name)
        .flatMap(([name, existing]) => currentAt(existing, cutOver(name, zone.name, cuts, owns), owns))
        .toArray();
    });
}

/** The absolute names of the declared zones, as `zoneOf` takes them. */
export const zoneNames = ({ zones }: Pick<Declaration, 'zones'>) =>
  new Map(zones.map(({ name }) => [absolute(name), absolute(name)]));

const isOwn = (rrset: RRset, owns: Owns) => ownershipOf(rrset) === 'discovered' && owns(rrset);

/** Returns the cut that hides a name. The provider's own delegation hides its name's other records and what is below. */
function cutOver(name: string, zone: string, cuts: Cuts, owns: Owns): RRset | undefined {
  const cut = cutAt(name, zone, cuts);
  return cut?.name === name && isOwn(cut, owns) ? (cutAbove(name, zone, cuts) ?? cut) : cut;
}

/** Returns the provider's RRsets of one name, without those that a declared record supersedes. */
function currentAt(existing: RRset[], cut: RRset | undefined, owns: Owns): RRset[] {
  if (cut) {
    if (!isOwn(cut, owns)) return [];
    return existing.filter((rrset) => rrset === cut || (isOwn(rrset, owns) && isGlue(rrset, cut)));
  }
  const declared = existing.filter((r) => ownershipOf(r) === 'declared');
  return existing.filter((r) => isOwn(r, owns) && !declared.some((d) => areConflicting(d, r)));
}
