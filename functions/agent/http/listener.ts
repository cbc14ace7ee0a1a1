import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { Connections } from './connections.ts';
import { type Allowance, FirstRequest } from './first-request.ts';

export interface Limits extends Allowance {
  /** At the same time. */
  connections: number;
}

export const limits: Limits = {
  connections: 32,
  headMs: 5_000,
  idleMs: 10_000,
  answerMs: 120_000,
  lingerMs: 1_000,
  headBytes: 8 * 1024,
};

/** Ends the connection after the answer: each has one request. */
export const lastAnswer = { Connection: 'close' } as const;

/** An HTTP server that strangers reach: how much of it they can take is bounded, whatever they send and do not read. */
export function listener(answer: RequestListener, { connections: most, ...allowance }: Limits = limits): Server {
  const server = createServer({ maxHeaderSize: allowance.headBytes }, answer);
  const connections = new Connections(most);
  // Any stream can be a connection: https://nodejs.org/api/http.html#event-connection
  const [accept] = server.listeners('connection') as ((connection: FirstRequest) => void)[];
  server.removeAllListeners('connection').on('connection', (socket: Socket) => {
    connections.add(socket);
    accept?.call(server, new FirstRequest(socket, allowance));
  });
  return server;
}
