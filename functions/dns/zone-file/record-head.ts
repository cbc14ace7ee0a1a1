import { excerpt } from '../rdata/field.ts';
import { isGeneric } from '../rdata/generic-rdata.ts';
import { type RecordType, recordTypes } from '../rdata/record-type.ts';
import { parseTTL } from '../ttl.ts';

/** A record of a zone file without its owner. */
export interface RecordHead {
  /** Seconds. */
  ttl?: number;
  /** In upper case; IN by default. */
  class: string;
  /** In upper case. */
  type: string;
  /** The fields of the RDATA, with their quotes and escapes. */
  rdata: string[];
}

const classes = /^(?:IN|CH|HS|CS|NONE|ANY|CLASS\d{1,5})$/;

/**
 * Mnemonics of classes and types in the generic notation of RFC 3597 section 5:
 * https://www.iana.org/assignments/dns-parameters
 */
const mnemonics: Readonly<Record<string, string>> = {
  CLASS1: 'IN',
  CLASS3: 'CH',
  CLASS4: 'HS',
  TYPE1: 'A',
  TYPE2: 'NS',
  TYPE5: 'CNAME',
  TYPE6: 'SOA',
  TYPE12: 'PTR',
  TYPE15: 'MX',
  TYPE16: 'TXT',
  TYPE28: 'AAAA',
  TYPE33: 'SRV',
  TYPE35: 'NAPTR',
  TYPE39: 'DNAME',
  TYPE43: 'DS',
  TYPE44: 'SSHFP',
  TYPE46: 'RRSIG',
  TYPE47: 'NSEC',
  TYPE48: 'DNSKEY',
  TYPE50: 'NSEC3',
  TYPE51: 'NSEC3PARAM',
  TYPE52: 'TLSA',
  TYPE59: 'CDS',
  TYPE60: 'CDNSKEY',
  TYPE63: 'ZONEMD',
  TYPE64: 'SVCB',
  TYPE65: 'HTTPS',
  TYPE250: 'TSIG',
  TYPE257: 'CAA',
};

const mnemonicOf = (word: string) => mnemonics[word] ?? word;

/** When a dynamic record was last refreshed, in an export of Windows DNS. */
const agingTimestamp = /^\[AGE:\d{1,20}\]$/;

/** TTL and class are optional and may be in either order (RFC 1035 section 5.1). Throws if there is no type. */
export function parseHead(fields: string[]): RecordHead {
  let ttl: number | undefined;
  let named: string | undefined;
  for (const [index, field] of fields.entries()) {
    const word = field.length > 32 ? field : field.toUpperCase();
    // No type begins with a digit.
    if (ttl === undefined && /^\d/.test(word)) ttl = parseTTL(field, 'type, class or TTL');
    else if (named === undefined && classes.test(word)) named = mnemonicOf(word);
    else if (!agingTimestamp.test(word))
      return { ttl, class: named ?? 'IN', type: mnemonicOf(word), rdata: fields.slice(index + 1) };
  }
  throw new Error('no type: a record is an owner, optionally a TTL and a class, a type and a value');
}

/** The RDATA as one text. Unquoted words of a TXT are separate strings (RFC 1035 section 5.1), not one with spaces. */
export function rdataOf({ type, rdata }: RecordHead): string {
  const text = rdata.join(' ');
  if (type !== 'TXT' || isGeneric(text)) return text;
  return rdata.flatMap(stringsOf).join(' ');
}

/** Only SVCB has quotes within a field: in other types `name="value"` is `name=` and `"value"`, as in BIND. */
function stringsOf(field: string): string[] {
  const strings = field.match(/"(?:[^"\\]|\\.)*"|(?:[^"\\]|\\.)+/gs) ?? [];
  return strings.map((string) => (string.startsWith('"') ? string : `"${string}"`));
}

/** The RDATA as a template of `$GENERATE`, where a value of several fields is quoted. */
export function templateOf(head: RecordHead): string {
  const [only = '', ...others] = head.rdata;
  const isWrapped = head.type !== 'TXT' && others.length === 0 && only.length > 1 && only.startsWith('"');
  return isWrapped ? only.slice(1, -1) : rdataOf(head);
}

/** TYPE65534 holds BIND's signing state, TSIG is what dig prints of a signed transfer. */
const serverTypes = ['RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM', 'DNSKEY', 'CDS', 'CDNSKEY', 'ZONEMD', 'TYPE65534', 'TSIG'];

/** Reports whether servers generate the records of a type from their own keys. */
export const isServerType = (type: string) => serverTypes.includes(type);

/** Throws if records of the type cannot be declared. */
export function recordTypeOf(type: string): RecordType {
  const found = recordTypes.find((each) => each === type);
  if (found) return found;
  if (type === 'LUA') throw new Error('LUA is code, not data: zone files must not have it');
  throw new Error(`not a type that can be declared: ${excerpt(type)} (${recordTypes.join(', ')})`);
}
