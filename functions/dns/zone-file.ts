import { parseContent } from './content.ts';
import { parseName, parseOwner } from './domain-name.ts';
import { excerpt } from './field.ts';
import { GenerateBudget, parseRange } from './generate.ts';
import { isWithin, withoutDot } from './name.ts';
import { isServerType, parseHead, type RecordHead, rdataOf, recordTypeOf, templateOf } from './record-head.ts';
import type { Entry, Fault } from './rrset.ts';
import { parseTTL } from './ttl.ts';
import { isSameSOA, parseSOA, type ZoneFileSOA } from './zone-file-soa.ts';
import { type ZoneLine, zoneLines } from './zone-line.ts';

/** What a zone file says. Names are absolute. */
export interface ZoneFile {
  /** All but the SOA and the NS records of the zone itself. */
  entries: Entry[];
  /** One for a line, and at most 100: after so many the rest is not read. */
  faults: Fault[];
  soa?: ZoneFileSOA;
  /** The NS records of the zone itself. */
  nameServers: { name: string; at: string }[];
  /** Seconds, of records that state none: the first `$TTL`, or else the minimum of a SOA that states no TTL. */
  defaultTTL?: number;
  /** How many records were left out because a server makes them itself, by their types. */
  skipped: Record<string, number>;
}

const mostFaults = 100;
const longestMessage = 300;

/**
 * Reads a zone file: RFC 1035 section 5.1, the `$TTL` of RFC 2308 section 4, and BIND's `$GENERATE` and units of time.
 * A name without the trailing dot that ends with the origin's name counts as absolute, as everywhere here; to the
 * letter it would be below the origin, which is hardly ever meant. Never throws.
 * @param zone its absolute name, which is the first origin too
 */
export function parseZoneFile(text: string, zone: { name: string }): ZoneFile {
  const reader = new Reader(zone.name);
  for (const line of zoneLines(text)) {
    reader.read(line);
    if (reader.file.faults.length >= mostFaults) break;
  }
  return reader.file;
}

class Reader {
  readonly file: ZoneFile = { entries: [], faults: [], nameServers: [], skipped: {} };
  readonly #zone: string;
  /** None after a `$ORIGIN` that cannot be read: relative names would become others than were meant. */
  #origin: string | undefined;
  #owner: string | undefined;
  #defaultTTL: number | undefined;
  #lastTTL: number | undefined;
  readonly #budget = new GenerateBudget();

  constructor(zone: string) {
    this.#zone = zone;
    this.#origin = zone;
  }

  read(line: ZoneLine): void {
    const at = `line ${line.number}`;
    try {
      const isDirective = !line.indented && line.fields[0]?.startsWith('$');
      // After a fault, records that omit the owner must not go to the one before it.
      if (!line.indented && !isDirective) this.#owner = undefined;
      if (line.fault) throw new Error(line.fault);
      if (isDirective) this.#direct(line.fields, at);
      else if (this.#origin !== undefined) this.#record(line, this.#origin, at);
    } catch (error) {
      this.file.faults.push({ at, message: detached((error as Error).message.slice(0, longestMessage)) });
    }
  }

  #direct([directive = '', ...values]: string[], at: string): void {
    const name = directive.toUpperCase();
    if (name === '$INCLUDE') throw new Error('no $INCLUDE: there is no other file, so put its records here');
    if (name === '$GENERATE') this.#generate(values, at);
    else if (name === '$ORIGIN') this.#setOrigin(only(values, '$ORIGIN'));
    else if (name === '$TTL') this.#setDefaultTTL(parseTTL(only(values, '$TTL')));
    else throw new Error(`not a directive: ${excerpt(directive)} ($ORIGIN, $TTL and $GENERATE are)`);
  }

  #setOrigin(name: string): void {
    const before = this.#origin ?? '.';
    this.#origin = undefined;
    this.#origin = detached(parseName(name, before));
  }

  #setDefaultTTL(seconds: number): void {
    this.#defaultTTL = seconds;
    this.file.defaultTTL ??= seconds;
  }

  #generate([range = '', owner, ...rest]: string[], at: string): void {
    if (owner === undefined) throw new Error('$GENERATE takes a range, an owner, a type and a value');
    const head = parseHead(rest);
    const origin = this.#origin;
    if (origin === undefined) return;
    for (const [name = '', rdata = ''] of this.#budget.expand(parseRange(range), owner, templateOf(head))) {
      this.#add(detached(parseOwner(name, origin)), head, rdata, origin, at);
    }
  }

  #record({ indented, fields }: ZoneLine, origin: string, at: string): void {
    if (!indented) this.#owner = detached(parseOwner(fields[0] ?? '', origin));
    const head = parseHead(indented ? fields : fields.slice(1));
    this.#add(this.#owner, head, rdataOf(head), origin, at);
  }

  #add(owner: string | undefined, head: RecordHead, rdata: string, origin: string, at: string): void {
    const { type } = head;
    const ttl = this.#ttlOf(head.ttl);
    if (isServerType(type)) {
      this.file.skipped[type] = (this.file.skipped[type] ?? 0) + 1;
      return;
    }
    const name = this.#expectInZone(owner, head.class);
    if (type === 'SOA') {
      this.#setSOA(name, parseSOA(head.rdata, origin, at), ttl);
      return;
    }
    const declared = recordTypeOf(type);
    const content = detached(parseContent(declared, rdata, origin));
    if (declared === 'NS' && name === this.#zone) this.file.nameServers.push({ name: content, at });
    else this.file.entries.push({ name, type: declared, ttl, content, at });
  }

  #expectInZone(owner: string | undefined, networkClass: string): string {
    if (networkClass !== 'IN') throw new Error(`not class IN: ${networkClass}`);
    if (owner === undefined) throw new Error('no owner: it would be that of the record before, which has none');
    if (isWithin(owner, this.#zone)) return owner;
    throw new Error(`${withoutDot(owner)} is outside the zone ${withoutDot(this.#zone)}`);
  }

  /** Without `$TTL`, a record has the TTL that was stated last (RFC 1035 section 5.1). */
  #ttlOf(stated: number | undefined): number | undefined {
    this.#lastTTL = stated ?? this.#lastTTL;
    return stated ?? this.#defaultTTL ?? this.#lastTTL;
  }

  #setSOA(owner: string, soa: ZoneFileSOA, ttl: number | undefined): void {
    if (owner !== this.#zone) throw new Error(`the SOA of ${withoutDot(owner)}: one file is of one zone`);
    const { soa: before } = this.file;
    if (before && !isSameSOA(before, soa)) throw new Error(`another SOA than that of ${before.at}`);
    this.file.soa ??= soa;
    // What the minimum was before RFC 2308 (section 4): BIND still reads a file without $TTL so, and Windows writes it so.
    if (ttl === undefined) this.#setDefaultTTL(soa.minimum);
  }
}

function only(values: string[], directive: string): string {
  const [value] = values;
  if (value === undefined || values.length > 1) throw new Error(`${directive} takes one value, not ${values.length}`);
  return value;
}

/** A copy that does not keep the text alive that it was cut from. */
const detached = (text: string) => Buffer.from(text).toString();
