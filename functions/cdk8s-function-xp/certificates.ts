import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';

/** What Crossplane mounts for a function's server, as PEM. */
export interface Certificates {
  cert: string;
  key: string;
  ca: string;
}

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Reads tls.crt, tls.key and ca.crt. Throws when one is missing, is no certificate, or key and certificate are no pair. */
export function readCertificates(directory: string): Certificates {
  try {
    const read = (name: string) => readFileSync(join(directory, name), 'utf8');
    const certificates = { cert: read('tls.crt'), key: read('tls.key'), ca: read('ca.crt') };
    createSecureContext({ cert: certificates.cert, key: certificates.key });
    new X509Certificate(certificates.ca);
    return certificates;
  } catch (error) {
    throw new Error(`cannot read the certificates in ${directory}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Why `peer` is not trusted as a client; undefined when it is. Done by hand because Crossplane gives its CA and every leaf one
 * subject and the leaves no key identifiers, so OpenSSL takes each leaf for self-signed and Node refuses Crossplane itself
 * (DEPTH_ZERO_SELF_SIGNED_CERT). Its client's certificate is a leaf with the usage clientAuth, signed by the CA without
 * an intermediate: https://github.com/crossplane/crossplane/blob/v2.4.0/internal/initializer/tls.go#L206-L217
 */
export function objectionTo(
  peer: X509Certificate | undefined,
  ca: X509Certificate,
  now = Date.now(),
): string | undefined {
  if (peer === undefined) return 'it shows no certificate';
  if (!peer.checkIssued(ca) || !peer.verify(ca.publicKey)) return "its certificate is not signed by Crossplane's CA";
  if (peer.ca) return 'its certificate is a CA';
  if (now < peer.validFromDate.getTime()) return 'its certificate is not valid yet';
  if (now >= peer.validToDate.getTime()) return 'its certificate has expired';
  if (!(peer.keyUsage ?? []).includes(CLIENT_AUTH)) return 'its certificate is not for clients';
  return undefined;
}
