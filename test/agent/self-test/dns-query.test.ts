/** The DNS client of the agent's own test, against servers that answer oddly. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type DecodedPacket, decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  ask,
  query,
  ResponseCode,
  type Server,
  Silence,
  type Transport,
} from '../../../functions/agent/self-test/dns-query.ts';
import { patience } from '../../patience.ts';
import { freePort } from '../../powerdns/server.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const close of closing.splice(0)) close();
});

/** What a server says to a question: messages, one after the other. */
type Says = (question: DecodedPacket) => Buffer[];

const answerTo = (question: DecodedPacket, more: Partial<Packet> = {}) =>
  encode({
    type: 'response',
    id: question.id ?? 0,
    questions: question.questions ?? [],
    answers: [{ type: 'TXT', name: 'x.test', ttl: 0, data: ['right'] }],
    ...more,
  } as Packet);

async function overUDP(says: Says, host = '127.0.0.1'): Promise<Server> {
  const socket = createSocket(host === '::1' ? 'udp6' : 'udp4').bind(0, host);
  await once(socket, 'listening');
  socket.on('message', (message, { port, address }) => {
    for (const answer of says(decode(message))) socket.send(answer, port, address);
  });
  closing.push(() => socket.close());
  return { host, port: socket.address().port };
}

/** Octets as they are: the length in front is the server's to say. */
async function overTCP(says: Says, host = '127.0.0.1', end = false): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('data', (message) => {
      for (const answer of says(decode(message.subarray(2)))) socket.write(answer);
      if (end) socket.end();
    });
  }).listen(0, host);
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host, port: (server.address() as AddressInfo).port };
}

const framed = (message: Buffer) => Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);
const framing =
  (says: Says): Says =>
  (question) =>
    says(question).map(framed);

const serve = (transport: Transport, says: Says, host?: string) =>
  transport === 'UDP' ? overUDP(says, host) : overTCP(framing(says), host);

const question = (server: Server, transport: Transport, timeoutMs = patience) => ({
  server,
  transport,
  timeoutMs,
  name: 'x.test',
  type: 'TXT' as const,
});
const right = [expect.objectContaining({ type: 'TXT', data: [Buffer.from('right')] })];

describe.each(['UDP', 'TCP'] as const)('over %s', (transport) => {
  const takesAnswerOf = async (host: string) => {
    const server = await serve(transport, (asked) => [answerTo(asked)], host);
    expect(await query(question(server, transport))).toEqual(right);
  };
  test('an answer from 127.0.0.1 is taken', () => takesAnswerOf('127.0.0.1'));
  test('an answer from ::1 is taken', { tags: 'IPv6' }, () => takesAnswerOf('::1'));

  const odd: [string, Says, string][] = [
    ['a code', (asked) => [answerTo(asked, { flags: 5, answers: [] })], 'REFUSED'],
    ['a code of the server’s own trouble', (asked) => [answerTo(asked, { flags: 2, answers: [] })], 'SERVFAIL'],
    ['a truncated answer', (asked) => [answerTo(asked, { flags: TRUNCATED_RESPONSE })], 'the answer is truncated'],
  ];
  test.each(odd)('%s is said as it is', async (_, says, message) => {
    const server = await serve(transport, says);
    await expect(query(question(server, transport))).rejects.toThrow(new Error(message));
  });

  test('a port where nobody listens is said at once', async () => {
    const server = { host: '127.0.0.1', port: await freePort() };
    await expect(query(question(server, transport))).rejects.toThrow(new Error('nobody listens there'));
  });

  test('an address that there is no way to is said', async () => {
    // Nobody is there, whether or not this machine has a way to look (RFC 6666).
    const server = { host: '100::1', port: 53 };
    await expect(query(question(server, transport, 100))).rejects.toThrow(
      /^(there is no way to it|no answer within 100 ms)$/,
    );
  });

  test('silence ends at the time given', async () => {
    const server = await serve(transport, () => []);
    const failure = await query(question(server, transport, 50)).catch((error) => error);
    expect(failure).toBeInstanceOf(Silence);
    expect(failure.message).toBe('no answer within 50 ms');
  });

  test('what is lost is asked again, and a code is not', async () => {
    // The time of a question passes when it is lost, and not before.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const lose = () => {
      vi.advanceTimersByTime(patience);
      return [];
    };
    for (const [lost, asked] of [
      [2, 3],
      [0, 1],
    ] as const) {
      let count = 0;
      const server = await serve(transport, (q) => (count++ < lost ? lose() : [answerTo(q)]));
      expect(await ask(question(server, transport))).toEqual(right);
      expect(count).toBe(asked);
    }
    let count = 0;
    const counted =
      (says: Says): Says =>
      (asked) => {
        count++;
        return says(asked);
      };
    const silent = await serve(transport, counted(lose));
    await expect(ask(question(silent, transport))).rejects.toBeInstanceOf(Silence);
    expect(count).toBe(3);
    const refusing = await serve(
      transport,
      counted((asked) => [answerTo(asked, { flags: 5 })]),
    );
    await expect(ask(question(refusing, transport))).rejects.toBeInstanceOf(ResponseCode);
    expect(count).toBe(4);
  });

  test('nothing stays open, whatever came', async () => {
    const open = () =>
      process.getActiveResourcesInfo().filter((what) => ['UDPWrap', 'TCPSocketWrap', 'Timeout'].includes(what)).length;
    const closed = { host: '127.0.0.1', port: await freePort() };
    const good = await serve(transport, (asked) => [answerTo(asked)]);
    const silent = await serve(transport, () => []);
    const before = open();
    for (let round = 0; round < 20; round++) {
      await query(question(good, transport));
      await query(question(closed, transport)).catch(() => {});
      await query(question(silent, transport, 5)).catch(() => {});
      await query(question({ host: '127.0.0.1', port: 70_000 }, transport)).catch(() => {});
    }
    // The server's ends of the connections close when they hear of it.
    await expect.poll(open).toBeLessThanOrEqual(before);
  });
});

