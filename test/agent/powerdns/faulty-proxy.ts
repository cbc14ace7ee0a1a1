/** A proxy for the API of PowerDNS that injects failures. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** Responses without a request to PowerDNS. */
const statuses = { fail: 500, unauthorized: 401, 'not found': 404, refuse: 422 };

export type Behaviour =
  | 'pass'
  | 'hang'
  | keyof typeof statuses
  /** 200 with invalid JSON. */
  | 'garbage'
  /** 200 with an empty list; writes are passed on. */
  | 'empty'
  /** Closes the connection without a request to PowerDNS. */
  | 'drop'
  /** Closes the connection after the response of PowerDNS. */
  | 'drop the answer'
  /** Half of the response. */
  | 'cut'
  /** The response after half a second. */
  | 'late';

export class FaultyProxy {
  behaviour: Behaviour | (() => Behaviour) = 'pass';
  /** `METHOD path` of every request so far. */
  readonly requests: string[] = [];
  /** Called for each request that is passed on. */
  onPass: (line: string) => unknown = () => {};
  /** The URL of the proxy. */
  url = '';
  readonly #upstream: string;
  readonly #server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing));

  constructor(upstream: string) {
    this.#upstream = upstream;
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    this.requests.push(`${incoming.method} ${incoming.url}`);
    const behaviour = typeof this.behaviour === 'function' ? this.behaviour() : this.behaviour;
    if (behaviour === 'hang') return;
    if (behaviour === 'drop') return void outgoing.destroy();
    if (behaviour === 'garbage') return void outgoing.end('<html>');
    if (behaviour === 'empty' && incoming.method === 'GET') return void outgoing.end('[]');
    if (behaviour in statuses) {
      return void outgoing.writeHead(statuses[behaviour as keyof typeof statuses]).end();
    }
    if (behaviour === 'late') await delay(500);
    this.#pass(incoming, outgoing, behaviour);
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse, behaviour: Behaviour): void {
    const { method = 'GET', url = '/', headers } = incoming;
    const passed = request(new URL(url, this.#upstream), { method, headers }, async (response) => {
      const status = response.statusCode ?? 502;
      if (behaviour !== 'cut' && behaviour !== 'drop the answer') {
        outgoing.writeHead(status, response.headers);
        return void response.pipe(outgoing);
      }
      const body = await buffer(response).catch(() => undefined);
      if (!body || behaviour === 'drop the answer') return void outgoing.destroy();
      outgoing.writeHead(status).end(body.subarray(0, body.length / 2));
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
    incoming.once('end', () => this.onPass(`${method} ${url}`));
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this.url;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
