import { excerpt } from './field.ts';

/** What one escape stands for: `\DDD` an octet by its decimal value, `\X` the character itself. */
export function octetOf(escaped: string): number {
  const meant = escaped.slice(1);
  if (/^\d{3}$/.test(meant) && Number(meant) <= 255) return Number(meant);
  // A letter after a backslash would only be the letter, which is never what `C:\temp` was meant to say.
  if (/^[ -/:-@[-`{-~]$/.test(meant)) return meant.charCodeAt(0);
  throw new Error(`not an escape: ${escaped} (\\\\ is a backslash, \\DDD an octet by its decimal value)`);
}

/** The octets of a string that stands in no quotes, or whose quotes are taken off; letters beyond ASCII are UTF-8. */
export function octetsOf(text: string): Buffer {
  if (!text.includes('\\')) return Buffer.from(text);
  const parts = text.match(/\\(?:\d{3}|.?)|[^\\]+/gsu) ?? [];
  return Buffer.concat(parts.map((part) => (part[0] === '\\' ? Buffer.of(octetOf(part)) : Buffer.from(part))));
}

/** A field without the quotes around it. */
export function unquoted(field: string): string {
  if (!field.includes('"')) return field;
  const inside = /^"((?:[^"\\]|\\.)*)"$/s.exec(field)?.[1];
  if (inside === undefined)
    throw new Error(`quotes belong around the whole value, \\" inside of it: ${excerpt(field)}`);
  return inside;
}

/** One string in quotes, as PowerDNS prints it: what is not printable ASCII as `\DDD`. */
export function quoted(octets: Buffer): string {
  const text = octets.toString('latin1').replace(/["\\]/g, '\\$&');
  return `"${text.replace(/[^ -~]/g, (octet) => `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`)}"`;
}

/** The octets of one character-string: its length is one octet. */
export function characterString(field: string, what: string): Buffer {
  const octets = octetsOf(unquoted(field));
  if (octets.length > 255) throw new Error(`${what} of ${octets.length} octets: 255 at most`);
  return octets;
}
