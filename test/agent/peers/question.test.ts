import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { decode, encode } from 'dns-packet';
import { expect, onTestFinished, test } from 'vitest';
import { isAnswering } from '../../../functions/agent/peers/question.ts';
import { freePort } from '../../powerdns/server.ts';

/** A server that answers REFUSED to the queries that `answers` selects by their number. Returns its port. */
async function start(answers: (query: number) => boolean): Promise<number> {
  const port = await freePort();
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  let queries = 0;
  socket.on('message', (message, from) => {
    const { id, questions = [] } = decode(message);
    if (!answers(queries++)) return;
    socket.send(encode({ type: 'response', id, flags: 5, questions }), from.port, from.address);
  });
  return port;
}

/** Accepts connections at a port, and says nothing. */
async function listen(port: number): Promise<void> {
  const server = createServer((socket) => void onTestFinished(() => void socket.destroy())).listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
}

const ask = (port: number, now?: () => number) => isAnswering({ host: '127.0.0.1', port }, now);
// However slow this machine is.
const stopped = () => 0;

test('any answer counts, also one that refuses', async () => {
  expect(await ask(await start(() => true), stopped)).toBe(true);
});

test('one answer of three is enough', async () => {
  expect(await ask(await start((query) => query === 2), stopped)).toBe(true);
});

test('without an answer over UDP, and over TCP at last, a server is silent', async () => {
  const port = await start(() => false);
  await listen(port);
  expect(await ask(port, stopped)).toBe(false);
});

test('a refused connection shows that the node is alive', async () => {
  expect(await ask(await start(() => false), stopped)).toBe(true);
  expect(await ask(await freePort(), stopped)).toBe(true);
});

test('nothing is known if this process was held up', async () => {
  const port = await start(() => false);
  await listen(port);
  let now = 0;
  expect(await ask(port, () => (now += 2000))).toBeUndefined();
});
