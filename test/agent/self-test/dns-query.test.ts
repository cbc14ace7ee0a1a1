/** The DNS client of the self-test, against servers that misbehave. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type DecodedPacket, decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  QueryTimeout,
  query,
  queryOnce,
  ResponseCodeError,
  type ServerAddress,
  type Transport,
} from '../../../functions/agent/self-test/dns-query.ts';
import { freePort } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const close of cleanups.splice(0)) close();
});

/** The messages with which a server answers a query. */
type Handler = (question: DecodedPacket) => Buffer[];

const answerTo = (question: DecodedPacket, more: Partial<Packet> = {}) =>
  encode({
    type: 'response',
    id: question.id ?? 0,
    questions: question.questions ?? [],
    answers: [{ type: 'TXT', name: 'x.test', ttl: 0, data: ['right'] }],
    ...more,
  } as Packet);

async function overUDP(handler: Handler, host = '127.0.0.1'): Promise<ServerAddress> {
  const socket = createSocket(host === '::1' ? 'udp6' : 'udp4').bind(0, host);
  await once(socket, 'listening');
  socket.on('message', (message, { port, address }) => {
    for (const answer of handler(decode(message))) socket.send(answer, port, address);
  });
  cleanups.push(() => socket.close());
  return { host, port: socket.address().port };
}

/** Raw bytes: the handler adds the length prefix. */
async function overTCP(handler: Handler, host = '127.0.0.1', end = false): Promise<ServerAddress> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('data', (message) => {
      for (const answer of handler(decode(message.subarray(2)))) socket.write(answer);
      if (end) socket.end();
    });
  }).listen(0, host);
  await once(server, 'listening');
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host, port: (server.address() as AddressInfo).port };
}

const framed = (message: Buffer) => Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);
const framing =
  (handler: Handler): Handler =>
  (question) =>
    handler(question).map(framed);

const serve = (transport: Transport, handler: Handler, host?: string) =>
  transport === 'UDP' ? overUDP(handler, host) : overTCP(framing(handler), host);

const question = (server: ServerAddress, transport: Transport, timeoutMs = waitTimeoutMs) => ({
  server,
  transport,
  timeoutMs,
  name: 'x.test',
  type: 'TXT' as const,
});
const right = [expect.objectContaining({ type: 'TXT', data: [Buffer.from('right')] })];

describe.each(['UDP', 'TCP'] as const)('over %s', (transport) => {
  const expectAnswerFrom = async (host: string) => {
    const server = await serve(transport, (asked) => [answerTo(asked)], host);
    expect(await queryOnce(question(server, transport))).toEqual(right);
  };
  test('an answer from 127.0.0.1 is accepted', () => expectAnswerFrom('127.0.0.1'));
  test('an answer from ::1 is accepted', { tags: 'IPv6' }, () => expectAnswerFrom('::1'));

  const failures: [string, Handler, string][] = [
    ['a response code', (asked) => [answerTo(asked, { flags: 5, answers: [] })], 'REFUSED'],
    ['a server failure', (asked) => [answerTo(asked, { flags: 2, answers: [] })], 'SERVFAIL'],
    ['a truncated answer', (asked) => [answerTo(asked, { flags: TRUNCATED_RESPONSE })], 'the answer is truncated'],
  ];
  test.each(failures)('%s is the error', async (_, handler, message) => {
    const server = await serve(transport, handler);
    await expect(queryOnce(question(server, transport))).rejects.toThrow(new Error(message));
  });

  test('a closed port fails at once', async () => {
    const server = { host: '127.0.0.1', port: await freePort() };
    await expect(queryOnce(question(server, transport))).rejects.toThrow(new Error('connection refused'));
  });

  test('an unroutable address fails', async () => {
    // The discard prefix (RFC 6666): fails with or without an IPv6 route.
    const server = { host: '100::1', port: 53 };
    await expect(queryOnce(question(server, transport, 100))).rejects.toThrow(
      /^(no route to host|network is unreachable|no answer within 100 ms)$/,
    );
  });

  test('a query without an answer ends at its timeout', async () => {
    const server = await serve(transport, () => []);
    const failure = await queryOnce(question(server, transport, 50)).catch((error) => error);
    expect(failure).toBeInstanceOf(QueryTimeout);
    expect(failure.message).toBe('no answer within 50 ms');
  });

  test('a lost query is retried, a response code is not', async () => {
    // The timeout expires when the packet is lost, not before.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const lose = () => {
      vi.advanceTimersByTime(waitTimeoutMs);
      return [];
    };
    for (const [lost, asked] of [
      [2, 3],
      [0, 1],
    ] as const) {
      let count = 0;
      const server = await serve(transport, (q) => (count++ < lost ? lose() : [answerTo(q)]));
      expect(await query(question(server, transport))).toEqual(right);
      expect(count).toBe(asked);
    }
    let count = 0;
    const counted =
      (handler: Handler): Handler =>
      (asked) => {
        count++;
        return handler(asked);
      };
    const silent = await serve(transport, counted(lose));
    await expect(query(question(silent, transport))).rejects.toBeInstanceOf(QueryTimeout);
    expect(count).toBe(3);
    const refusing = await serve(
      transport,
      counted((asked) => [answerTo(asked, { flags: 5 })]),
    );
    await expect(query(question(refusing, transport))).rejects.toBeInstanceOf(ResponseCodeError);
    expect(count).toBe(4);
  });

  test('no socket or timer stays open after any outcome', async () => {
    const open = () =>
      process.getActiveResourcesInfo().filter((what) => ['UDPWrap', 'TCPSocketWrap', 'Timeout'].includes(what)).length;
    const closed = { host: '127.0.0.1', port: await freePort() };
    const good = await serve(transport, (asked) => [answerTo(asked)]);
    const silent = await serve(transport, () => []);
    const before = open();
    for (let round = 0; round < 20; round++) {
      await queryOnce(question(good, transport));
      await queryOnce(question(closed, transport)).catch(() => {});
      await queryOnce(question(silent, transport, 5)).catch(() => {});
      await queryOnce(question({ host: '127.0.0.1', port: 70_000 }, transport)).catch(() => {});
    }
    // The server's side of each connection closes a moment later.
    await expect.poll(open).toBeLessThanOrEqual(before);
  });
});

