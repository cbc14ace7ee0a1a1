import { createECDH, createHash, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { withoutDot } from '../../dns/name.ts';

/** The number: https://www.iana.org/assignments/dns-sec-alg-numbers */
const algorithms = {
  ECDSA256: { number: 13, mnemonic: 'ECDSAP256SHA256', bytes: 32, curve: 'prime256v1' },
  ECDSA384: { number: 14, mnemonic: 'ECDSAP384SHA384', bytes: 48, curve: 'secp384r1' },
  ED25519: { number: 15, mnemonic: 'ED25519', bytes: 32, curve: undefined },
} as const;

export type Algorithm = keyof typeof algorithms;

/** One key for everything in a zone (RFC 6781 section 3.1): a zone key that is its secure entry point, too (RFC 4034 section 2.1.1). */
const flags = 257;

/** A zone's signing key. Neither JSON nor a log shows the secret: only `text` returns it. */
export class SigningKey {
  readonly algorithm: Algorithm;
  /** RDATA as PowerDNS writes it, such as `257 3 13 oJMR...`. */
  readonly dnskey: string;
  readonly #secret: Buffer;

  private constructor(algorithm: Algorithm, secret: Buffer) {
    this.algorithm = algorithm;
    this.#secret = secret;
    this.dnskey = `${flags} 3 ${algorithms[algorithm].number} ${publicOf(algorithm, secret).toString('base64')}`;
  }

  static generate(algorithm: Algorithm): SigningKey {
    const { curve, bytes } = algorithms[algorithm];
    if (curve === undefined) return new SigningKey(algorithm, randomBytes(bytes));
    const pair = createECDH(curve);
    pair.generateKeys();
    return new SigningKey(algorithm, pair.getPrivateKey());
  }

  /** Parses private keys as `text`, BIND and PowerDNS write them. An error quotes nothing of one. */
  static parse(text: string): SigningKey {
    const number = Number(/^Algorithm: *(\d+)/im.exec(text)?.[1]);
    const algorithm = algorithmOf(number);
    if (!algorithm) throw new Error(`not a private key of ${supported}`);
    const secret = Buffer.from(/^PrivateKey: *([A-Za-z0-9+/]+=*)\s*$/im.exec(text)?.[1] ?? '', 'base64');
    const { bytes, mnemonic, curve } = algorithms[algorithm];
    const isWhole = curve === undefined ? secret.length === bytes : secret.length > 0 && secret.length <= bytes;
    try {
      if (isWhole) return new SigningKey(algorithm, padded(secret, bytes));
    } catch {
      // Not a point of the curve: the cause could reveal part of it.
    }
    throw new Error(`not a private key of ${mnemonic}`);
  }

  /** The private key in the format of BIND's .private files, which PowerDNS reads and writes, too. */
  text(): string {
    const { number, mnemonic } = algorithms[this.algorithm];
    const secret = this.#secret.toString('base64');
    return `Private-key-format: v1.2\nAlgorithm: ${number} (${mnemonic})\nPrivateKey: ${secret}\n`;
  }
}

const supported = Object.values(algorithms)
  .map(({ mnemonic }) => mnemonic)
  .join(', ');

/** Returns an algorithm by its number, if it is supported. */
export function algorithmOf(number: number): Algorithm | undefined {
  return (Object.keys(algorithms) as Algorithm[]).find((name) => algorithms[name].number === number);
}

/** Returns the algorithm number of DNSKEY RDATA. */
export const algorithmNumberOf = (dnskey: string) => Number(dnskey.split(' ')[2]);

/** The DS of a DNSKEY, both as RDATA, in the form that PowerDNS gives it: `12345 13 2 ab...`, with SHA-256. */
export function dsOf(zone: string, dnskey: string): string {
  const [flags = '', protocol = '', algorithm = '', ...key] = dnskey.split(' ');
  const header = Buffer.from([Number(flags) >> 8, Number(flags) & 255, Number(protocol), Number(algorithm)]);
  const rdata = Buffer.concat([header, Buffer.from(key.join(''), 'base64')]);
  // RFC 4034 section 5.1.4
  const digest = createHash('sha256').update(wireName(zone)).update(rdata).digest('hex');
  return `${keyTag(rdata)} ${algorithm} 2 ${digest}`;
}

/** RFC 4034 appendix B */
function keyTag(rdata: Buffer): number {
  const sum = rdata.reduce((sum, byte, i) => sum + (i & 1 ? byte : byte << 8), 0);
  return (sum + (sum >> 16)) & 0xffff;
}

/** A name in canonical form (RFC 4034 section 6.2). */
function wireName(name: string): Buffer {
  const labels = withoutDot(name.toLowerCase()).split('.');
  return Buffer.concat([...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.alloc(1)]);
}

function publicOf(algorithm: Algorithm, secret: Buffer): Buffer {
  const { curve } = algorithms[algorithm];
  if (curve === undefined) return publicOfEd25519(secret);
  const pair = createECDH(curve);
  pair.setPrivateKey(secret);
  // Without the byte that says that the point is not compressed (RFC 6605 section 4).
  return pair.getPublicKey().subarray(1);
}

function publicOfEd25519(seed: Buffer): Buffer {
  // RFC 8410 section 7: what precedes the seed is the same in every key.
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const { x = '' } = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url');
}

/** PowerDNS leaves out leading zeros, and RFC 6605 section 6 keeps them. */
const padded = (number: Buffer, bytes: number) => Buffer.concat([Buffer.alloc(bytes - number.length), number]);
