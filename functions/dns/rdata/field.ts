/** Quotes may be anywhere in a field, as in `alpn="a b"`. */
const field = /\s*((?:[^\s"\\]|\\.|"(?:[^"\\]|\\.)*")+)\s*/sy;

/**
 * Splits RDATA in presentation format (RFC 1035 section 5.1) at white space. Quotes and escapes stay as they are;
 * parentheses as fields of their own only group lines and are dropped. Throws if a quote is not closed.
 */
export function splitFields(text: string): string[] {
  const fields: string[] = [];
  const given = text.trim();
  for (let end = 0; end < given.length; end = field.lastIndex) {
    field.lastIndex = end;
    const found = field.exec(given)?.[1];
    if (found === undefined) throw new Error(`a quote is not closed, or a backslash is at the end: ${excerpt(given)}`);
    if (found !== '(' && found !== ')') fields.push(found);
  }
  return fields;
}

/** Splits RDATA that has exactly the named fields. */
export function fieldsOf<const Names extends readonly string[]>(text: string, names: Names, example: string) {
  const fields = splitFields(text);
  if (fields.length !== names.length) {
    throw new Error(`not "${names.join(' ')}", such as "${example}": ${excerpt(text)}`);
  }
  return fields as { [K in keyof Names]: string };
}

/** Shortens a text for a message. */
export const excerpt = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** Parses a decimal number and drops its leading zeros. */
export function parseNumber(text: string, bits: 8 | 16, what: string): string {
  const most = 2 ** bits - 1;
  if (/^\d+$/.test(text) && Number(text) <= most) return String(Number(text));
  throw new Error(`not a number from 0 to ${most} as ${what}: ${excerpt(text)}`);
}

/** Joins the fields of hexadecimal digits, in lower case. */
export function parseHex(fields: string[], what: string, octets?: number): string {
  const digits = fields.join('').toLowerCase();
  if (!/^[0-9a-f]+$/.test(digits)) throw new Error(`not a ${what} in hexadecimal: ${excerpt(digits)}`);
  if (octets === undefined ? digits.length % 2 === 0 : digits.length === 2 * octets) return digits;
  const right = octets === undefined ? 'two hexadecimal digits for each octet' : `${2 * octets} hexadecimal digits`;
  throw new Error(`not a ${what} of ${right} but of ${digits.length} digits: ${excerpt(digits)}`);
}
