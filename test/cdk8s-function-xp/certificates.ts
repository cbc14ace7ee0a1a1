import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as PEM. */
export interface Pair {
  cert: string;
  key: string;
}

/** The certificates of Crossplane and of a function's server. */
export interface Certificates {
  authority: Pair;
  client: Pair;
  server: Pair;
}

interface Leaf {
  usage: 'client' | 'server';
  notBefore?: Date;
  notAfter?: Date;
  isAuthority?: boolean;
  /** Crossplane's by default: OpenSSL takes a leaf with the subject of its CA for self-signed. */
  commonName?: string;
}

const DAY = 86_400_000;
const crossplane = 'Crossplane';

/**
 * Makes certificates that equal Crossplane's except for keys and times: one subject and one serial for the CA and every leaf, no
 * authority key identifier. Encoded here because openssl refuses a country of five letters.
 * https://github.com/crossplane/crossplane/blob/v2.4.0/internal/initializer/tls.go
 * Writes those that Crossplane mounts for the server to `directory`.
 */
export function makeCertificates(directory: string): Certificates {
  const authority = makeAuthority();
  const certificates = {
    authority,
    client: makeLeaf(authority, { usage: 'client' }),
    server: makeLeaf(authority, { usage: 'server' }),
  };
  mount(directory, certificates);
  return certificates;
}

/** Writes the server's files to `directory`. */
export function mount(directory: string, { server, authority }: Pick<Certificates, 'server' | 'authority'>): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'tls.crt'), server.cert);
  writeFileSync(join(directory, 'tls.key'), server.key);
  writeFileSync(join(directory, 'ca.crt'), authority.cert);
}

/** A new CA with Crossplane's subject. */
export function makeAuthority(): Pair {
  const { publicKey, privateKey } = makeKeys();
  const keyID = createHash('sha256')
    .update(publicKey.export({ type: 'pkcs1', format: 'der' }))
    .digest()
    .subarray(0, 20);
  const extensions = [
    extension('551d0f', bits('0106'), true),
    extension('551d13', sequence(boolean(true)), true),
    extension('551d0e', tagged(0x04, keyID)),
    extension('551d11', sequence(tagged(0x82, 'crossplane-root-ca'))),
  ];
  return { cert: certificate(publicKey, privateKey, extensions), key: pem(privateKey) };
}

/** A certificate with Crossplane's subject, signed by `issuer`, or else self-signed. */
export function makeLeaf(
  issuer: Pick<Pair, 'key'> | undefined,
  { usage, notBefore, notAfter, isAuthority = false, commonName }: Leaf,
): Pair {
  const { publicKey, privateKey } = makeKeys();
  const extensions = [
    extension('551d0f', bits(isAuthority ? '02b4' : '04b0'), true),
    extension('551d25', sequence(oid(usage === 'client' ? '2b06010505070302' : '2b06010505070301'))),
    extension('551d13', isAuthority ? sequence(boolean(true)) : sequence(), true),
    extension('551d11', sequence(tagged(0x82, usage === 'client' ? 'crossplane' : 'localhost'))),
  ];
  const cert = certificate(publicKey, issuer?.key ?? privateKey, extensions, notBefore, notAfter, commonName);
  return { cert, key: pem(privateKey) };
}

function makeKeys() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs1', format: 'pem' }).toString();
}

// The rest encodes DER (X.690), as far as an X.509 certificate (RFC 5280, section 4.1) needs it.

function certificate(
  subjectKey: KeyObject,
  issuerKey: KeyObject | string,
  extensions: Buffer[],
  notBefore = new Date(Date.now() - DAY),
  notAfter = new Date(Date.now() + 3650 * DAY),
  commonName = crossplane,
): string {
  const algorithm = sequence(oid('2a864886f70d01010b'), tagged(0x05)); // sha256WithRSAEncryption
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.of(2))),
    tagged(0x02, Buffer.from('07e6', 'hex')), // serial number 2022
    algorithm,
    nameOf(crossplane),
    sequence(time(notBefore), time(notAfter)),
    nameOf(commonName),
    createPublicKey(subjectKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = tagged(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, issuerKey)]));
  const base64 = sequence(body, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}

function nameOf(commonName: string): Buffer {
  return sequence(
    attribute('550406', 'Earth'),
    attribute('550408', 'Earth'),
    attribute('550407', 'Earth'),
    attribute('55040a', 'Crossplane'),
    attribute('550403', commonName),
  );
}

function attribute(type: string, value: string): Buffer {
  return tagged(0x31, sequence(oid(type), tagged(0x13, value)));
}

function extension(type: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(type), ...(critical ? [boolean(true)] : []), tagged(0x04, value));
}

function time(date: Date): Buffer {
  return tagged(0x17, `${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`);
}

function bits(hex: string): Buffer {
  return tagged(0x03, Buffer.from(hex, 'hex'));
}

function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.of(value ? 0xff : 0));
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer | string = ''): Buffer {
  const body = Buffer.from(content as string);
  const size = body.length.toString(16);
  const bytes = Buffer.from(size.padStart(size.length + (size.length % 2), '0'), 'hex');
  const length = body.length < 0x80 ? bytes : Buffer.concat([Buffer.of(0x80 | bytes.length), bytes]);
  return Buffer.concat([Buffer.of(tag), length, body]);
}
