import { characterString, quoted } from './character-string.ts';
import { parseTargetOrRoot } from './domain-target.ts';
import { excerpt, fieldsOf, parseNumber } from './field.ts';

/** NAPTR (RFC 3403 section 4.1): has either a regular expression or a replacement; the other is `""` or `.`. */
export function parseNAPTR(text: string, origin: string): string {
  const names = ['order', 'preference', 'flags', 'services', 'regexp', 'replacement'] as const;
  const [order, preference, flags, services, regexp, replacement] = fieldsOf(
    text,
    names,
    '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .',
  );
  const numbers = [parseNumber(order, 16, 'order'), parseNumber(preference, 16, 'preference')];
  const strings = [
    characterString(flags, 'flags'),
    characterString(services, 'services'),
    characterString(regexp, 'a regular expression'),
  ] as const;
  if (!/^[a-z0-9]*$/i.test(strings[0].toString('latin1'))) {
    throw new Error(`not flags of letters and digits: ${excerpt(flags)}`);
  }
  const name = parseTargetOrRoot(replacement, origin);
  if (strings[2].length > 0 && name !== '.') {
    throw new Error(`both a regular expression and a replacement: ${excerpt(text)}`);
  }
  return [...numbers, ...strings.map(quoted), name].join(' ');
}
