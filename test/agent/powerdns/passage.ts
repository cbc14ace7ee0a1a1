/** A proxy in front of PowerDNS's API that a test can make fail. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Behaviour = 'pass' | 'fail' | 'hang';

export class Passage {
  behaviour: Behaviour = 'pass';
  /** `METHOD path` of every request so far. */
  readonly requests: string[] = [];
  /** Told of a request that is about to be passed on. */
  onPass: (line: string) => unknown = () => {};
  /** Where it listens. */
  url = '';
  readonly #server;

  constructor(upstream: string) {
    this.#server = createServer((incoming, outgoing) => {
      const line = `${incoming.method} ${incoming.url}`;
      this.requests.push(line);
      if (this.behaviour === 'hang') return;
      if (this.behaviour === 'fail') return void outgoing.writeHead(500).end();
      const { method, headers } = incoming;
      const passed = request(
        new URL(incoming.url ?? '/', upstream),
        { method: method ?? 'GET', headers },
        (response) => {
          outgoing.writeHead(response.statusCode ?? 502, response.headers);
          response.pipe(outgoing);
        },
      );
      passed.on('error', () => outgoing.destroy());
      incoming.pipe(passed);
      incoming.once('end', () => this.onPass(line));
    });
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
