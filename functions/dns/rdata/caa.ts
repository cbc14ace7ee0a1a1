import { octetsOf, quoted, unquoted } from './character-string.ts';
import { excerpt, parseNumber } from './field.ts';

/** CAA (RFC 8659). The value may be unquoted, even with spaces and semicolons. */
export function parseCAA(text: string): string {
  const [, flags, tag, value] = /^(\S+)\s+(\S+)\s+(\S.*)$/s.exec(text) ?? [];
  if (!flags || !tag || !value) {
    throw new Error(`not "flags tag value", such as "0 issue letsencrypt.org": ${excerpt(text)}`);
  }
  const number = parseNumber(flags, 8, 'flags');
  if (!/^[a-z0-9]{1,255}$/i.test(tag)) throw new Error(`not a tag of letters and digits: ${excerpt(tag)}`);
  const property = tag.toLowerCase();
  const octets = octetsOf(value.startsWith('"') ? unquoted(value) : value);
  checkValue(property, octets.toString());
  if (octets.length > 65_000) throw new Error(`a value of ${octets.length} octets`);
  return `${number} ${property} ${quoted(octets)}`;
}

/** A CA must not issue if it cannot parse the value (RFC 8659 section 4.2), so a mistake would go unnoticed. */
function checkValue(property: string, value: string): void {
  if (property === 'iodef' && !/^(?:mailto:|https?:\/\/)\S+$/i.test(value)) {
    throw new Error(`not a mailto:, http: or https: URL: ${excerpt(value)}`);
  }
  if (/^issue/.test(property) && !issuer.test(value)) {
    throw new Error(`not the domain name of an authority, ";" or "name; parameter=value": ${excerpt(value)}`);
  }
}

/** https://www.rfc-editor.org/rfc/rfc8659#section-4.2 */
const label = '[a-z0-9]+(?:-+[a-z0-9]+)*';
const parameter = `${label}[ \\t]*=[ \\t]*[\\x21-\\x3a\\x3c-\\x7e]*`;
const issuer = new RegExp(
  `^[ \\t]*(?:${label}(?:\\.${label})*)?[ \\t]*(?:;[ \\t]*(?:${parameter}[ \\t]*(?:;[ \\t]*${parameter}[ \\t]*)*)?)?$`,
  'i',
);
