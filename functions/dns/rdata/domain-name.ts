import { domainToASCII } from 'node:url';
import { isWithin, withoutDot } from '../name.ts';
import { octetOf } from './character-string.ts';
import { excerpt } from './field.ts';

/**
 * Parses a domain name in presentation format into the form that PowerDNS prints: fully qualified, in lower case,
 * internationalized labels in punycode, with `\.`, `\\` and `\DDD` as the only escapes.
 *
 * `@` is the origin. A name without a trailing dot is relative to the origin (RFC 1035 section 5.1), unless it is the
 * origin or already ends with it: with the origin `corp.internal.`, `mail.corp.internal` never means
 * `mail.corp.internal.corp.internal.`.
 * @param origin in that form
 */
export function parseName(text: string, origin: string): string {
  const given = text.trim();
  if (given === '@') return origin;
  if (given === '.') return given;
  if (given === '') throw new Error('no domain name given');
  const name = completed(canonical(given), origin);
  checkLengths(name);
  return name;
}

/** Parses an owner name. */
export function parseOwner(text: string, origin: string): string {
  const name = parseName(text, origin);
  checkOwner(name);
  return name;
}

/** Throws unless PowerDNS's API accepts the owner name: letters, digits, `_`, `-`, `/`, and `*` as the first label. */
export function checkOwner(name: string): void {
  if (name === '.' || /^(?:\*\.)?(?:[a-z0-9_/-]+\.)*$/.test(name)) return;
  throw new Error(`not the name of a record: ${excerpt(name)} (letters, digits, _, - and / only, or * as first label)`);
}

/** A warning if `parseName` has read a name otherwise than RFC 1035 section 5.1 says. */
export function readingWarning(text: string, name: string, origin: string): string | undefined {
  const given = text.trim();
  if (/[^\0-\x7f]/.test(given)) return `${excerpt(given)} is read as ${excerpt(name)}: RFC 1035 has only ASCII`;
  if (given === '@' || origin === '.' || isAbsolute(given) || `${canonical(given)}.` !== name) return undefined;
  return `${excerpt(given)} is read as fully qualified: to RFC 1035, without a trailing dot, it is relative to ${withoutDot(origin)}`;
}

/** Names that need lower-casing at most. */
const plain = /^[a-z0-9_*/.-]+$/i;

function completed(name: string, origin: string): string {
  if (isAbsolute(name)) return name;
  const whole = `${name}.`;
  if (whole === origin || origin === '.') return whole;
  // The dot before the origin may be escaped, and so part of a label.
  const hasOrigin = isWithin(whole, origin) && isAbsolute(whole.slice(0, -origin.length));
  return hasOrigin ? whole : whole + origin;
}

/** Reports whether the name ends with an unescaped dot. */
const isAbsolute = (name: string) => name.endsWith('.') && /(?:^|[^\\])(?:\\\\)*\.$/.test(name);

function canonical(text: string): string {
  if (plain.test(text)) return text.toLowerCase();
  const labels = [''];
  for (const [character] of text.matchAll(/\\(?:\d{3}|.?)|./gsu)) {
    if (character === '.') labels.push('');
    else labels.push(labels.pop() + (character > '\x7f' ? character : printed(character, text)));
  }
  return labels.map(punycoded).join('.');
}

/** Prints an octet of a label as PowerDNS's DNSName::toString does. */
function printed(character: string, text: string): string {
  const octet = character[0] === '\\' ? octetOf(character) : character.charCodeAt(0);
  // PowerDNS prints a quote unescaped, and cannot parse the name again.
  if (character === '"' || octet === 0x22) throw new Error(`a quote in a domain name: ${excerpt(text)}`);
  if (octet > 0x20 && octet < 0x7f) {
    return String.fromCharCode(octet).toLowerCase().replace(/[.\\]/, '\\$&');
  }
  if (character[0] !== '\\') throw new Error(`white space in a domain name: ${excerpt(text)}`);
  return `\\${String(octet).padStart(3, '0')}`;
}

/** Converts an internationalized label to punycode (UTS 46). */
function punycoded(label: string): string {
  if (/^[\x21-\x7e]*$/.test(label)) return label;
  // With a suffix, as a host of digits alone would be parsed as an IPv4 address.
  const suffix = '.invalid';
  const ascii = domainToASCII(label + suffix);
  if (/^[a-z0-9_-]*$/i.test(label.replace(/[^\0-\x7f]/g, '')) && /^[a-z0-9_.-]+\.invalid$/.test(ascii)) {
    return ascii.slice(0, -suffix.length);
  }
  throw new Error(`not a label of an international domain name: ${excerpt(label)}`);
}

/** https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4 */
function checkLengths(name: string): void {
  const octets = name.includes('\\') ? name.replace(/\\(?:\d{3}|.)/g, '_') : name;
  if (octets.startsWith('.') || octets.includes('..'))
    throw new Error(`an empty label in a domain name: ${excerpt(name)}`);
  if (/[^.]{64}/.test(octets)) throw new Error(`a label of more than 63 octets in a domain name: ${excerpt(name)}`);
  // Plus one: each dot takes the place of a length octet, and the root label has one, too.
  if (octets.length + 1 > 255) throw new Error(`a domain name of more than 255 octets: ${excerpt(name)}`);
}
