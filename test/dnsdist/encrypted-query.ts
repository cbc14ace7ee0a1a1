/** A client of DNS over TLS (RFC 7858) and HTTPS (RFC 8484) for tests. */
import { once } from 'node:events';
import { connect as connectHTTP } from 'node:http2';
import { connect } from 'node:tls';
import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { askStream } from '../powerdns/query.ts';

interface Server {
  port: number;
  /** Its certificate, or that of its authority. */
  ca: string;
  servername?: string;
}

const question = (name: string) =>
  encode({ type: 'query', id: 0, flags: RECURSION_DESIRED, questions: [{ name, type: 'A' }] });

const dataIn = (packet: Buffer) => (decode(packet).answers ?? []).map((answer) => (answer as { data: string }).data);

/** The addresses of a name, and the certificate that it came with. */
export async function queryTLS(name: string, { port, ca, servername = 'dns.internal' }: Server) {
  const socket = connect({ host: '127.0.0.1', port, ca, servername, ALPNProtocols: ['dot'] });
  await once(socket, 'secureConnect');
  const answer = await askStream(socket, question(name));
  socket.destroy();
  return dataIn(answer);
}

/** The addresses of a name. */
export async function queryHTTPS(
  name: string,
  { port, ca, path, servername = 'dns.internal' }: Server & { path: string },
) {
  const session = connectHTTP(`https://127.0.0.1:${port}`, { ca, servername });
  try {
    const request = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/dns-message',
    });
    request.end(question(name));
    const [headers] = await once(request, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const status = headers[':status'] as number;
    return { status, addresses: status === 200 ? dataIn(Buffer.concat(chunks)) : [] };
  } finally {
    session.destroy();
  }
}
