import { isWithin, parentOf, zoneOf } from '../name.ts';
import { isAddress } from './apex.ts';
import type { Entry, RRset } from './rrset.ts';
import { cutAt, cutsOf } from './zone-cut.ts';

/** The part of a record or RRset that matters to a lookup. */
export type LookupRecord = Pick<Entry, 'name' | 'type' | 'content'> | Pick<RRset, 'name' | 'type' | 'records'>;

export interface LookupZone<R> {
  /** Fully qualified. */
  name: string;
  records: Iterable<R>;
  /** Whether the zone may have names beyond the given records, as when a zone file cannot be read. */
  isPartial?: boolean;
}

/** The result of looking up the addresses of a name. */
export type LookupResult<R> =
  /** The name has a CNAME or ALIAS, of its own or of a wildcard, or is below a DNAME. */
  | { kind: 'Alias'; by: R; target: string }
  | { kind: 'Addresses' }
  /** The name exists without addresses: NODATA in RFC 9499. */
  | { kind: 'NoAddress' }
  /** NXDOMAIN. */
  | { kind: 'Absent' }
  /** The name is in none of the zones. */
  | { kind: 'Outside' }
  /** The name is at or below a delegation. */
  | { kind: 'Delegated' }
  /** The name is not among the records of a partial zone. */
  | { kind: 'Unknown' };

/**
 * Looks names up in the zones of one server as PowerDNS does: RFC 1034 section 4.3.2, RFC 4592 for wildcards, RFC 6672
 * for DNAME, and its own ALIAS. Construction takes time proportional to the number of records.
 */
export class Lookup<R extends LookupRecord> {
  readonly #zones: ReadonlyMap<string, ZoneNames<R>>;

  constructor(zones: Iterable<LookupZone<R>>) {
    this.#zones = new Map([...zones].map((zone) => [zone.name, new ZoneNames(zone)]));
  }

  /** @param name fully qualified */
  find(name: string): LookupResult<R> {
    return zoneOf(name, this.#zones)?.find(name) ?? { kind: 'Outside' };
  }
}

class ZoneNames<R extends LookupRecord> {
  readonly #zone: string;
  readonly #isPartial: boolean;
  readonly #names: ReadonlyMap<string, R[]>;
  readonly #cuts: ReadonlyMap<string, R>;
  /** Names above others that exist without records of their own (RFC 4592 section 2.2.2). */
  readonly #emptyNonTerminals = new Set<string>();

  constructor({ name, records, isPartial = false }: LookupZone<R>) {
    this.#zone = name;
    this.#isPartial = isPartial;
    this.#names = Map.groupBy(records, (record) => record.name);
    this.#cuts = cutsOf(name, [...this.#names.values()].flat());
    for (const owner of this.#names.keys()) this.#addEmptyNonTerminals(owner);
  }

  find(name: string): LookupResult<R> {
    const cut = cutAt(name, this.#zone, this.#cuts);
    if (cut?.type === 'NS') return { kind: 'Delegated' };
    if (cut) return substitute(name, cut);
    const here = this.#names.get(name);
    if (here) return answerOf(here);
    if (this.#emptyNonTerminals.has(name)) return { kind: 'NoAddress' };
    return this.#isPartial ? { kind: 'Unknown' } : this.#synthesized(name);
  }

  /** Only the wildcard of the closest encloser applies (RFC 4592 section 3.3.1). */
  #synthesized(name: string): LookupResult<R> {
    for (let above = parentOf(name); isWithin(above, this.#zone); above = parentOf(above)) {
      const wildcard = this.#names.get(`*.${above}`);
      // PowerDNS does not expand an ALIAS of a wildcard.
      if (wildcard) return answerOf(wildcard.filter(({ type }) => type !== 'ALIAS'));
      if (this.#names.has(above) || this.#emptyNonTerminals.has(above)) break;
    }
    return { kind: 'Absent' };
  }

  #addEmptyNonTerminals(owner: string): void {
    for (let above = parentOf(owner); isWithin(above, this.#zone); above = parentOf(above)) {
      if (this.#emptyNonTerminals.has(above)) return;
      this.#emptyNonTerminals.add(above);
    }
  }
}

/** In characters: 255 octets (RFC 1035 section 2.3.4) without the root label. */
const maxNameLength = 254;

function substitute<R extends LookupRecord>(name: string, dname: R): LookupResult<R> {
  const target = name.slice(0, -dname.name.length) + contentOf(dname);
  return target.length > maxNameLength ? { kind: 'Absent' } : { kind: 'Alias', by: dname, target };
}

function answerOf<R extends LookupRecord>(here: R[]): LookupResult<R> {
  const alias = here.find(({ type }) => type === 'CNAME');
  if (alias) return { kind: 'Alias', by: alias, target: contentOf(alias) };
  if (here.some(({ type }) => isAddress(type) || type === 'LUA')) return { kind: 'Addresses' };
  const expanded = here.find(({ type }) => type === 'ALIAS');
  return expanded ? { kind: 'Alias', by: expanded, target: contentOf(expanded) } : { kind: 'NoAddress' };
}

const contentOf = (record: LookupRecord): string => ('content' in record ? record.content : (record.records[0] ?? '.'));