test('asks the server to ask others if it is to', async () => {
  const wanted: (boolean | undefined)[] = [];
  const server = await overUDP((question) => {
    wanted.push(question.flag_rd);
    return [answerTo(question)];
  });
  const question = { server, name: 'x.test', type: 'TXT', transport: 'UDP', timeoutMs: waitTimeoutMs } as const;
  await queryOnce({ ...question, isRecursive: true });
  await queryOnce(question);
  expect(wanted).toEqual([true, false]);
});

test('over UDP, messages that do not answer the question are ignored until the answer comes', async () => {
  const server = await overUDP((asked) => [
    Buffer.from('garbage'),
    Buffer.alloc(0),
    answerTo({ ...asked, id: ((asked.id ?? 0) + 1) & 0xffff }, { flags: 5 }),
    answerTo({ ...asked, questions: [{ type: 'TXT', name: 'y.test' }] }, { flags: 5 }),
    answerTo({ ...asked, questions: [{ type: 'A', name: 'x.test' }] }, { flags: 5 }),
    encode({ type: 'query', id: asked.id ?? 0, questions: asked.questions ?? [] }),
    answerTo(asked),
  ]);
  expect(await queryOnce(question(server, 'UDP'))).toEqual(right);
});

test('a message from another sender than the server is ignored', async () => {
  const stranger = createSocket('udp4').bind(0, '127.0.0.1');
  await once(stranger, 'listening');
  cleanups.push(() => stranger.close());
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  server.on('message', (message, { port, address }) => {
    const asked = decode(message);
    // The right answer is sent after the stranger's.
    stranger.send(answerTo(asked, { flags: 5 }), port, address, () => server.send(answerTo(asked), port, address));
  });
  const { port } = server.address();
  expect(await queryOnce(question({ host: '127.0.0.1', port }, 'UDP'))).toEqual(right);
});

describe('over TCP', () => {
  test('an answer in fragments is reassembled', async () => {
    const server = await overTCP((asked) => {
      const whole = framed(answerTo(asked));
      return [whole.subarray(0, 1), whole.subarray(1, 20), whole.subarray(20)];
    });
    expect(await queryOnce(question(server, 'TCP'))).toEqual(right);
  });

  test.each([
    ['the answer to another question', (asked: DecodedPacket) => [framed(answerTo({ ...asked, id: 7 }))]],
    ['garbage', () => [framed(Buffer.from('garbage'))]],
  ])('%s is rejected', async (_, handler) => {
    const server = await overTCP(handler);
    const failure = queryOnce(question(server, 'TCP'));
    await expect(failure).rejects.toThrow(new Error('the response does not match the query'));
  });

  test.each([
    ['before the answer', () => []],
    ['within the answer', () => [Buffer.of(0, 100, 1)]],
  ])('a connection that is closed %s fails with that error', async (_, handler) => {
    const server = await overTCP(handler, '127.0.0.1', true);
    await expect(queryOnce(question(server, 'TCP'))).rejects.toThrow(new Error('connection closed'));
  });
});
