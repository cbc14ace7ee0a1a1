import { isWithin, withoutDot } from '../name.ts';
import { checkOwner, parseName, readingWarning } from '../rdata/domain-name.ts';
import { excerpt, splitFields } from '../rdata/field.ts';
import { genericOctets, isGeneric, presentationOf } from '../rdata/generic-rdata.ts';
import { parseContent } from '../rdata/rdata.ts';
import type { RecordType } from '../rdata/record-type.ts';
import { parseTTL } from '../ttl.ts';
import type { Entry, ZoneIssue } from '../zone/rrset.ts';
import { GenerateBudget, parseRange } from './generate.ts';
import { type ZoneLine, zoneLines } from './line.ts';
import { isServerType, parseHead, type RecordHead, rdataOf, recordTypeOf, templateOf } from './record-head.ts';
import { isSameSOA, parseSOA, type ZoneFileSOA } from './soa.ts';

/** The contents of a zone file. Names are fully qualified. */
export interface ZoneFile {
  /** All records but the SOA and NS records at the apex. */
  entries: Entry[];
  /** In the order of the lines. */
  issues: ZoneFileIssue[];
  /** Names that are parsed otherwise than RFC 1035 says. */
  warnings: ZoneIssue[];
  soa?: ZoneFileSOA;
  /** The NS records at the apex. */
  nameServers: { name: string; at: string }[];
  /** Seconds, for records that state none: the first `$TTL`, or else the minimum of a SOA without a TTL. */
  defaultTTL?: number;
  /** The number of skipped records by type: those that servers generate themselves. */
  skipped: Record<string, number>;
  /** Whether the last record repeats the SOA, as in a transfer (RFC 5936 section 2.2). */
  endsWithSOA: boolean;
  /** Where a parenthesis is opened but never closed. */
  openAt?: string;
}

export interface ZoneFileIssue extends ZoneIssue {
  /** The fully qualified owner name of the record, if it could be parsed. */
  name?: string | undefined;
  type?: string;
}

export interface ZoneFileOptions {
  /** Parsing stops after this many issues; warnings are limited to as many. */
  maxIssues?: number;
}

const maxMessageLength = 300;

/**
 * Parses a zone file: RFC 1035 section 5.1, the `$TTL` of RFC 2308 section 4, and BIND's `$GENERATE` and units of time.
 * Names that end with the origin are taken as fully qualified even without the trailing dot, see `parseName`. Never
 * throws.
 * @param zone its fully qualified name, which is the first origin, and how much `recordCost` its records may have
 */
export function parseZoneFile(
  text: string,
  { name, recordBudget = Number.POSITIVE_INFINITY }: ZoneBounds,
  { maxIssues = 100 }: ZoneFileOptions = {},
): ZoneFile {
  const reader = new Reader(name, maxIssues);
  for (const line of zoneLines(text)) {
    reader.read(line);
    if (reader.cost > recordBudget) {
      reader.file.issues.push({ at: `line ${line.number}`, message: overBudget });
      break;
    }
    if (reader.hasTooManyIssues) break;
  }
  return reader.file;
}

export interface ZoneBounds {
  name: string;
  recordBudget?: number;
}

const overBudget =
  'the server has no memory for the records from here on: split the zone among several instances, or raise resources.agent.limits.memory';

/** A record costs one more for each time its content has this many characters. */
const costUnitLength = 512;

/** The memory that a record takes, in multiples of a usual record's. */
export const recordCost = (content: string): number => 1 + Math.floor(content.length / costUnitLength);

class Reader {
  readonly file: ZoneFile = {
    entries: [],
    issues: [],
    warnings: [],
    nameServers: [],
    skipped: {},
    endsWithSOA: false,
  };
  /** The cost of the records so far. */
  cost = 0;
  readonly #zone: string;
  readonly #maxIssues: number;
  /** Undefined after an invalid `$ORIGIN`: relative names would become the wrong ones. */
  #origin: string | undefined;
  #owner: string | undefined;
  #defaultTTL: number | undefined;
  #lastTTL: number | undefined;
  /** The record that is being parsed. */
  #current: Pick<ZoneFileIssue, 'name' | 'type'> | undefined;
  /** Whether this is not the first record of a `$GENERATE`: thousands of them would get the same warning. */
  #isRepeated = false;
  readonly #budget = new GenerateBudget();

  constructor(zone: string, maxIssues: number) {
    this.#zone = zone;
    this.#maxIssues = maxIssues;
    this.#origin = zone;
  }

  get hasTooManyIssues(): boolean {
    return this.file.issues.length >= this.#maxIssues;
  }

