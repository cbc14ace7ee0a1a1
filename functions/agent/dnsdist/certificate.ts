import { connect } from 'node:tls';

/** Milliseconds. */
const timeoutMs = 2000;

/**
 * When the certificate of a server expires, in milliseconds since 1970. Throws if it shows none. Whoever issued it: nothing is
 * sent over the connection.
 */
export function expiryAt(host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const socket = connect({ host, port, rejectUnauthorized: false });
  const timer = setTimeout(() => reject(new Error(`no TLS handshake within ${timeoutMs} ms`)), timeoutMs);
  socket
    .on('secureConnect', () => {
      const expiry = Date.parse(socket.getPeerCertificate().valid_to);
      if (Number.isFinite(expiry)) resolve(expiry);
      else reject(new Error('a certificate without a date'));
    })
    .on('error', reject)
    .on('close', () => reject(new Error('connection closed')));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}
