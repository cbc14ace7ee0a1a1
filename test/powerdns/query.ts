/** A DNS client for tests. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import type { Answer, DecodedPacket, OptAnswer, RecordType } from 'dns-packet';
import { AUTHENTIC_DATA, decode, encode, RECURSION_DESIRED } from 'dns-packet';

export interface Question {
  name: string;
  type?: RecordType;
  server?: string;
  port?: number;
  tcp?: boolean;
  /** The address of this machine that asks. */
  from?: string;
  /** Whether to ask if the answer was validated, which the flag `ad` then says (RFC 6840 section 5.7). */
  ad?: boolean;
  /** In milliseconds. By default as long as a resolver waits: https://man7.org/linux/man-pages/man5/resolv.conf.5.html */
  timeout?: number;
  /** How often the query is sent, each time with the timeout: UDP may lose it (RFC 1035 section 4.2.1). Default: once. */
  attempts?: number;
  /** EDNS options (RFC 6891 section 6.1.2). */
  options?: { code: number; data: Buffer }[];
}

/** A record as dns-packet decodes it: `data` is text for A, AAAA, CNAME, NS and PTR, names without a trailing dot. */
export type Resource = Exclude<Answer, OptAnswer>;

export interface Reply {
  /** Such as `NOERROR`, `NXDOMAIN`, `REFUSED`. */
  rcode: string;
  answers: Resource[];
  authority: Resource[];
  /** The set ones, by dig's names: `aa`, `tc`, `rd`, `ra`, `ad`, `cd`. */
  flags: string[];
}

/** Sends a query. Rejects after the timeout, and if the connection is refused. */
export async function query({ attempts = 1, ...question }: Question): Promise<Reply> {
  const {
    name,
    type = 'A',
    server = '127.0.0.1',
    port = 53,
    tcp = false,
    from,
    ad = false,
    timeout = 5000,
    options,
  } = question;
  const id = randomInt(1 << 16);
  const flags = RECURSION_DESIRED | (ad ? AUTHENTIC_DATA : 0);
  const additionals = options && [
    { type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options } as unknown as Answer,
  ];
  const packet = encode({ type: 'query', id, flags, questions: [{ name, type }], ...(additionals && { additionals }) });
  const deadline = new AbortController();
  const { signal } = deadline;
  // After a delay of the event loop timers run first: a pending answer is read before the timeout takes effect.
  const timer = setTimeout(() => setImmediate(() => deadline.abort()), timeout);
  try {
    // The types lack rcode: https://github.com/mafintosh/dns-packet/blob/v5.6.1/index.js#L187
    const reply = decode(await (tcp ? overTCP : overUDP)(packet, { server, port, from }, signal)) as DecodedPacket &
      Reply;
    if (reply.id !== id) throw new Error(`the answer is to question ${reply.id}, not ${id}`);
    return {
      rcode: reply.rcode,
      answers: resources(reply.answers),
      authority: resources(reply.authorities),
      flags: (['aa', 'tc', 'rd', 'ra', 'ad', 'cd'] as const).filter((flag) => reply[`flag_${flag}`]),
    };
  } catch (error) {
    if (signal.aborted && attempts > 1) return await query({ ...question, attempts: attempts - 1 });
    const cause = signal.aborted ? `no answer in ${timeout} ms` : (error as Error).message;
    throw new Error(`cannot ask ${server}:${port} for ${name} ${type}: ${cause}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

interface Route {
  server: string;
  port: number;
  from: string | undefined;
}

async function overUDP(question: Buffer, { server, port, from }: Route, signal: AbortSignal): Promise<Buffer> {
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  try {
    if (from !== undefined) await once(socket.bind(0, from), 'listening', { signal });
    // On a connected socket the kernel drops messages of others and reports a closed port.
    socket.connect(port, server);
    await once(socket, 'connect', { signal });
    socket.send(question);
    const [reply] = await once(socket, 'message', { signal });
    return reply;
  } finally {
    socket.close();
  }
}

async function overTCP(question: Buffer, { server, port, from }: Route, signal: AbortSignal): Promise<Buffer> {
  return askStream(addAbortSignal(signal, connect({ port, host: server, localAddress: from })), question);
}

/** Sends a message over a connection, and returns the answer. */
export async function askStream(socket: Socket, question: Buffer): Promise<Buffer> {
  // Messages have a length prefix: https://www.rfc-editor.org/rfc/rfc1035#section-4.2.2
  const length = Buffer.alloc(2);
  length.writeUInt16BE(question.length);
  socket.write(Buffer.concat([length, question]));
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    if (received.length > 2 && received.length >= 2 + received.readUInt16BE()) return received.subarray(2);
  }
  throw new Error('the connection was closed');
}

const resources = (answers: Answer[] = []) => answers.filter((answer) => answer.type !== 'OPT');