test('what does not answer the question is passed over, over UDP: the answer may follow', async () => {
  const server = await overUDP((asked) => [
    Buffer.from('garbage'),
    Buffer.alloc(0),
    answerTo({ ...asked, id: ((asked.id ?? 0) + 1) & 0xffff }, { flags: 5 }),
    answerTo({ ...asked, questions: [{ type: 'TXT', name: 'y.test' }] }, { flags: 5 }),
    answerTo({ ...asked, questions: [{ type: 'A', name: 'x.test' }] }, { flags: 5 }),
    encode({ type: 'query', id: asked.id ?? 0, questions: asked.questions ?? [] }),
    answerTo(asked),
  ]);
  expect(await query(question(server, 'UDP'))).toEqual(right);
});

test('what another one than the server sends is not taken', async () => {
  const stranger = createSocket('udp4').bind(0, '127.0.0.1');
  await once(stranger, 'listening');
  closing.push(() => stranger.close());
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  server.on('message', (message, { port, address }) => {
    const asked = decode(message);
    // The right answer comes when the stranger's is on its way.
    stranger.send(answerTo(asked, { flags: 5 }), port, address, () => server.send(answerTo(asked), port, address));
  });
  const { port } = server.address();
  expect(await query(question({ host: '127.0.0.1', port }, 'UDP'))).toEqual(right);
});

describe('over TCP', () => {
  test('an answer in pieces is put together', async () => {
    const server = await overTCP((asked) => {
      const whole = framed(answerTo(asked));
      return [whole.subarray(0, 1), whole.subarray(1, 20), whole.subarray(20)];
    });
    expect(await query(question(server, 'TCP'))).toEqual(right);
  });

  test.each([
    ['the answer to another question', (asked: DecodedPacket) => [framed(answerTo({ ...asked, id: 7 }))]],
    ['garbage', () => [framed(Buffer.from('garbage'))]],
  ])('%s is said to be none', async (_, says) => {
    const server = await overTCP(says);
    const failure = query(question(server, 'TCP'));
    await expect(failure).rejects.toThrow(new Error('not an answer to the question'));
  });

  test.each([
    ['before the answer', () => []],
    ['within it', () => [Buffer.of(0, 100, 1)]],
  ])('a connection that is closed %s is said to be', async (_, says) => {
    const server = await overTCP(says, '127.0.0.1', true);
    await expect(query(question(server, 'TCP'))).rejects.toThrow(new Error('the connection was closed'));
  });
});
