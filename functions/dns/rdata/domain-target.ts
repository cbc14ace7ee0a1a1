import { parseName } from './domain-name.ts';
import { excerpt, fieldsOf, parseNumber } from './field.ts';
import { mistakenName, mistakenText } from './mistaken-name.ts';

/** CNAME, PTR (RFC 1035 section 3.3), DNAME (RFC 6672), and ALIAS of PowerDNS. */
export function parseTarget(text: string, origin: string): string {
  const name = parseTargetOrRoot(text, origin);
  if (name !== '.') return name;
  throw new Error('the root cannot be the target: .');
}

/**
 * A target of a type for which `.` means "none". Rejects URLs, addresses and the like: they would pass as relative
 * names.
 */
export function parseTargetOrRoot(text: string, origin: string): string {
  throwIf(mistakenText(text, origin));
  const name = parseName(text, origin);
  throwIf(mistakenName(name, text, origin));
  return name;
}

function throwIf(mistake: string | undefined): void {
  if (mistake !== undefined) throw new Error(mistake);
}

/** NS (RFC 1035 section 3.3.11). */
export const parseNS = (text: string, origin: string) => checkHostName(parseTarget(text, origin));

/** MX (RFC 1035 section 3.3.9), or the null MX `0 .` (RFC 7505). */
export function parseMX(text: string, origin: string): string {
  const [preference, exchange] = fieldsOf(text, ['preference', 'mail-server'], '10 mail');
  const number = parseNumber(preference, 16, 'preference');
  const name = parseTargetOrRoot(exchange, origin);
  if (name !== '.') return `${number} ${checkHostName(name)}`;
  if (number === '0') return '0 .';
  throw new Error(`a null MX is "0 .", without another preference: ${text}`);
}

/** SRV (RFC 2782); the target `.` means that there is no such service. */
export function parseSRV(text: string, origin: string): string {
  const [priority, weight, port, target] = fieldsOf(text, ['priority', 'weight', 'port', 'target'], '0 5 5060 sip');
  const numbers = [
    parseNumber(priority, 16, 'priority'),
    parseNumber(weight, 16, 'weight'),
    parseNumber(port, 16, 'port'),
  ];
  const name = parseTargetOrRoot(target, origin);
  return `${numbers.join(' ')} ${name === '.' ? name : checkHostName(name)}`;
}

/** PowerDNS accepts only host names here (RFC 1123 section 2.1). */
function checkHostName(name: string): string {
  if (/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+$/.test(name)) return name;
  throw new Error(`not a host name: ${excerpt(name)} (letters, digits and - only, and no - at the ends of a label)`);
}
