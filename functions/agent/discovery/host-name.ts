import { domainToASCII } from 'node:url';
import { trustedLabels } from '../../contract/declaration.ts';
import { absolute, withoutDot, zoneOf } from '../../dns/name.ts';
import { excerpt } from '../../dns/rdata/field.ts';

/**
 * What is wrong with a name, and what to write instead. Host names are as RFC 1123 section 2.1 has them, with a wildcard
 * as the first label at most; RFC 8552 for services.
 */
export function illegalName(name: string, type: string): string | undefined {
  const labels = withoutDot(name).split('.');
  const hosts = labels[0] === '*' ? labels.slice(1) : labels;
  if (name.length > 254) return 'longer than 253 characters (RFC 1035 section 2.3.4): use a shorter name';
  if (labels.some((l) => l === '')) return 'has an empty label: write single dots, between labels';
  if (labels.some((l) => l.length > 63)) return tooWide;
  const isService = type === 'SRV' || type === 'TXT';
  // Challenges such as _acme-challenge prove who owns a name: where an annotation suffices, nobody may write them.
  if (!isService && name.includes('_') && labels.some((l) => l.startsWith('_'))) {
    return `names that begin with an underscore are not for discovery of ${type} records: ${otherwise}`;
  }
  if (type === 'SRV' && !/^_[^.]+\._[^.]+\./.test(name)) {
    return 'not _service._proto and a name, such as _sip._tcp.www (RFC 2782)';
  }
  const [first = ''] = labels;
  if (Object.hasOwn(trustedLabels, first)) return `${trustedLabels[first]}: ${otherwise}`;
  const legal = isService ? serviceLabel : hostLabel;
  const bad = hosts.find((l) => !legal.test(l));
  return (
    bad && `${excerpt(JSON.stringify(bad))} is not a label of ${letters} (RFC 1123 section 2.1): ${rewritten(bad)}`
  );
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

const tooWide = 'has a label of more than 63 characters (RFC 1035 section 2.3.4): shorten it';
const letters = 'letters, digits and hyphens';
const otherwise = 'use another name, or declare it in spec.zones';

/** What to write instead of a label. */
function rewritten(label: string): string {
  if (label.includes('*')) return '* can only be the whole first label';
  // Node leaves out what follows a character that ends the host of a URL.
  const ascii = /^(?!-)[\p{L}\p{M}\p{N}-]+(?<!-)$/u.test(label) ? domainToASCII(label) : '';
  return ascii !== label && ascii.length <= 63 && hostLabel.test(ascii) ? `write it as ${ascii}` : 'use another name';
}

const hostLabel = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const serviceLabel = /^_?[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
