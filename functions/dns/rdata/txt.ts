import { octetsOf, quoted } from './character-string.ts';
import { excerpt } from './field.ts';

/**
 * TXT (RFC 1035 section 3.3.14). A text that begins with a quote is one or more quoted strings; any other is one
 * string, with its spaces and quotes. Strings of more than 255 octets are split.
 */
export function parseTXT(text: string): string {
  const grouped = /^\(\s*(".*")\s*\)$/s.exec(text)?.[1] ?? text;
  const strings = grouped.startsWith('"') ? stringsOf(grouped) : [grouped];
  if (strings.some((string) => /[\r\n]/.test(string))) {
    throw new Error(
      `a line break in a text: ${excerpt(text)} (write it as \\010; quoted strings may be on several lines)`,
    );
  }
  const pieces = strings.map(octetsOf).flatMap(split);
  const length = pieces.reduce((sum, piece) => sum + 1 + piece.length, 0);
  if (length > 65_535) throw new Error(`a text of ${length} octets, 65535 at most: ${excerpt(text)}`);
  return pieces.map(quoted).join(' ');
}

const string = /"((?:[^"\\]|\\.)*)"\s*/sy;

function stringsOf(text: string): string[] {
  const strings: string[] = [];
  for (let end = 0; end < text.length; end = string.lastIndex) {
    string.lastIndex = end;
    const inside = string.exec(text)?.[1];
    if (inside === undefined) throw new Error(`not in quotes, or a quote is not closed: ${excerpt(text.slice(end))}`);
    strings.push(inside);
  }
  return strings;
}

function split(octets: Buffer): Buffer[] {
  const pieces = Math.max(1, Math.ceil(octets.length / 255));
  return Array.from({ length: pieces }, (_, i) => octets.subarray(255 * i, 255 * (i + 1)));
}
