/** A resolver whose answers a benchmark chooses. An agent that preloads this module queries no other one. */
import { createSocket } from 'node:dgram';
import dns from 'node:dns/promises';
import { once } from 'node:events';
import { decode, encode } from 'dns-packet';

const variable = 'BENCH_RESOLVER';

/** The flags and the environment of a Node that queries the resolver at HOST:PORT, not those in /etc/resolv.conf. */
export const queriesOnly = (server: string) => ({
  flags: [`--import=${import.meta.filename}`],
  env: { [variable]: server },
});

export interface Resolver {
  /** HOST:PORT. */
  address: string;
  stop(): void;
}

/** Answers queries for IPv4 addresses only, with a TTL in seconds. */
export async function startResolver(addressOf: (name: string) => string, ttl: number): Promise<Resolver> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (message, { port, address }) => {
    const { id, questions = [] } = decode(message);
    const answers = questions
      .filter(({ type }) => type === 'A')
      .map(({ name }) => ({ name, type: 'A' as const, ttl, data: addressOf(name) }));
    socket.send(encode({ type: 'response', id, questions, answers }), port, address);
  });
  return { address: `127.0.0.1:${socket.address().port}`, stop: () => void socket.close() };
}

function useOnly(server: string): void {
  const { Resolver } = dns;
  dns.Resolver = class extends Resolver {
    constructor(...options: ConstructorParameters<typeof Resolver>) {
      super(...options);
      this.setServers([server]);
    }
  };
}

const server = process.env[variable];
if (server !== undefined) useOnly(server);
