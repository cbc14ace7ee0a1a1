import { type Mark, ownershipOf, type RRset, type Zone } from '../../powerdns/rrset.ts';
import { isDiscoverable } from '../endpoint.ts';
import { markOfContents } from './ownership-labels.ts';
import { isOwnershipRecord, type OwnershipTXT, ownershipMark, ownershipRecordName } from './ownership-txt.ts';

/** What counts as ours, and is not marked so in PowerDNS yet. */
const unwritten = new WeakSet<RRset>();

export const isAdopted = (rrset: RRset) => unwritten.has(rrset);

const adoptions = new WeakMap<Zone, { by: string; zone: Zone }>();

/**
 * On the way back from ExternalDNS's own registry: what that wrote has no mark, but a twin. An unmarked RRset with a
 * twin of this owner beside it counts as discovered, and an unmarked twin as our own. The zone itself comes back where
 * there is neither, and for the same zone the same object.
 * @param ownerID the twins of its namespaces, `<ownerID>/<namespace>`, count too
 */
export function importOwnership(zone: Zone, ownerID: string, options: OwnershipTXT): Zone {
  const by = JSON.stringify([ownerID, options]);
  const known = adoptions.get(zone);
  if (known?.by === by) return known.zone;
  const result = adopt(zone, ownerID, options);
  adoptions.set(zone, { by, zone: result });
  return result;
}

function adopt(zone: Zone, ownerID: string, options: OwnershipTXT): Zone {
  const foreign = zone.rrsets.filter(isForeign);
  const said = sayingsIn(zone, foreign, ownerID);
  const twinOf = ({ name, type }: RRset) => ownershipRecordName(name, type, options);
  const adoptees = foreign
    .filter((rrset) => isPossible(rrset, zone) && !said(rrset))
    .flatMap((rrset): [RRset, Mark][] => {
      const mark = said({ name: twinOf(rrset), type: 'TXT' });
      return mark ? [[rrset, mark]] : [];
    });
  const twins = foreign.filter(said);
  if (adoptees.length + twins.length === 0) return zone;
  const discovered = zone.rrsets.filter((rrset) => ownershipOf(rrset) === 'discovered' && isPossible(rrset, zone));
  const owned = new Set([...discovered, ...adoptees.map(([rrset]) => rrset)].map(twinOf));
  const marks = new Map([
    ...adoptees,
    ...twins.filter(({ name }) => owned.has(name)).map((twin): [RRset, Mark] => [twin, ownershipMark]),
  ]);
  if (marks.size === 0) return zone;
  return { ...zone, rrsets: zone.rrsets.map((rrset) => marked(rrset, marks.get(rrset))) };
}

function marked(rrset: RRset, mark: Mark | undefined): RRset {
  if (!mark) return rrset;
  const adoptee = { ...rrset, mark };
  unwritten.add(adoptee);
  return adoptee;
}

/**
 * What a TXT record says of the record that it is the twin of, if this owner has made that. One that was discovered says
 * nothing: whoever may annotate an object could write it.
 */
function sayingsIn(zone: Zone, foreign: RRset[], ownerID: string) {
  const isOwner = (id: string) => id === ownerID || id.startsWith(`${ownerID}/`);
  const texts = foreign.length === 0 ? [] : [...foreign, ...zone.rrsets.filter(isOwnershipRecord)].filter(isText);
  const names = new Map(texts.map((rrset) => [rrset.name, rrset]));
  return (at: Pick<RRset, 'name' | 'type'>) => {
    const text = isText(at) ? names.get(at.name) : undefined;
    return text && markOfContents(text.records, isOwner);
  };
}

const isText = ({ type }: Pick<RRset, 'type'>) => type === 'TXT';
const isForeign = (rrset: RRset) => ownershipOf(rrset) === 'foreign';

/** The servers of the zone itself are never discovered. */
const isPossible = ({ name, type }: RRset, zone: Zone) =>
  isDiscoverable(type) && !(type === 'NS' && name === zone.name);
