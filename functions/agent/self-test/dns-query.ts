import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6, Socket } from 'node:net';
import { type Answer, type DecodedPacket, decode, encode, type OptAnswer, type RecordType } from 'dns-packet';
import { messageOf } from '../lib/error-message.ts';

export const transports = ['UDP', 'TCP'] as const;
export type Transport = (typeof transports)[number];

export interface Server {
  /** An IPv4 or IPv6 address. */
  host: string;
  port: number;
}

export interface Question {
  server: Server;
  name: string;
  type: RecordType;
  transport: Transport;
  timeoutMs: number;
}

/** A record as dns-packet decodes it. */
export type Resource = Exclude<Answer, OptAnswer>;

/** Nothing came in time. */
export class Silence extends Error {}

/** The server answered, and not with records: the message is the code, such as `REFUSED`. */
export class ResponseCode extends Error {}

/** How often a question is asked: a packet may be lost, and the next one may go to another replica. */
const tries = 3;

/** Asks as a resolver does, a few times. Throws what `query` does the last time. */
export async function ask(question: Question): Promise<Resource[]> {
  for (let left = tries - 1; ; left--) {
    try {
      return await query(question);
    } catch (error) {
      if (left === 0 || error instanceof ResponseCode) throw error;
    }
  }
}

/** Asks once. Throws a `Silence`, a `ResponseCode`, or what else became of the question, in words. */
export async function query({ server, name, type, transport, timeoutMs }: Question): Promise<Resource[]> {
  const asked: Asked = { id: randomInt(1 << 16), name, type };
  const message = encode({ type: 'query', id: asked.id, questions: [{ name, type }] });
  const exchange = transport === 'UDP' ? overUDP : overTCP;
  const reply = await exchange(server, message, asked, timeoutMs).catch(inWords);
  if (reply.rcode !== 'NOERROR') throw new ResponseCode(reply.rcode);
  if (reply.flag_tc) throw new Error('the answer is truncated');
  return (reply.answers ?? []).filter((answer) => answer.type !== 'OPT');
}

interface Asked {
  id: number;
  name: string;
  type: RecordType;
}

// The types lack rcode: https://github.com/mafintosh/dns-packet/blob/v5.6.1/index.js#L187
type Reply = DecodedPacket & { rcode: string };

function overUDP({ host, port }: Server, message: Buffer, asked: Asked, timeoutMs: number): Promise<Reply> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  return within<Reply>(timeoutMs, (resolve, reject) => {
    socket.on('error', reject);
    // What answers another question may be late, or somebody's guess (RFC 5452 section 9.1): the right one may follow.
    socket.on('message', (received) => {
      const reply = replyTo(asked, received);
      if (reply) resolve(reply);
    });
    socket.once('connect', () => socket.send(message));
    // Connected, the kernel drops what others send and reports a closed port.
    socket.connect(port, host);
  }).finally(() => socket.close());
}

function overTCP({ host, port }: Server, message: Buffer, asked: Asked, timeoutMs: number): Promise<Reply> {
  const socket = new Socket();
  return within<Reply>(timeoutMs, (resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return;
      const reply = replyTo(asked, received.subarray(2));
      if (reply) resolve(reply);
      else reject(new Error('not an answer to the question'));
    });
    // Both ways the length comes first (RFC 1035 section 4.2.2).
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.connect(port, host).write(Buffer.concat([length, message]));
  }).finally(() => socket.destroy());
}

type Settle<T> = (resolve: (value: T) => void, reject: (error: Error) => void) => void;

function within<T>(timeoutMs: number, start: Settle<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  return new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => reject(new Silence(`no answer within ${timeoutMs} ms`)), timeoutMs);
    start(resolve, reject);
  }).finally(() => clearTimeout(timer));
}

/** Undefined for what does not answer the question. */
function replyTo({ id, name, type }: Asked, message: Buffer): Reply | undefined {
  const reply = decoded(message);
  if (reply?.type !== 'response' || reply.id !== id) return undefined;
  const [question] = reply.questions ?? [];
  return question?.name.toLowerCase() === name.toLowerCase() && question.type === type ? reply : undefined;
}

function decoded(message: Buffer): Reply | undefined {
  try {
    return decode(message) as Reply;
  } catch {
    return undefined;
  }
}

const words: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was closed',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
};

function inWords(error: Error): never {
  const known = words[(error as NodeJS.ErrnoException).code ?? ''];
  if (error instanceof Silence || !known) throw error;
  throw new Error(known, { cause: messageOf(error) });
}
