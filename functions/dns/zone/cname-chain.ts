import { withoutDot } from '../name.ts';
import type { Lookup, LookupRecord, LookupResult } from './lookup.ts';

/**
 * How many CNAMEs and DNAMEs PowerDNS follows for one query; with more, it answers SERVFAIL. It resolves the target of
 * an ALIAS with a separate query, which starts counting again; clients do not wait for more than ten of those either.
 * https://github.com/PowerDNS/pdns/blob/auth-5.1.0/pdns/packethandler.cc (Abort CNAME chain resolution)
 */
export const maxLinks = 10;

/** The chain of aliases that starts at a name, and where it ends. */
export interface Chain<R> {
  end: Exclude<LookupResult<R>['kind'], 'Alias'> | 'Loop' | 'TooLong';
  /** The queried name and the target of each link; of a loop only its own names, with the first repeated at the end. */
  names: string[];
  /** The alias records, one for each name but the last. */
  links: R[];
  /** The records before a loop that are not part of it. */
  leadIn?: R[];
}

/** Follows the aliases of a name to their end, for some hundred steps at most. */
export function chainFrom<R extends LookupRecord>(lookup: Lookup<R>, name: string): Chain<R> {
  const names = [name];
  const links: R[] = [];
  const count = { links: 0, aliases: 0 };
  for (let current = name; ; ) {
    const found = lookup.find(current);
    if (found.kind !== 'Alias') return { end: found.kind, names, links };
    const { by, target } = found;
    // A CNAME or ALIAS has one target, so meeting it again is a loop; a DNAME has a target for each name below it.
    const before = by.type === 'DNAME' ? names.indexOf(target) : links.indexOf(by) + 1;
    names.push(target);
    links.push(by);
    if (by.type === 'DNAME' ? before >= 0 : before > 0) {
      return {
        end: 'Loop',
        names: names.slice(before),
        links: links.slice(before),
        leadIn: links.slice(0, before),
      };
    }
    if (by.type === 'ALIAS') count.links = 0;
    count[by.type === 'ALIAS' ? 'aliases' : 'links'] += 1;
    if (count.links > maxLinks || count.aliases > maxLinks) return { end: 'TooLong', names, links };
    current = target;
  }
}

/** The same loop, starting at one of its records. */
export function rotatedTo<R extends LookupRecord>(record: R, chain: Chain<R>): Chain<R> {
  const { end, names, links } = chain;
  const start = links.indexOf(record);
  if (end !== 'Loop' || start < 0) return chain;
  return {
    end,
    names: [...names.slice(start, -1), ...names.slice(0, start + 1)],
    links: [...links.slice(start), ...links.slice(0, start)],
  };
}

/** Reports whether queries for the chain never get an answer. */
export const isEndless = ({ end }: Pick<Chain<unknown>, 'end'>) => end === 'Loop' || end === 'TooLong';

/** A name whose lookup finds the alias: for a DNAME, a name below it that has no records of its own. */
const queryNameOf = ({ name, type }: Pick<LookupRecord, 'name' | 'type'>) => (type === 'DNAME' ? `*.${name}` : name);

/** Reports whether a record redirects its name to another one. */
export const isAlias = ({ type }: Pick<LookupRecord, 'type'>) =>
  type === 'CNAME' || type === 'DNAME' || type === 'ALIAS';

const maxShown = 6;

/** `a -> b -> a` */
function shownChain(names: readonly string[]): string {
  const shown = names.map(withoutDot);
  if (shown.length <= maxShown) return shown.join(' -> ');
  return [...shown.slice(0, maxShown - 1), '...', shown.at(-1)].join(' -> ');
}

/** Describes an endless chain: `CNAME loop a -> b -> a`. */
export function whyEndless({ end, names, links }: Chain<LookupRecord>): string {
  // A DNAME whose target is below itself makes the name longer each time.
  const isGrowing = new Set(links).size < links.length;
  if (end === 'TooLong' && isGrowing) return `CNAME loop ${shownChain(names.slice(0, 3))} -> ...`;
  if (end === 'TooLong')
    return `CNAME chain of more than ${maxLinks} names, which servers do not follow: ${shownChain(names)}`;
  const index = links.findIndex(({ name }, i) => name.startsWith('*.') && name !== names[i]);
  const wildcard = links[index];
  const answering = wildcard && ` (${withoutDot(wildcard.name)} answers for ${withoutDot(names[index] as string)})`;
  return `CNAME loop ${shownChain(names)}${answering ?? ''}`;
}

/**
 * The record that closes an endless chain, which is its last one in the given order, and why it cannot be published.
 */
export function closingRecord<R extends LookupRecord>(
  chain: Chain<R>,
  order: ReadonlyMap<R, number>,
): { record: R; why: string } {
  const record = chain.links.reduce((a, b) => (order.get(a)! > order.get(b)! ? a : b));
  return { record, why: whyEndless(rotatedTo(record, chain)) };
}

/** The endless chains that start at any of the records: each loop once for each of its members. */
export function* endlessChains<R extends LookupRecord>(
  lookup: Lookup<R>,
  records: Iterable<R>,
): Generator<Chain<R> & { start: R }> {
  for (const start of records) {
    if (!isAlias(start)) continue;
    const chain = chainFrom(lookup, queryNameOf(start));
    if (isEndless(chain)) yield { ...chain, start };
  }
}
