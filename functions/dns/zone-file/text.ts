import { isUtf8 } from 'node:buffer';

/**
 * Decodes a zone file, which need not have any encoding: octets that are not UTF-8 are escaped as `\DDD`
 * (RFC 1035 section 5.1), which keeps them in values and is harmless in comments. Throws on UTF-16.
 */
export function zoneFileText(bytes: Buffer): string {
  if (bytes.includes(0)) throw new Error('not UTF-8: save it as UTF-8');
  if (isUtf8(bytes)) return bytes.toString();
  return textOf(bytes.toString('latin1'));
}

/** Sequences of UTF-8 (RFC 3629 section 4), or a single other octet. */
const sequence =
  /[\0-\x7f]+|(?:[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+|([\x80-\xff])/g;

/** @param octets one character each */
const textOf = (octets: string) =>
  octets.replace(sequence, (found, octet?: string) =>
    octet === undefined ? Buffer.from(found, 'latin1').toString() : `\\${octet.charCodeAt(0)}`,
  );
