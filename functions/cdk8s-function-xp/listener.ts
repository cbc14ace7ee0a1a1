import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { type Certificates, objectionTo, readCertificates } from './certificates.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * A TLS server that hands `accept` the connections of trusted clients only. It reads `directory` anew for every connection,
 * so a renewed certificate counts from the next one on; Crossplane keeps one connection for each function.
 */
export function secureListener(directory: string, accept: (socket: Socket) => void, telemetry: Telemetry): Server {
  let certificates = readCertificates(directory);
  let ca = new X509Certificate(certificates.ca);
  const listener = createServer(
    // Not Node's own check (see objectionTo), but the possession of the key is proven all the same.
    { ...contextOf(certificates), requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['h2'] },
    (socket) => {
      const objection = objectionTo(socket.getPeerX509Certificate(), ca);
      if (objection === undefined) return accept(socket);
      telemetry.refused(socket.remoteAddress, objection);
      socket.destroy();
    },
  );
  // First in line, because Node's own listener picks the context and starts the handshake.
  listener.prependListener('connection', () => {
    try {
      const found = readCertificates(directory);
      if (isDeepStrictEqual(found, certificates)) return;
      listener.setSecureContext(contextOf(found));
      ca = new X509Certificate(found.ca);
      certificates = found;
    } catch (error) {
      // A mount caught half way: the ones in memory serve until the next connection.
      telemetry.stale(error as Error);
    }
  });
  listener.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // A probe or a port scan that just goes away was not refused.
    if (error.code !== 'ECONNRESET') telemetry.refused(socket.remoteAddress, error.message.trim());
  });
  return listener;
}

function contextOf({ cert, key }: Certificates) {
  return { cert, key, minVersion: 'TLSv1.3' as const };
}
