import type * as z from 'zod';
import { forbiddenTarget } from '../../dns/health-check.ts';
import { ipAddress, withRules } from '../rules.ts';

/** IPv4 addresses, also after the prefixes of IPv6 addresses that are written with one. */
const unreachableIPv4 = [
  '(0|127|22[4-9]|23[0-9])[.]',
  '169[.]254[.]',
  '(255[.]255[.]255[.]255|100[.]100[.]100[.]200|168[.]63[.]129[.]16|192[.]0[.]0[.]192)$',
].join('|');
const unreachable = `^(::|::[fF]{4}:(0:)?|64:[fF]{2}9[bB]::)?(${unreachableIPv4})|^::1?$|^[fF][eE][89aAbB]|^[fF][fF][0-9a-fA-F]{2}:`;

/**
 * An address at which others reach a host. The CEL accepts a little more: only the agent reads all spellings of IPv6
 * addresses.
 */
export function hostAddress(field: string): z.ZodString {
  return withRules(ipAddress(field), {
    cel: `!self.matches('${unreachable}')`,
    holds: (s) => forbiddenTarget(s) === undefined,
    message: `${field} must be one at which others reach the host: no loopback, link-local, multicast or metadata address`,
  });
}
