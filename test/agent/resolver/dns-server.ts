/** A DNS server whose answers a test chooses, and a resolver that queries it. */
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { type Answer, decode, encode, type Question } from 'dns-packet';
import { onTestFinished } from 'vitest';
import { freePort } from '../../powerdns/server.ts';

/** https://www.rfc-editor.org/rfc/rfc1035#section-4.1.1 */
const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

export interface Response {
  rcode?: keyof typeof rcodes;
  answers?: Answer[];
}

/** Starts a server until the test ends; it is silent where `respond` returns undefined. `queries` are those so far. */
export async function startServer(respond: (question: Question) => Response | undefined) {
  const port = await freePort();
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  const queries: string[] = [];
  socket.on('message', (message, from) => {
    const { id, questions = [] } = decode(message);
    const [question] = questions as [Question];
    queries.push(`${question.name} ${question.type}`);
    const response = respond(question);
    if (!response) return;
    const { rcode = 'NOERROR', answers = [] } = response;
    const flags = 0x180 | rcodes[rcode];
    socket.send(encode({ type: 'response', id, flags, questions: [question], answers }), from.port, from.address);
  });
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  return { resolver, queries };
}
