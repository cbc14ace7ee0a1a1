/** What untrusted clients can do to a server, over sockets. */
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  connectionClose,
  createLimitedServer,
  defaultLimits,
  type ServerLimits,
} from '../../../functions/agent/http/limited-server.ts';
import { polling } from '../../timeouts.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function listening(answer: RequestListener, changes: Partial<ServerLimits> = {}): Promise<number> {
  const server = createLimitedServer(answer, { ...defaultLimits, ...changes }).listen(0, '127.0.0.1');
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function open(port: number, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {});
  cleanups.push(() => socket.destroy());
  return socket;
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += chunk;
  return text;
}

const request = (path = '/') => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const ok: RequestListener = (_, response) => response.writeHead(200, connectionClose).end('ok');

describe('one connection', () => {
  test.each<[what: string, bytes: string]>([
    ['one request', request()],
    ['pipelined requests', request('/first') + request('/second').repeat(5_000)],
    ['a body', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`],
    ['an unfinished chunked body', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['an upgrade', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nxxx'],
  ])('%s: one request is served, and the connection is closed', async (_, bytes) => {
    const asked: string[] = [];
    const port = await listening((question, response) => {
      asked.push(question.url!);
      ok(question, response as ServerResponse<IncomingMessage> & { req: IncomingMessage });
    });
    const socket = open(port);
    socket.write(bytes);
    const text = await textOf(socket);
    expect(text.match(/HTTP\/1.1 200 OK\r\nConnection: close\r\n/g)).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  test('headers may come a byte at a time', async () => {
    const socket = open(await listening(ok)).setNoDelay(true);
    for (const byte of request()) {
      socket.write(byte);
      await new Promise(setImmediate);
    }
    expect(await textOf(socket)).toContain('200 OK');
  });

  test('a client that half-closes gets its response', async () => {
    const socket = open(await listening((q, r) => setTimeout(() => ok(q, r as never), 50)));
    socket.end(request());
    expect(await textOf(socket)).toContain('200 OK');
  });

  test.each<[what: string, bytes: string, status: string]>([
    [
      'a header that is too long',
      `GET /${'x'.repeat(defaultLimits.maxHeaderBytes)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      '431',
    ],
    ['headers without an end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`, '431'],
    ['TLS instead of HTTP', '\x16\x03\x01\x00\xa5\x01\x00', '400'],
    ['two Host headers', 'GET / HTTP/1.1\r\nHost: a\nHost: b\n\n', '400'],
  ])('%s is refused', async (_, bytes, status) => {
    const socket = open(await listening(() => expect.unreachable()));
    socket.write(bytes);
    expect(await textOf(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test.each<[what: string, changes: Partial<ServerLimits>, bytes: string]>([
    ['a client that sends nothing', { headerTimeoutMs: 50 }, ''],
    ['slow headers', { headerTimeoutMs: 50 }, 'GET / HTTP/1.1\r\n'],
    ['an idle connection', { idleTimeoutMs: 50 }, ''],
    ['a slow response', { responseTimeoutMs: 50 }, request()],
  ])('%s: the connection is closed', async (_, changes, bytes) => {
    const socket = open(await listening(() => {}, changes));
    socket.write(bytes);
    expect(await textOf(socket)).toBe('');
  });

  test('for a client that does not read, buffers stay small and the connection is closed', async () => {
    const port = await listening(
      (_, response) => {
        const more = () => {
          while (response.write(Buffer.alloc(65_536)));
          response.once('drain', more);
          held.push(response.writableLength + response.socket!.writableLength);
        };
        response.once('close', () => held.push(-1));
        more();
      },
      { idleTimeoutMs: 200 },
    );
    const held: number[] = [];
    open(port).pause().write(request());
    await vi.waitFor(() => expect(held.at(-1)).toBe(-1), polling);
    expect(Math.max(...held)).toBeLessThan(200_000);
  });
});

describe('all connections', () => {
  test('one over the limit closes the oldest of the client with the most', async () => {
    const maxConnections = 8;
    const port = await listening(ok, { maxConnections });
    const own = open(port, '127.0.0.2');
    await once(own, 'connect');
    const strangers = Array.from({ length: 40 }, () => open(port));
    const closed = strangers.map((socket) => once(socket.resume(), 'close'));
    await Promise.all(closed.slice(0, strangers.length - maxConnections + 1));
    own.write(request());
    expect(await textOf(own)).toContain('200 OK');
  });

  test('among clients with equally many, the oldest connection is closed, so that every client is served', async () => {
    const port = await listening(ok, { maxConnections: 4 });
    const idle = Array.from({ length: 4 }, (_, index) => open(port, `127.0.0.${10 + index}`));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    for (let i = 0; i < 10; i++) {
      const socket = open(port, `127.0.0.${20 + i}`);
      socket.write(request());
      expect(await textOf(socket)).toContain('200 OK');
    }
  });

  test('a closed connection no longer counts', async () => {
    const port = await listening(ok, { maxConnections: 2 });
    const own = open(port, '127.0.0.2');
    await once(own, 'connect');
    for (let i = 0; i < 20; i++) {
      const socket = open(port);
      socket.write(request());
      expect(await textOf(socket)).toContain('200 OK');
      socket.destroy();
      await once(socket, 'close').catch(() => {});
    }
    own.write(request());
    expect(await textOf(own)).toContain('200 OK');
  });
});
