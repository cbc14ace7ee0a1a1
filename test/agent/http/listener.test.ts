/** What strangers can take of a server, over sockets. */
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Limits, lastAnswer, limits, listener } from '../../../functions/agent/http/listener.ts';
import { soon } from '../../patience.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function listening(answer: RequestListener, changes: Partial<Limits> = {}): Promise<number> {
  const server = listener(answer, { ...limits, ...changes }).listen(0, '127.0.0.1');
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function open(port: number, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {});
  stops.push(() => socket.destroy());
  return socket;
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += chunk;
  return text;
}

const request = (path = '/') => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const ok: RequestListener = (_, response) => response.writeHead(200, lastAnswer).end('ok');

describe('of a connection', () => {
  test.each<[what: string, bytes: string]>([
    ['one request', request()],
    ['more requests than one', request('/first') + request('/second').repeat(5_000)],
    ['more than a head', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`],
    ['a request that waits to be told to go on', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a request to change the protocol', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nxxx'],
  ])('%s: one is answered, and it ends', async (_, bytes) => {
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

  test('a head that comes a byte at a time is one', async () => {
    const socket = open(await listening(ok)).setNoDelay(true);
    for (const byte of request()) {
      socket.write(byte);
      await new Promise(setImmediate);
    }
    expect(await textOf(socket)).toContain('200 OK');
  });

  test('whoever has ended his side is answered', async () => {
    const socket = open(await listening((q, r) => setTimeout(() => ok(q, r as never), 50)));
    socket.end(request());
    expect(await textOf(socket)).toContain('200 OK');
  });

  test.each<[what: string, bytes: string, status: string]>([
    ['a head that is too long', `GET /${'x'.repeat(limits.headBytes)} HTTP/1.1\r\nHost: a\r\n\r\n`, '431'],
    ['a head without an end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`, '431'],
    ['no HTTP', '\x16\x03\x01\x00\xa5\x01\x00', '400'],
    ['two names for one host', 'GET / HTTP/1.1\r\nHost: a\nHost: b\n\n', '400'],
  ])('%s is refused', async (_, bytes, status) => {
    const socket = open(await listening(() => expect.unreachable()));
    socket.write(bytes);
    expect(await textOf(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test.each<[what: string, changes: Partial<Limits>, bytes: string]>([
    ['who never asks', { headMs: 50 }, ''],
    ['who asks slowly', { headMs: 50 }, 'GET / HTTP/1.1\r\n'],
    ['who says nothing', { idleMs: 50 }, ''],
    ['whose answer takes too long', { answerMs: 50 }, request()],
  ])('%s is not waited for', async (_, changes, bytes) => {
    const socket = open(await listening(() => {}, changes));
    socket.write(bytes);
    expect(await textOf(socket)).toBe('');
  });

  test('whoever does not read makes nothing grow, and is not waited for', async () => {
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
      { idleMs: 200 },
    );
    const held: number[] = [];
    open(port).pause().write(request());
    await vi.waitFor(() => expect(held.at(-1)).toBe(-1), soon);
    expect(Math.max(...held)).toBeLessThan(200_000);
  });
});

describe('of all connections', () => {
  test('there are only so many, and whoever has the most loses them', async () => {
    const connections = 8;
    const port = await listening(ok, { connections });
    const own = open(port, '127.0.0.2');
    await once(own, 'connect');
    const strangers = Array.from({ length: 40 }, () => open(port));
    const closed = strangers.map((socket) => once(socket.resume(), 'close'));
    await Promise.all(closed.slice(0, strangers.length - connections + 1));
    own.write(request());
    expect(await textOf(own)).toContain('200 OK');
  });

  test('of those who have as many the oldest goes, so that everybody has his turn', async () => {
    const port = await listening(ok, { connections: 4 });
    const idle = Array.from({ length: 4 }, (_, index) => open(port, `127.0.0.${10 + index}`));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    for (let i = 0; i < 10; i++) {
      const socket = open(port, `127.0.0.${20 + i}`);
      socket.write(request());
      expect(await textOf(socket)).toContain('200 OK');
    }
  });

  test('one that has ended leaves its place to another', async () => {
    const port = await listening(ok, { connections: 2 });
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
