import { withoutDot } from '../name.ts';
import type { Lookup, LookupRecord, LookupResult } from './lookup.ts';

/**
 * The most CNAMEs and DNAMEs that PowerDNS follows for one question; beyond, it answers SERVFAIL. For what an ALIAS stands
 * for it asks a resolver, which begins anew, and who asks will not wait for more of those either.
 * https://github.com/PowerDNS/pdns/blob/auth-5.1.0/pdns/packethandler.cc (Abort CNAME chain resolution)
 */
export const maxLinks = 10;

/** Where a name leads in the end. */
export interface Chain<R> {
  end: Exclude<LookupResult<R>['kind'], 'Alias'> | 'Loop' | 'TooLong';
  /** The name asked for, and each that it leads to; of a circle the first of it comes again as the last. */
  names: string[];
  /** The records that lead there, one for each name but the last. */
  links: R[];
  /** Those that lead to a circle and are not in it. */
  leadIn?: R[];
}

/** Follows a name to its end, or to the first step that never comes to one: at most some hundred steps. */
export function chainFrom<R extends LookupRecord>(lookup: Lookup<R>, name: string): Chain<R> {
  const names = [name];
  const links: R[] = [];
  const count = { links: 0, aliases: 0 };
  for (let current = name; ; ) {
    const found = lookup.find(current);
    if (found.kind !== 'Alias') return { end: found.kind, names, links };
    const { by, target } = found;
    // Of one CNAME or ALIAS always the same follows; of a DNAME only where it stands for the same name.
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

/** The same circle, told from one of its records on. */
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

/** Whether nobody who asks ever gets an answer. */
export const isEndless = ({ end }: Pick<Chain<unknown>, 'end'>) => end === 'Loop' || end === 'TooLong';

/** What a question meets that something leads on: of a DNAME a name below it that is no other one's. */
const queryNameOf = ({ name, type }: Pick<LookupRecord, 'name' | 'type'>) => (type === 'DNAME' ? `*.${name}` : name);

/** Whether a record leads somewhere else. */
export const isAlias = ({ type }: Pick<LookupRecord, 'type'>) =>
  type === 'CNAME' || type === 'DNAME' || type === 'ALIAS';

const maxShown = 6;

/** `a -> b -> a` */
function shownChain(names: readonly string[]): string {
  const shown = names.map(withoutDot);
  if (shown.length <= maxShown) return shown.join(' -> ');
  return [...shown.slice(0, maxShown - 1), '...', shown.at(-1)].join(' -> ');
}

/** What is wrong with a chain that is endless: `circle a -> b -> a`. */
export function whyEndless({ end, names, links }: Chain<LookupRecord>): string {
  // A DNAME that leads below itself gives a longer name each time.
  const isGrowing = new Set(links).size < links.length;
  if (end === 'TooLong' && isGrowing) return `circle ${shownChain(names.slice(0, 3))} -> ...`;
  if (end === 'TooLong') return `a chain of more than ${maxLinks} names, which is not followed: ${shownChain(names)}`;
  const index = links.findIndex(({ name }, i) => name.startsWith('*.') && name !== names[i]);
  const wildcard = links[index];
  const answering = wildcard && ` (${withoutDot(wildcard.name)} answers for ${withoutDot(names[index] as string)})`;
  return `circle ${shownChain(names)}${answering ?? ''}`;
}

/** What closes an endless chain: of its records the one that comes last in an order, and why it has to go. */
export function closingRecord<R extends LookupRecord>(
  chain: Chain<R>,
  order: ReadonlyMap<R, number>,
): { record: R; why: string } {
  const record = chain.links.reduce((a, b) => (order.get(a)! > order.get(b)! ? a : b));
  return { record, why: whyEndless(rotatedTo(record, chain)) };
}

/** The endless chains among some records that lead elsewhere, each circle once for each of its members. */
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
