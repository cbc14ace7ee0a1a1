import { trustedHosts } from '../../contract/host-rules.ts';
import { absolute, isWithin, parentOf } from '../../dns/name.ts';
import { defaultTTL } from '../../dns/zone/apex.ts';
import { cutAt, cutsOf } from '../../dns/zone/zone-cut.ts';
import { type Change, declaredAccount, ownershipOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import { derivedChanges } from './derived-changes.ts';

/** Marks a record that is there only to keep its name from a wildcard. */
const wildcardBlockMark = { account: declaredAccount, content: 'denial' };

export const isWildcardBlock = ({ mark }: Pick<RRset, 'mark'>) =>
  mark?.account === wildcardBlockMark.account && mark.content === wildcardBlockMark.content;

/** What no wildcard of an object answers, whatever is reserved: the last one proves who has the names (RFC 8555 section 8.4). */
const neverAnswered = [...trustedHosts, '_acme-challenge'];

/** Of a type that nobody asks for, as RFC 8482 section 4.2 has it: for every other one there is no data. */
const wildcardBlock = (name: string): RRset => ({
  name,
  type: 'HINFO',
  ttl: defaultTTL,
  records: ['"reserved" "no wildcard answers for it"'],
  mark: wildcardBlockMark,
});

export interface Reservations {
  reservedNames: readonly string[];
  /** Whether it is this zone that answers for a name. */
  isHome: (name: string) => boolean;
}

/**
 * The records that keep discovered wildcards from names that nobody may take: a wildcard is for names that do not exist
 * (RFC 4592 section 2.2.1), so these exist.
 * @param rrsets everything that the zone has
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
  const denied = [
    ...[...wildcards].flatMap((wildcard) => neverAnswered.map((label) => `${label}${wildcard.slice(1)}`)),
    ...reservedNames.filter((pattern) => !pattern.startsWith('[')).map(absolute),
  ];
  return [...new Set(denied)]
    .filter((name) => isWithin(name, zone) && isHome(name) && !names.has(name) && !cutAt(name, zone, cuts))
    .filter((name) => wildcards.has(wildcardFor(name, zone, names) ?? ''))
    .sort()
    .map(wildcardBlock);
}

/** The changes of a zone with those of its denials, for one transaction. */
export function withWildcardBlocks(zone: Zone, changes: Change[], reservations: Reservations): Change[] {
  const denials = (rrsets: RRset[]) => wildcardBlocksIn(zone.name, rrsets, reservations);
  const { gone, fresh } = derivedChanges(zone, changes, isWildcardBlock, denials);
  return [...gone, ...changes, ...fresh];
}

const isDiscoveredWildcard = (rrset: RRset) => rrset.name.startsWith('*.') && ownershipOf(rrset) === 'discovered';

/** The wildcard that answers for a name that does not exist, below the closest name that does (RFC 4592 section 3.3.1). */
function wildcardFor(name: string, zone: string, names: ReadonlySet<string>): string | undefined {
  for (let above = parentOf(name); isWithin(above, zone); above = parentOf(above)) {
    if (names.has(`*.${above}`)) return `*.${above}`;
    if (names.has(above)) return undefined;
  }
  return undefined;
}
