import { isIP } from 'node:net';
import { isWithin, withoutDot } from '../name.ts';
import { isReverse } from '../zone/reverse.ts';
import { excerpt } from './field.ts';

/** More than any name has, even with every octet escaped (RFC 1035 section 2.3.4). */
const maxLength = 1024;

/**
 * The mistake if a text is something else than a host name, such as a URL. Many would pass as a relative name that
 * never resolves.
 */
export function mistakenText(text: string, origin: string): string | undefined {
  if (text.length > maxLength) return `not a domain name but a text of ${text.length} characters: ${excerpt(text)}`;
  const bare = withoutDot(text.trim());
  const what = mistakes.find(([is]) => is(bare, origin))?.[1];
  return what && `not a domain name but ${what}: ${excerpt(text)}`;
}

/** The mistake if a valid domain name is not meant as one. Underscores and internationalized names are fine. */
export function mistakenName(name: string, text: string, origin: string): string | undefined {
  const plain = name.replace(/\\(?:\d{3}|.)/g, '_');
  const what = isIP(withoutDot(name))
    ? 'an address'
    : endsInNumber(plain) && (origin === '.' || !isWithin(name, origin))
      ? numbered
      : unexpectedCharacter(plain);
  return what && `not a domain name but ${what}: ${excerpt(text)}`;
}

const placeholder = 'a placeholder';
const numbered = 'a text that ends in a number, like an IP address';
const withoutPort = (text: string) => text.replace(/:\d*$/, '');

/** The first match names the mistake. */
const mistakes: readonly [is: (text: string, origin: string) => boolean, what: string][] = [
  [(text) => isIP(text) !== 0, 'an address'],
  [(text) => text.includes('://'), 'a URL'],
  [(text) => isIP(withoutPort(text).replace(/^\[(.*)\]$/, '$1')) === 6, 'an address in brackets'],
  [(text) => isIP(withoutPort(text)) === 4, 'an address and a port'],
  [(text, origin) => isNetwork(text, origin), 'a network'],
  [(text) => text.includes('-') && text.split('-').every((each) => isIP(each) !== 0), 'a range of addresses'],
  [
    (text) => /^[^:]+:\d*$/.test(text),
    'a name and a port (leave the port out: SRV, HTTPS and SVCB have a field for it)',
  ],
  [(text) => /[<>{}[\]$%]/.test(text), placeholder],
  [(text, origin) => isUnfilled(text, origin), placeholder],
  [(text, origin) => /^\d+(?:\.\d+){3,}$/.test(text) && !isReverse(origin), numbered],
];

/** In a reverse zone `0/25` is a part of a /24 (RFC 2317 section 4). */
function isNetwork(text: string, origin: string): boolean {
  const [, address = ''] = /^([^/]*)\/\d+$/.exec(text) ?? [];
  return isIP(address) !== 0 || (/^\d+$/.test(address) && !isReverse(origin));
}

const words =
  /^(?:to-?do|tb[ad]|fixme|change-?me|replace-?me|placeholder|pending|unknown|undefined|null|nil|none|n\/a)$/i;

/** Words that templates have in place of a name. In lower case they may be names of the zone. */
const isUnfilled = (text: string, origin: string) =>
  words.test(text) && (origin === '.' || text === text.toUpperCase());

/** No top-level domain is a number (RFC 1123 section 2.1): the name would be an address. */
const endsInNumber = (name: string) => /(?:^|\.)(?:\d+|0x[0-9a-f]+)\.$/.test(name);

const meanings: Readonly<Record<string, string>> = {
  '/': 'a name and a path (leave the path out)',
  '@': 'a mail address (use only its domain)',
  ',': 'a list (a value is one name, with dots between its labels)',
  ';': 'a list (a value is one name, with dots between its labels)',
};

/** The mistake that the first character outside host names hints at. */
function unexpectedCharacter(name: string): string | undefined {
  // Service instance names may have any characters (RFC 6763 section 4.1.1), and parts of a /24 are called `0/25`
  // (RFC 2317 section 4).
  const rest = name.replace(/^[^.]+(?=\._[a-z0-9-]+\._(?:tcp|udp)\.)/, '').replace(rangeLabel, '');
  const [odd] = /[^a-z0-9._*-]/.exec(rest) ?? [];
  return odd && (meanings[odd] ?? `a text with ${odd} in it`);
}

const rangeLabel = /(?:^|(?<=\.))\d{1,3}\/\d{1,2}(?=\.)/g;
