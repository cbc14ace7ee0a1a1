import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Two addresses of this machine that pods can reach. */
export function localAddresses(): [string, string] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const [one, other] = all.filter(({ family, internal }) => family === 'IPv4' && !internal).map((a) => a.address);
  if (!one || !other) throw new Error('this machine needs two IPv4 addresses that pods can reach');
  return [one, other];
}

/** Accepts connections at an address of this machine. */
export async function listener(address: string, port: number): Promise<Server> {
  const server = createServer((socket) => socket.end()).listen(port, address);
  await once(server, 'listening');
  return server;
}
