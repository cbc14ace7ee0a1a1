/** A UDP and TCP proxy to DNS servers that tests can break. */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, isIPv6, type Socket } from 'node:net';
import type { ServerAddress } from '../../../functions/agent/self-test/dns-query.ts';
import { freePort } from '../../powerdns/server.ts';

export class Relay {
  /** The address that it listens at. */
  server: ServerAddress = { host: '', port: 0 };
  /** Ports on 127.0.0.1, used round-robin. */
  targets: number[];
  /** UDP queries received so far. */
  datagrams = 0;
  /** How many of the next UDP queries to drop. */
  toLose = 0;
  /** Called for each query that `toLose` drops. */
  onLoss: () => void = () => {};
  /** `failing`: every answer becomes a SERVFAIL. */
  udp: 'open' | 'blocked' | 'failing' = 'open';
  tcp: 'open' | 'blocked' = 'open';
  readonly #sockets = new Set<Socket>();
  readonly #close: (() => void)[] = [];

  constructor(...targets: number[]) {
    this.targets = targets;
  }

  async listen(host = '127.0.0.1', at?: number): Promise<ServerAddress> {
    const port = at ?? (await freePort());
    const tcp = createServer((client) => this.#onConnection(client)).listen(port, host);
    await once(tcp, 'listening');
    const udp = createSocket(isIPv6(host) ? 'udp6' : 'udp4').bind((tcp.address() as AddressInfo).port, host);
    await once(udp, 'listening');
    udp.on('message', (question, { address, port }) => this.#onQuery(udp, question, { host: address, port }));
    this.#close.push(
      () => tcp.close(),
      () => udp.close(),
    );
    this.server = { host, port };
    return this.server;
  }

  close(): void {
    for (const close of this.#close.splice(0)) close();
    for (const socket of this.#sockets) socket.destroy();
  }

  get #target(): number {
    const [next = 0, ...others] = this.targets;
    this.targets = [...others, next];
    return next;
  }

  #onQuery(udp: Datagrams, question: Buffer, client: ServerAddress): void {
    this.datagrams++;
    if (this.udp === 'blocked') return;
    if (this.toLose > 0) {
      this.toLose--;
      this.onLoss();
      return;
    }
    const passed = createSocket('udp4');
    passed.on('error', () => passed.close());
    passed.once('message', (answer) => {
      // RCODE: the last four bits of the flags (RFC 1035 section 4.1.1).
      if (this.udp === 'failing') answer.writeUInt8((answer.readUInt8(3) & 0xf0) | 2, 3);
      udp.send(answer, client.port, client.host);
      passed.close();
    });
    passed.send(question, this.#target, '127.0.0.1');
    this.#close.push(() => {
      try {
        passed.close();
      } catch {
        // Already closed after its answer.
      }
    });
  }

  #onConnection(client: Socket): void {
    this.#track(client);
    if (this.tcp === 'blocked') return;
    const passed = connect(this.#target, '127.0.0.1');
    this.#track(passed);
    client.pipe(passed).pipe(client);
    client.once('close', () => passed.destroy());
    passed.once('close', () => client.destroy());
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket));
  }
}
