import { parseIPv4, parseIPv6 } from './address.ts';
import { octetsOf, quoted, unquoted } from './character-string.ts';
import { excerpt, parseNumber } from './field.ts';

/** Names by key: https://www.iana.org/assignments/dns-svcb */
const names = [
  'mandatory',
  'alpn',
  'no-default-alpn',
  'port',
  'ipv4hint',
  'ech',
  'ipv6hint',
  'dohpath',
  'ohttp',
  'tls-supported-groups',
];

const [mandatory, noDefaultAlpn, ohttp] = [0, 2, 8];

/** Parsers by key, from a value without its quotes to the form that PowerDNS prints. */
const values: Readonly<Record<number, (value: string) => string>> = {
  [mandatory]: parseMandatory,
  1: parseProtocols,
  3: (value) => parseNumber(value, 16, 'port'),
  4: (value) => value.split(',').map(parseIPv4).join(),
  5: parseConfiguration,
  6: (value) => value.split(',').map(parseIPv6).join(),
  7: parsePath,
  9: (value) => eachOnce(value.split(',').map((group) => parseNumber(group, 16, 'TLS group'))).join(),
};

/** SvcParams (RFC 9460 section 2.1), ordered by key as on the wire. */
export function parseParameters(fields: string[]): string[] {
  const parameters = fields.map(parseParameter).sort((a, b) => a.key - b.key);
  const present = eachOnce(parameters.map(({ key }) => parameterName(key)));
  const required = parameters.find(({ key }) => key === mandatory)?.value.split(',') ?? [];
  // https://www.rfc-editor.org/rfc/rfc9460#section-8
  const missing = required.find((name) => !present.includes(name));
  if (missing) throw new Error(`mandatory, but missing: ${missing}`);
  // https://www.rfc-editor.org/rfc/rfc9460#section-7.1.1
  if (present.includes('no-default-alpn') && !present.includes('alpn')) throw new Error('no-default-alpn without alpn');
  return parameters.map(({ key, value }) => (isFlag(key) ? parameterName(key) : `${parameterName(key)}=${value}`));
}

function parseParameter(field: string): { key: number; value: string } {
  const [, name, value] = /^([^=]+)(?:=(.*))?$/s.exec(field) ?? [];
  if (name === undefined) throw new Error(`not a parameter: ${excerpt(field)}`);
  const key = keyOf(name.toLowerCase());
  if (isFlag(key)) {
    if (value !== undefined) throw new Error(`${name} takes no value: ${excerpt(field)}`);
    return { key, value: '' };
  }
  const inside = unquoted(value ?? '');
  // RFC 9460 allows other keys without a value, but PowerDNS prints two quotes then.
  if (inside === '') throw new Error(`${name} without a value`);
  return { key, value: (values[key] ?? parseOpaque)(inside) };
}

const isFlag = (key: number) => key === noDefaultAlpn || key === ohttp;
export const parameterName = (key: number) => names[key] ?? `key${key}`;

function keyOf(name: string): number {
  const known = names.indexOf(name);
  if (known >= 0) return known;
  const key = Number(/^key(0|[1-9]\d{0,4})$/.exec(name)?.[1]);
  if (key < names.length) throw new Error(`write ${names[key]}, not ${name}`);
  // 65535 is reserved: https://www.rfc-editor.org/rfc/rfc9460#section-14.3.2
  if (!(key < 65_535)) throw new Error(`not a parameter's key: ${excerpt(name)} (key10 to key65534 if it has no name)`);
  return key;
}

function parseMandatory(value: string): string {
  const keys = eachOnce(value.split(',')).map(keyOf);
  if (keys.includes(mandatory)) throw new Error('mandatory must not list itself');
  return keys
    .sort((a, b) => a - b)
    .map(parameterName)
    .join();
}

/** ALPN protocol ids, with the two layers of escapes of https://www.rfc-editor.org/rfc/rfc9460#appendix-A.1 */
function parseProtocols(value: string): string {
  const list = octetsOf(value).toString('latin1');
  if (!/^(?:[^,\\]|\\[,\\])+(?:,(?:[^,\\]|\\[,\\])+)*$/.test(list)) {
    throw new Error(`not a list of protocols, such as h2,h3: ${excerpt(value)}`);
  }
  const ids = (list.match(/(?:[^,\\]|\\[,\\])+/g) ?? []).map((id) => id.replace(/\\(.)/g, '$1'));
  if (ids.some((id) => id.length > 255)) throw new Error(`a protocol of more than 255 octets: ${excerpt(value)}`);
  if (!ids.every(isReadable) || /[^ -~]|"/.test(list)) throw unreadable(value);
  const printed = ids.map((id) => id.replace(/\\/g, '\\\\\\\\').replace(/,/g, '\\\\,')).join();
  return printed.includes(' ') ? `"${printed}"` : printed;
}

/** ECHConfigList in base64 (RFC 9460 section 7.3). */
function parseConfiguration(value: string): string {
  const encoded = Buffer.from(value, 'base64').toString('base64');
  if (encoded !== value) throw new Error(`not base64: ${excerpt(value)}`);
  return `"${value}"`;
}

/** A URI template with the variable `dns` (RFC 9461 section 5). */
function parsePath(value: string): string {
  const expressions = value
    .split('}')
    .slice(0, -1)
    .map((text) => text.slice(text.indexOf('{')));
  const hasVariable = expressions.some((text) => text.startsWith('{') && /\bdns\b/.test(text));
  if (value.startsWith('/') && hasVariable) return parseOpaque(value);
  throw new Error(`not a path with the variable dns, such as /dns-query{?dns}: ${excerpt(value)}`);
}

function parseOpaque(value: string): string {
  const octets = octetsOf(value);
  if (!isReadable(octets.toString('latin1'))) throw unreadable(value);
  return quoted(octets);
}

/** PowerDNS prints these unescaped, and cannot parse them again. */
const isReadable = (value: string) => !/[();]/.test(value);
const unreadable = (value: string) =>
  new Error(`contains a character that PowerDNS does not support here: ${excerpt(value)}`);

function eachOnce(list: string[]): string[] {
  if (new Set(list).size === list.length) return list;
  throw new Error(`listed twice: ${list.find((item, i) => list.indexOf(item) < i)}`);
}
