import { trustedHosts } from '../../contract/host-rules.ts';
import { absolute, isWithin, parentOf } from '../../dns/name.ts';
import { defaultTTL } from '../../dns/zone/apex.ts';
import { cutAt, cutsOf } from '../../dns/zone/zone-cut.ts';
import { derivedChanges } from '../powerdns/derived-changes.ts';
import { type Change, declaredAccount, ownershipOf, type RRset, type Zone } from '../powerdns/rrset.ts';

/** Marks a record that exists only so that no wildcard answers for its name. */
const wildcardBlockMark = { account: declaredAccount, content: 'denial' };

export const isWildcardBlock = ({ mark }: Pick<RRset, 'mark'>) =>
  mark?.account === wildcardBlockMark.account && mark.content === wildcardBlockMark.content;

/** The labels that no discovered wildcard answers, whatever is reserved. The last proves control (RFC 8555 section 8.4). */
const neverAnswered = [...trustedHosts, '_acme-challenge'];

/** Of a type that nobody queries (RFC 8482 section 4.2), so that every other type has no data. */
const wildcardBlock = (name: string): RRset => ({
  name,
  type: 'HINFO',
  ttl: defaultTTL,
  records: ['"reserved" "no wildcard answers for it"'],
  mark: wildcardBlockMark,
});

/** The names that wildcards of one zone may not answer. */
export interface Reservations {
  reservedNames: readonly string[];
  /** Reports whether this zone answers for a name. */
  isHome: (name: string) => boolean;
}

/**
 * Returns the records that keep discovered wildcards from answering for reserved names: a wildcard answers only for names
 * that do not exist (RFC 4592 section 2.2.1), so these make them exist.
 * @param rrsets all RRsets of the zone
 */
export function wildcardBlocksIn(
  zone: string,
  rrsets: readonly RRset[],
  { reservedNames, isHome }: Reservations,
): RRset[] {
  const others = rrsets.filter((rrset) => !isWildcardBlock(rrset));
  const wildcards = new Set(others.filter(isDiscoveredWildcard).map(({ name }) => name));
  if (wildcards.size === 0) return [];
  const names = new Set(others.map(({ name }) => name));
  const cuts = cutsOf(zone, others);
  const blocked = [
    ...[...wildcards].flatMap((wildcard) => neverAnswered.map((label) => `${label}${wildcard.slice(1)}`)),
    ...reservedNames.filter((pattern) => !pattern.startsWith('[')).map(absolute),
  ];
  return [...new Set(blocked)]
    .filter((name) => isWithin(name, zone) && isHome(name) && !names.has(name) && !cutAt(name, zone, cuts))
    .filter((name) => wildcards.has(wildcardFor(name, zone, names) ?? ''))
    .sort()
    .map(wildcardBlock);
}

/** Adds the changes of a zone's wildcard blocks to its other changes, for one transaction. */
export function withWildcardBlocks(zone: Zone, changes: Change[], reservations: Reservations): Change[] {
  const blocks = (rrsets: RRset[]) => wildcardBlocksIn(zone.name, rrsets, reservations);
  const { deletions, replacements } = derivedChanges(zone, changes, isWildcardBlock, blocks);
  return [...deletions, ...changes, ...replacements];
}

const isDiscoveredWildcard = (rrset: RRset) => rrset.name.startsWith('*.') && ownershipOf(rrset) === 'discovered';

/** Returns the wildcard that answers for a name that does not exist, below the closest name that does (RFC 4592 section 3.3.1). */
function wildcardFor(name: string, zone: string, names: ReadonlySet<string>): string | undefined {
  for (let above = parentOf(name); isWithin(above, zone); above = parentOf(above)) {
    if (names.has(`*.${above}`)) return `*.${above}`;
    if (names.has(above)) return undefined;
  }
  return undefined;
}
