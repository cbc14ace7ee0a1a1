import { domainToASCII } from 'node:url';
import { hostRules, illegalLabel, isHostLabel, labelRule } from '../../contract/host-rules.ts';
import { absolute, withoutDot, zoneOf } from '../../dns/name.ts';
import { excerpt } from '../../dns/rdata/field.ts';

/** Why a name cannot be that of a discovered record of a type, and what to write instead. */
export function illegalName(name: string, type: string): string | undefined {
  const host = { labels: withoutDot(name).split('.'), type };
  const broken = hostRules.find(({ holds }) => !holds(host));
  if (broken !== labelRule) return broken?.message;
  const label = illegalLabel(host) ?? '';
  return `invalid label ${excerpt(JSON.stringify(label))}: ${labelRule.message}: ${rewritten(label)}`;
}

/**
 * What is wrong with a host that has more to it than its name, if that is in a zone: it looks as if it were outside all of
 * them, and is not meant to be.
 * @param zones by their absolute names
 */
export function moreThanHost(name: string, zones: ReadonlyMap<string, string>): string | undefined {
  const [odd] = /["'`\\:/?#]/.exec(name) ?? [];
  if (odd === undefined) return undefined;
  const unquoted = (text: string) => text.replace(/^["'`\\]+/, '');
  const [host = ''] = unquoted(unquoted(withoutDot(name)).replace(/^[a-z][a-z0-9+.-]*:\/\//, '')).split(
    /["'`\\:/?#]/,
    1,
  );
  const instead = absolute(host);
  if (zoneOf(instead, zones) === undefined || illegalName(instead, 'A') !== undefined) return undefined;
  const what = name.includes('://') ? 'a scheme' : (parts[odd] ?? 'quotes');
  return `has ${what} (${odd}), which is no part of a host: write it as ${withoutDot(host)}`;
}

const parts: Readonly<Record<string, string>> = { ':': 'a port', '/': 'a path', '?': 'a query', '#': 'a fragment' };

/** What to write instead of a label. */
function rewritten(label: string): string {
  if (label.includes('*')) return '* can only be the whole first label';
  // Node leaves out what follows a character that ends the host of a URL.
  const ascii = /^(?!-)[\p{L}\p{M}\p{N}-]+(?<!-)$/u.test(label) ? domainToASCII(label) : '';
  return ascii !== label && ascii.length <= 63 && isHostLabel(ascii) ? `write it as ${ascii}` : 'use another name';
}
