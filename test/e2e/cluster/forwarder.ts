/** Asks as a forwarder in front of an InternalDNS does: from ports that it keeps. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encode } from 'dns-packet';
import { get, until } from './kubectl.ts';

export interface ForwarderWatch {
  /** Ends the watch, and gives for each port how many questions stayed unanswered. */
  stop(): Promise<number[]>;
}

/**
 * Asks for `name` from sixteen ports, four times a second from each. kube-proxy chooses a replica for a port, not for a
 * question: where the first one went, connection tracking sends all that follow.
 */
export async function watchForwarder(composite: string, name: string, wanted: string): Promise<ForwarderWatch> {
  const { address, port } = (await get('internaldns', composite)).status;
  const ports = await Promise.all(Array.from({ length: 16 }, () => portTo(address, port, name, wanted)));
  await until('every port has a replica', async () => {
    for (const each of ports) if (each.answered === 0) each.ask();
    await sleep(100);
    return ports.every(({ answered }) => answered > 0);
  });
  for (const { waiting } of ports) waiting.clear();
  const timer = setInterval(() => {
    for (const { ask } of ports) ask();
  }, 250);
  return {
    stop: async () => {
      clearInterval(timer);
      // As long as a resolver waits: https://man7.org/linux/man-pages/man5/resolv.conf.5.html
      for (let i = 0; i < 50 && ports.some(({ waiting }) => waiting.size > 0); i++) await sleep(100);
      for (const { socket } of ports) socket.close();
      return ports.map(({ waiting }) => waiting.size);
    },
  };
}

async function portTo(server: string, port: number, name: string, wanted: string) {
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  socket.connect(port, server);
  await once(socket, 'connect');
  const waiting = new Set<number>();
  let asked = 0;
  const self = {
    socket,
    /** The questions without an answer. */
    waiting,
    answered: 0,
    ask: () => {
      const id = asked++;
      waiting.add(id);
      socket.send(encode({ type: 'query', id, questions: [{ name, type: 'A' }] }));
    },
  };
  socket.on('message', (message) => {
    const { id = 0, answers = [] } = decode(message);
    const [answer] = answers;
    if (answer?.type === 'A' && answer.data === wanted && waiting.delete(id)) self.answered++;
  });
  // A port that is closed gives no answer, either.
  socket.on('error', () => {});
  return self;
}
