import { parseIPv4, parseIPv6 } from './address.ts';
import { parseCertification } from './caa.ts';
import { parseMailExchange, parseNameServer, parseService, parseTarget } from './domain-target.ts';
import { parseCertificateAssociation, parseDelegationSigner, parseFingerprint } from './ds-tlsa-sshfp.ts';
import { genericOctets, isGeneric, presentationOf } from './generic-rdata.ts';
import { parseNamingAuthority } from './naptr.ts';
import { parseServiceBinding } from './svcb.ts';
import { parseText } from './txt.ts';

export { splitFields } from './field.ts';

/** The types that may be declared. */
export const recordTypes = [
  'A',
  'AAAA',
  'ALIAS',
  'CAA',
  'CNAME',
  'DNAME',
  'DS',
  'HTTPS',
  'MX',
  'NAPTR',
  'NS',
  'PTR',
  'SRV',
  'SSHFP',
  'SVCB',
  'TLSA',
  'TXT',
] as const;

export type RecordType = (typeof recordTypes)[number];

const parsers: Readonly<Record<RecordType, (text: string, origin: string) => string>> = {
  A: parseIPv4,
  AAAA: parseIPv6,
  ALIAS: parseTarget,
  CAA: parseCertification,
  CNAME: parseTarget,
  DNAME: parseTarget,
  DS: parseDelegationSigner,
  HTTPS: parseServiceBinding,
  MX: parseMailExchange,
  NAPTR: parseNamingAuthority,
  NS: parseNameServer,
  PTR: parseTarget,
  SRV: parseService,
  SSHFP: parseFingerprint,
  SVCB: parseServiceBinding,
  TLSA: parseCertificateAssociation,
  TXT: parseText,
};

/**
 * RDATA in presentation format, as it is pasted, in the form in which PowerDNS gives it back: two contents are the same
 * record if and only if they are the same text. Its API must be sent `apiContent` of it. Throws what is wrong.
 * @param origin the absolute name that names without a trailing dot are relative to, as in `parseName`
 */
export function parseContent(type: RecordType, text: string, origin: string): string {
  const given = text.trim();
  if (given === '') throw new Error('no value given');
  const written = isGeneric(given) ? presentationOf(type, genericOctets(given)) : given;
  return parsers[type](written, origin);
}
