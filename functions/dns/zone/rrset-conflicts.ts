import { isAddress } from './apex.ts';
import type { Entry } from './rrset.ts';

/**
 * Finds conflicts among the entries of one owner name. Compares with the first of each type: there may be tens of
 * thousands.
 */
export class RRsetConflicts {
  readonly #firsts = new Map<string, Entry>();
  readonly #contents = new Map<string, Entry>();

  add(entry: Entry): void {
    if (!this.#firsts.has(entry.type)) this.#firsts.set(entry.type, entry);
    this.#contents.set(`${entry.type} ${entry.content}`, entry);
  }

  /** The conflict of an entry with those added before. */
  conflictOf(entry: Entry): string | undefined {
    const { type, content } = entry;
    const same = this.#contents.get(`${type} ${content}`);
    if (same) return `duplicate of ${same.at}`;
    for (const other of this.#firsts.values()) {
      const message = other.type === type ? conflictWithin(entry, other) : conflictBeside(type, other);
      if (message) return message;
    }
    return undefined;
  }
}

/** Why two entries of one name and type cannot form an RRset. */
function conflictWithin({ type, content, ttl }: Entry, other: Entry): string | undefined {
  if (isSingle(type)) return `a name has only one ${type} (${other.at})`;
  if (other.ttl !== ttl) return `the ttl differs from ${other.at} of the same RRset (RFC 2181 section 5.2)`;
  if (type === 'MX' && isNullMX(content) !== isNullMX(other.content)) {
    return `a null MX must be the only MX (RFC 7505 section 3): ${other.at} is another MX of this name`;
  }
  if (isServiceBinding(type) && isAliasMode(content) !== isAliasMode(other.content)) {
    return `AliasMode (priority 0) and ServiceMode cannot be mixed (RFC 9460 section 2.4.1): ${other.at} is of the other mode`;
  }
  return undefined;
}

/** Why an entry of another type excludes this type at the same name. */
function conflictBeside(type: string, other: Entry): string | undefined {
  if (type === 'CNAME' || other.type === 'CNAME') {
    return `a CNAME must be the only record of its name (RFC 1034 section 3.6.2), and ${other.at} has the ${other.type} of this name`;
  }
  return isAlias(type, other.type)
    ? `${type} conflicts with the ${other.type} of ${other.at}: ALIAS provides the addresses`
    : undefined;
}

const isSingle = (type: string) => type === 'CNAME' || type === 'DNAME' || type === 'ALIAS';
const isAlias = (a: string, b: string) => (a === 'ALIAS' && isAddress(b)) || (b === 'ALIAS' && isAddress(a));
const isServiceBinding = (type: string) => type === 'HTTPS' || type === 'SVCB';
const isNullMX = (content: string) => content === '0 .';
const isAliasMode = (content: string) => content.startsWith('0 ');
