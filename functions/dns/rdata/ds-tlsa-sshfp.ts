import { parseHex, parseNumber, splitFields } from './field.ts';

/** The octets of each assigned digest type; unassigned types may have any length. */
type Lengths = Readonly<Record<string, number>>;

/** https://www.iana.org/assignments/dns-sshfp-rr-parameters: SHA-1 (RFC 4255), SHA-256 (RFC 6594) */
const fingerprints: Lengths = { 1: 20, 2: 32 };

/** https://www.iana.org/assignments/dane-parameters: SHA-256, SHA-512 (RFC 6698 section 7.4) */
const associations: Lengths = { 1: 32, 2: 64 };

/** https://www.iana.org/assignments/ds-rr-types: SHA-1, SHA-256 (RFC 4509), GOST, SHA-384 (RFC 6605), GOST, SM3 */
const delegations: Lengths = { 1: 20, 2: 32, 3: 32, 4: 48, 5: 32, 6: 32 };

/** SSHFP (RFC 4255, Ed25519 by RFC 7479). */
export function parseSSHFP(text: string): string {
  const [algorithm = '', type = '', ...digits] = splitFields(text);
  const numbers = [parseNumber(algorithm, 8, 'key algorithm'), parseNumber(type, 8, 'fingerprint type')] as const;
  return [...numbers, parseHex(digits, 'fingerprint', fingerprints[numbers[1]])].join(' ');
}

/** TLSA (RFC 6698); matching type 0 is the full certificate or key. */
export function parseTLSA(text: string): string {
  const [usage = '', selector = '', matching = '', ...digits] = splitFields(text);
  const numbers = [
    parseNumber(usage, 8, 'certificate usage'),
    parseNumber(selector, 8, 'selector'),
    parseNumber(matching, 8, 'matching type'),
  ] as const;
  return [...numbers, parseHex(digits, 'certificate association', associations[numbers[2]])].join(' ');
}

/** DS (RFC 4034 section 5.3). */
export function parseDS(text: string): string {
  const [tag = '', algorithm = '', type = '', ...digits] = splitFields(text);
  const numbers = [
    parseNumber(tag, 16, 'key tag'),
    parseNumber(mnemonics[algorithm.toUpperCase()] ?? algorithm, 8, 'key algorithm'),
    parseNumber(type, 8, 'digest type'),
  ] as const;
  return [...numbers, parseHex(digits, 'digest', delegations[numbers[2]])].join(' ');
}

/** https://www.iana.org/assignments/dns-sec-alg-numbers */
const mnemonics: Readonly<Record<string, string>> = {
  RSASHA1: '5',
  'RSASHA1-NSEC3-SHA1': '7',
  RSASHA256: '8',
  RSASHA512: '10',
  ECDSAP256SHA256: '13',
  ECDSAP384SHA384: '14',
  ED25519: '15',
  ED448: '16',
};
