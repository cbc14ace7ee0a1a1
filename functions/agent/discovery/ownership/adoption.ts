import { type Mark, ownershipOf, type RRset, type Zone } from '../../powerdns/rrset.ts';
import { isDiscoverable } from '../../sources/target.ts';
import { markOfContents } from './ownership-labels.ts';
import { isOwnershipRecord, type OwnershipTXT, ownershipMark, ownershipRecordName } from './ownership-txt.ts';

/**
 * Adopts what ExternalDNS wrote with its own TXT registry and another provider: an unmarked RRset whose ownership
 * record names this owner counts as discovered, and an unmarked ownership record as ours. Both get `isAdopted`. Returns
 * the zone itself if there is nothing to adopt.
 * @param ownerID matches the owners of its namespaces too, `<ownerID>/<namespace>`
 */
export function importOwnership(zone: Zone, ownerID: string, options: OwnershipTXT): Zone {
  const foreign = zone.rrsets.filter(isForeign);
  const markIn = marksIn(zone, foreign, ownerID);
  const recordNameOf = ({ name, type }: RRset) => ownershipRecordName(name, type, options);
  const owned = foreign
    .filter((rrset) => isPossible(rrset, zone) && !markIn(rrset))
    .flatMap((rrset): [RRset, Mark][] => {
      const mark = markIn({ name: recordNameOf(rrset), type: 'TXT' });
      return mark ? [[rrset, mark]] : [];
    });
  const ownershipRecords = foreign.filter(markIn);
  if (owned.length + ownershipRecords.length === 0) return zone;
  const discovered = zone.rrsets.filter((rrset) => ownershipOf(rrset) === 'discovered' && isPossible(rrset, zone));
  const recordNames = new Set([...discovered, ...owned.map(([rrset]) => rrset)].map(recordNameOf));
  const marks = new Map([
    ...owned,
    ...ownershipRecords
      .filter(({ name }) => recordNames.has(name))
      .map((record): [RRset, Mark] => [record, ownershipMark]),
  ]);
  if (marks.size === 0) return zone;
  return { ...zone, rrsets: zone.rrsets.map((rrset) => adopted(rrset, marks.get(rrset))) };
}

const adopted = (rrset: RRset, mark: Mark | undefined): RRset => (mark ? { ...rrset, mark, isAdopted: true } : rrset);

/**
 * Returns the mark that an ownership record of this owner stands for. Discovered TXT records do not count: anybody who
 * may annotate an object could write one.
 */
function marksIn(zone: Zone, foreign: RRset[], ownerID: string) {
  const isOwner = (id: string) => id === ownerID || id.startsWith(`${ownerID}/`);
  const texts = foreign.length === 0 ? [] : [...foreign, ...zone.rrsets.filter(isOwnershipRecord)].filter(isText);
  const byName = new Map(texts.map((rrset) => [rrset.name, rrset]));
  return (at: Pick<RRset, 'name' | 'type'>) => {
    const text = isText(at) ? byName.get(at.name) : undefined;
    return text && markOfContents(text.records, isOwner);
  };
}

const isText = ({ type }: Pick<RRset, 'type'>) => type === 'TXT';
const isForeign = (rrset: RRset) => ownershipOf(rrset) === 'foreign';

/** The NS RRset at the apex is never discovered. */
const isPossible = ({ name, type }: RRset, zone: Zone) =>
  isDiscoverable(type) && !(type === 'NS' && name === zone.name);
