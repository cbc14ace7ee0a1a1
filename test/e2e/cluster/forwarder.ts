/** Queries an InternalDNS as a forwarder in front of it does: from ports that it reuses. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encode } from 'dns-packet';
import { get, until } from './kubectl.ts';

export interface ForwarderWatch {
  /** Ends the watch, and returns the number of unanswered queries of each port. */
  stop(): Promise<number[]>;
}

/**
 * Queries `name` from 16 ports, four times a second from each. kube-proxy chooses a replica per port, not per query: connection
 * tracking sends all queries where the first one went.
 */
export async function watchForwarder(composite: string, name: string, expected: string): Promise<ForwarderWatch> {
  const { address, port } = (await get('internaldns', composite)).status;
  const ports = await Promise.all(Array.from({ length: 16 }, () => openPort(address, port, name, expected)));
  await until('every port has a replica', async () => {
    for (const each of ports) if (each.answered === 0) each.query();
    await sleep(100);
    return ports.every(({ answered }) => answered > 0);
  });
  for (const { unanswered } of ports) unanswered.clear();
  const timer = setInterval(() => {
    for (const { query } of ports) query();
  }, 250);
  return {
    stop: async () => {
      clearInterval(timer);
      // The default timeout of a resolver: https://man7.org/linux/man-pages/man5/resolv.conf.5.html
      for (let i = 0; i < 50 && ports.some(({ unanswered }) => unanswered.size > 0); i++) await sleep(100);
      for (const { socket } of ports) socket.close();
      return ports.map(({ unanswered }) => unanswered.size);
    },
  };
}

async function openPort(server: string, port: number, name: string, expected: string) {
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  socket.connect(port, server);
  await once(socket, 'connect');
  /** Message ids. */
  const unanswered = new Set<number>();
  let sent = 0;
  const self = {
    socket,
    unanswered,
    answered: 0,
    query: () => {
      const id = sent++;
      unanswered.add(id);
      socket.send(encode({ type: 'query', id, questions: [{ name, type: 'A' }] }));
    },
  };
  socket.on('message', (message) => {
    const { id = 0, answers = [] } = decode(message);
    const [answer] = answers;
    if (answer?.type === 'A' && answer.data === expected && unanswered.delete(id)) self.answered++;
  });
  // A refused connection is an unanswered query, too.
  socket.on('error', () => {});
  return self;
}
