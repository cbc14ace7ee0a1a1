import { parseTargetOrRoot } from './domain-target.ts';
import { excerpt, parseNumber, splitFields } from './field.ts';
import { parseParameters } from './svcb-parameters.ts';

/**
 * SVCB and HTTPS (RFC 9460). The target `.` is the owner name; in AliasMode (priority 0) it means that there is no such
 * service.
 */
export function parseSVCB(text: string, origin: string): string {
  const [priority, target, ...parameters] = splitFields(text);
  if (priority === undefined || target === undefined) {
    throw new Error(`not "priority target parameters", such as "1 . alpn=h2": ${excerpt(text)}`);
  }
  const number = parseNumber(priority, 16, 'priority');
  const name = parseTargetOrRoot(target, origin);
  if (number === '0' && parameters.length > 0) {
    throw new Error(`AliasMode (priority 0) takes no parameters: ${excerpt(text)}`);
  }
  return [number, name, ...parseParameters(parameters)].join(' ');
}
