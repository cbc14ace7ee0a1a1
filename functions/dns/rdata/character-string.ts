import { excerpt } from './field.ts';

/** The octet of one escape: `\DDD` is its decimal value, `\X` the character itself. */
export function octetOf(escaped: string): number {
  const meant = escaped.slice(1);
  if (/^\d{3}$/.test(meant) && Number(meant) <= 255) return Number(meant);
  // RFC 1035 would read an escaped letter as the letter, which is never what `C:\temp` means.
  if (/^[ -/:-@[-`{-~]$/.test(meant)) return meant.charCodeAt(0);
  throw new Error(`not an escape: ${escaped} (\\\\ is a backslash, \\DDD an octet by its decimal value)`);
}

/** The octets of a string without its quotes. Characters beyond ASCII become UTF-8. */
export function octetsOf(text: string): Buffer {
  if (!text.includes('\\')) return Buffer.from(text);
  const parts = text.match(/\\(?:\d{3}|.?)|[^\\]+/gsu) ?? [];
  return Buffer.concat(parts.map((part) => (part[0] === '\\' ? Buffer.of(octetOf(part)) : Buffer.from(part))));
}

/** Removes the quotes around a field. */
export function unquoted(field: string): string {
  if (!field.includes('"')) return field;
  const inside = /^"((?:[^"\\]|\\.)*)"$/s.exec(field)?.[1];
  if (inside === undefined)
    throw new Error(`quotes must enclose the whole value, with \\" inside it: ${excerpt(field)}`);
  return inside;
}

/** Quotes a character-string as PowerDNS does: all but printable ASCII becomes `\DDD`. */
export function quoted(octets: Buffer): string {
  const text = octets.toString('latin1').replace(/["\\]/g, '\\$&');
  return `"${text.replace(/[^ -~]/g, (octet) => `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`)}"`;
}

/** The octets of one character-string, at most 255: its length is one octet (RFC 1035 section 3.3). */
export function characterString(field: string, what: string): Buffer {
  const octets = octetsOf(unquoted(field));
  if (octets.length > 255) throw new Error(`${what} of ${octets.length} octets: 255 at most`);
  return octets;
}