  read(line: ZoneLine): void {
    const at = `line ${line.number}`;
    this.#attempt(at, () => {
      const isDirective = !line.indented && line.fields[0]?.startsWith('$');
      // If the owner is invalid, records that omit theirs must not get the one before it.
      if (!line.indented && !isDirective) this.#owner = undefined;
      if (line.isOpen) this.file.openAt = at;
      if (line.issue) throw new Error(line.issue);
      if (isDirective) this.#direct(line.fields, at);
      else this.#record(line, at);
    });
  }

  #attempt(at: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      const message = copyOf((error as Error).message.slice(0, maxMessageLength));
      this.file.issues.push({ at, message, ...this.#current });
    } finally {
      this.#current = undefined;
    }
  }

  #direct([directive = '', ...values]: string[], at: string): void {
    const name = directive.toUpperCase();
    if (name === '$INCLUDE') throw new Error('$INCLUDE is not supported: put its records here');
    if (name === '$GENERATE') this.#generate(values, at);
    else if (name === '$ORIGIN') this.#setOrigin(singleValue(values, '$ORIGIN'), at);
    else if (name === '$TTL') this.#setDefaultTTL(parseTTL(singleValue(values, '$TTL')));
    else throw new Error(`not a directive: ${excerpt(directive)} (supported are $ORIGIN, $TTL and $GENERATE)`);
  }

  #setOrigin(name: string, at: string): void {
    const before = this.#origin ?? '.';
    this.#origin = undefined;
    this.#origin = copyOf(parseName(name, before));
    this.#warnIfReinterpreted(name, this.#origin, before, at);
  }

  #setDefaultTTL(seconds: number): void {
    this.#defaultTTL = seconds;
    this.file.defaultTTL ??= seconds;
  }

  #generate([range = '', owner, ...rest]: string[], at: string): void {
    if (owner === undefined) throw new Error('$GENERATE takes a range, an owner, a type and a value');
    const head = parseHead(rest);
    const origin = this.#expectOrigin();
    for (const [name = '', rdata = ''] of this.#budget.expand(parseRange(range), owner, templateOf(head))) {
      this.#attempt(at, () => this.#add(this.#parseName(name, origin, at), head, rdata, origin, at));
      if (this.hasTooManyIssues) break;
      this.#isRepeated = true;
    }
    this.#isRepeated = false;
  }

  #record({ indented, fields }: ZoneLine, at: string): void {
    const origin = this.#expectOrigin();
    if (!indented) this.#owner = this.#parseName(fields[0] ?? '', origin, at);
    const head = parseHead(indented ? fields : fields.slice(1));
    this.#add(this.#owner, head, rdataOf(head), origin, at);
  }

  #expectOrigin(): string {
    if (this.#origin !== undefined) return this.#origin;
    throw new Error('after an invalid $ORIGIN');
  }

  #parseName(text: string, origin: string, at: string): string {
    const name = copyOf(parseName(text, origin));
    this.#warnIfReinterpreted(text, name, origin, at);
    return name;
  }

  #warnIfReinterpreted(text: string, name: string, origin: string, at: string): void {
    const message = readingWarning(text, name, origin);
    if (message === undefined || this.#isRepeated || this.file.warnings.length >= this.#maxIssues) return;
    this.file.warnings.push({ at, message: copyOf(message) });
  }

  #add(owner: string | undefined, head: RecordHead, rdata: string, origin: string, at: string): void {
    const { type } = head;
    this.#current = { name: owner, type: copyOf(excerpt(type)) };
    const ttl = this.#ttlOf(head.ttl);
    if (isServerType(type)) {
      this.file.skipped[type] = (this.file.skipped[type] ?? 0) + 1;
      return;
    }
    const name = this.#expectInZone(owner, head.class);
    this.file.endsWithSOA = false;
    if (type === 'SOA') {
      const fields = isGeneric(rdata) ? presentationOf(type, genericOctets(rdata)).split(' ') : head.rdata;
      const soa = parseSOA(fields, origin, at);
      this.#warnIfReinterpreted(fields[0] ?? '', soa.mname, origin, at);
      this.#warnIfReinterpreted(fields[1] ?? '', soa.rname, origin, at);
      this.#setSOA(name, soa, ttl);
      return;
    }
    const declared = recordTypeOf(type);
    checkOwner(name);
    const content = copyOf(parseContent(declared, rdata, origin));
    if (!isGeneric(rdata))
      this.#warnIfReinterpreted(targetOf(declared, rdata), targetOf(declared, content), origin, at);
    this.cost += recordCost(content);
    if (declared === 'NS' && name === this.#zone) this.file.nameServers.push({ name: content, at });
    else this.file.entries.push({ name, type: declared, ttl, content, at });
  }

  #expectInZone(owner: string | undefined, networkClass: string): string {
    if (networkClass !== 'IN') throw new Error(`not class IN: ${networkClass}`);
    if (owner === undefined) throw new Error('no owner, and no record before to take it from');
    if (isWithin(owner, this.#zone)) return owner;
    throw new Error(`${withoutDot(owner)} is outside the zone ${withoutDot(this.#zone)}`);
  }

  /** Without `$TTL`, a record has the TTL that was stated last (RFC 1035 section 5.1). */
  #ttlOf(stated: number | undefined): number | undefined {
    this.#lastTTL = stated ?? this.#lastTTL;
    return stated ?? this.#defaultTTL ?? this.#lastTTL;
  }

  #setSOA(owner: string, soa: ZoneFileSOA, ttl: number | undefined): void {
    if (owner !== this.#zone) throw new Error(`the SOA of ${withoutDot(owner)}: a file has the records of one zone`);
    const { soa: before } = this.file;
    if (before && !isSameSOA(before, soa)) throw new Error(`differs from the SOA of ${before.at}`);
    this.file.endsWithSOA = before !== undefined;
    this.file.soa ??= soa;
    // The meaning of the minimum before RFC 2308 (section 4), which BIND still applies and Windows still writes.
    if (ttl === undefined) this.#setDefaultTTL(soa.minimum);
  }
}

/** The domain name in the RDATA; the root for types without one. */
function targetOf(type: RecordType, rdata: string): string {
  switch (type) {
    case 'HTTPS':
    case 'SVCB':
      return splitFields(rdata)[1] ?? '.';
    case 'CNAME':
    case 'DNAME':
    case 'ALIAS':
    case 'MX':
    case 'NAPTR':
    case 'NS':
    case 'PTR':
    case 'SRV':
      return splitFields(rdata).at(-1) ?? '.';
    default:
      return '.';
  }
}

function singleValue(values: string[], directive: string): string {
  const [value] = values;
  if (value === undefined || values.length > 1) throw new Error(`${directive} takes one value, not ${values.length}`);
  return value;
}

/** A copy, since a substring would keep the whole text of the file in memory. */
const copyOf = (text: string) => Buffer.from(text).toString();
