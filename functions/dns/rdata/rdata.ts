import { parseIPv4, parseIPv6 } from './address.ts';
import { parseCAA } from './caa.ts';
import { parseMX, parseNS, parseSRV, parseTarget } from './domain-target.ts';
import { parseDS, parseSSHFP, parseTLSA } from './ds-tlsa-sshfp.ts';
import { genericOctets, isGeneric, presentationOf } from './generic-rdata.ts';
import { parseNAPTR } from './naptr.ts';
import type { RecordType } from './record-type.ts';
import { parseSVCB } from './svcb.ts';
import { parseTXT } from './txt.ts';

const parsers: Readonly<Record<RecordType, (text: string, origin: string) => string>> = {
  A: parseIPv4,
  AAAA: parseIPv6,
  ALIAS: parseTarget,
  CAA: parseCAA,
  CNAME: parseTarget,
  DNAME: parseTarget,
  DS: parseDS,
  HTTPS: parseSVCB,
  MX: parseMX,
  NAPTR: parseNAPTR,
  NS: parseNS,
  PTR: parseTarget,
  SRV: parseSRV,
  SSHFP: parseSSHFP,
  SVCB: parseSVCB,
  TLSA: parseTLSA,
  TXT: parseTXT,
};

/**
 * Parses RDATA in presentation format into the canonical form that PowerDNS returns: two contents are the same record
 * if and only if they are the same text. Escape it with `apiContent` for PowerDNS's API. Throws if the text is invalid.
 * @param origin what names without a trailing dot are relative to, as in `parseName`
 */
export function parseContent(type: RecordType, text: string, origin: string): string {
  const given = text.trim();
  if (given === '') throw new Error('no value given');
  const written = isGeneric(given) ? presentationOf(type, genericOctets(given)) : given;
  return parsers[type](written, origin);
}
