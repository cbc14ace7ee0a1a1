import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { type RequestLimits, SingleRequest } from './single-request.ts';

export interface ServerLimits extends RequestLimits {
  maxConnections: number;
}

export const defaultLimits: ServerLimits = {
  maxConnections: 32,
  headerTimeoutMs: 5_000,
  idleTimeoutMs: 10_000,
  responseTimeoutMs: 120_000,
  lingerTimeoutMs: 1_000,
  maxHeaderBytes: 8 * 1024,
};

/** For every response: a connection serves one request. */
export const connectionClose = { Connection: 'close' } as const;

/** An HTTP server for untrusted clients: connections, memory and time are bounded, whatever they send or do not read. */
export function createLimitedServer(
  listener: RequestListener,
  { maxConnections, ...limits }: ServerLimits = defaultLimits,
): Server {
  const server = createServer({ maxHeaderSize: limits.maxHeaderBytes }, listener);
  const connections = new ConnectionLimit(maxConnections);
  // Any stream can be a connection: https://nodejs.org/api/http.html#event-connection
  const [accept] = server.listeners('connection') as ((connection: SingleRequest) => void)[];
  server.removeAllListeners('connection').on('connection', (socket: Socket) => {
    connections.add(socket);
    accept?.call(server, new SingleRequest(socket, limits));
  });
  return server;
}

/**
 * One connection over the limit closes the oldest of the client address that has the most, so a client that opens many
 * closes its own.
 */
class ConnectionLimit {
  readonly #max: number;
  readonly #byAddress = new Map<string, Set<Socket>>();
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(socket: Socket): void {
    const address = socket.remoteAddress;
    // Already disconnected.
    if (address === undefined) return void socket.destroy();
    const ofAddress = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, ofAddress.add(socket));
    this.#count++;
    socket.once('close', () => this.#remove(address, socket));
    if (this.#count > this.#max) this.#closeOne();
  }

  #closeOne(): void {
    let largest: Set<Socket> | undefined;
    for (const sockets of this.#byAddress.values()) {
      if (!largest || sockets.size > largest.size) largest = sockets;
    }
    const [oldest] = largest ?? [];
    if (!oldest?.remoteAddress) return;
    this.#remove(oldest.remoteAddress, oldest);
    oldest.destroy();
  }

  #remove(address: string, socket: Socket): void {
    const ofAddress = this.#byAddress.get(address);
    if (!ofAddress?.delete(socket)) return;
    this.#count--;
    if (ofAddress.size === 0) this.#byAddress.delete(address);
  }
}
