import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6, Socket } from 'node:net';
import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  RECURSION_DESIRED,
  type RecordType,
} from 'dns-packet';
import { messageOf } from '../lib/error-message.ts';

export const transports = ['UDP', 'TCP'] as const;
export type Transport = (typeof transports)[number];

export interface ServerAddress {
  /** An IPv4 or IPv6 address. */
  host: string;
  port: number;
}

export interface Query {
  server: ServerAddress;
  name: string;
  type: RecordType;
  transport: Transport;
  /** Of one attempt. */
  timeoutMs: number;
  /** Whether the server is to ask others (RFC 1035 section 4.1.1). */
  isRecursive?: boolean;
}

/** A record as dns-packet decodes it. */
export type AnswerRecord = Exclude<Answer, OptAnswer>;

export class QueryTimeout extends Error {}

/** The server answered with a code other than NOERROR. The message is that code, such as `REFUSED`. */
export class ResponseCodeError extends Error {}

/** A packet may be lost, and the next one may reach another replica. */
const attempts = 3;

/** Queries as a resolver does, with retries. Throws the error of the last attempt; a response code is not retried. */
export async function query(options: Query): Promise<AnswerRecord[]> {
  for (let left = attempts - 1; ; left--) {
    try {
      return await queryOnce(options);
    } catch (error) {
      if (left === 0 || error instanceof ResponseCodeError) throw error;
    }
  }
}

/** Throws a `QueryTimeout`, a `ResponseCodeError`, or a readable network error. */
export async function queryOnce({
  server,
  name,
  type,
  transport,
  timeoutMs,
  isRecursive = false,
}: Query): Promise<AnswerRecord[]> {
  const question: Question = { id: randomInt(1 << 16), name, type };
  const flags = isRecursive ? RECURSION_DESIRED : 0;
  const message = encode({ type: 'query', id: question.id, flags, questions: [{ name, type }] });
  const exchange = transport === 'UDP' ? exchangeOverUDP : exchangeOverTCP;
  const response = await exchange(server, message, question, timeoutMs).catch(throwReadable);
  if (response.rcode !== 'NOERROR') throw new ResponseCodeError(response.rcode);
  if (response.flag_tc) throw new Error('the answer is truncated');
  return (response.answers ?? []).filter((answer) => answer.type !== 'OPT');
}

interface Question {
  id: number;
  name: string;
  type: RecordType;
}

// The types lack rcode: https://github.com/mafintosh/dns-packet/blob/v5.6.1/index.js#L187
type Response = DecodedPacket & { rcode: string };

function exchangeOverUDP(
  { host, port }: ServerAddress,
  message: Buffer,
  question: Question,
  timeoutMs: number,
): Promise<Response> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  return withTimeout<Response>(timeoutMs, (resolve, reject) => {
    socket.on('error', reject);
    // A message that does not match may be late or spoofed (RFC 5452 section 9.1): the right one may follow.
    socket.on('message', (received) => {
      const response = responseTo(question, received);
      if (response) resolve(response);
    });
    socket.once('connect', () => socket.send(message));
    // On a connected socket the kernel drops packets of other senders and reports a closed port.
    socket.connect(port, host);
  }).finally(() => socket.close());
}

function exchangeOverTCP(
  { host, port }: ServerAddress,
  message: Buffer,
  question: Question,
  timeoutMs: number,
): Promise<Response> {
  const socket = new Socket();
  return withTimeout<Response>(timeoutMs, (resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('connection closed')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return;
      const response = responseTo(question, received.subarray(2));
      if (response) resolve(response);
      else reject(new Error('the response does not match the query'));
    });
    // Messages have a length prefix in both directions (RFC 1035 section 4.2.2).
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.connect(port, host).write(Buffer.concat([length, message]));
  }).finally(() => socket.destroy());
}

type Executor<T> = (resolve: (value: T) => void, reject: (error: Error) => void) => void;

function withTimeout<T>(timeoutMs: number, executor: Executor<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  return new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => reject(new QueryTimeout(`no answer within ${timeoutMs} ms`)), timeoutMs);
    executor(resolve, reject);
  }).finally(() => clearTimeout(timer));
}

/** Undefined for a message that does not answer the question. */
function responseTo({ id, name, type }: Question, message: Buffer): Response | undefined {
  const response = decoded(message);
  if (response?.type !== 'response' || response.id !== id) return undefined;
  const [question] = response.questions ?? [];
  return question?.name.toLowerCase() === name.toLowerCase() && question.type === type ? response : undefined;
}

function decoded(message: Buffer): Response | undefined {
  try {
    return decode(message) as Response;
  } catch {
    return undefined;
  }
}

const networkErrors: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
};

function throwReadable(error: Error): never {
  const known = networkErrors[(error as NodeJS.ErrnoException).code ?? ''];
  if (error instanceof QueryTimeout || !known) throw error;
  throw new Error(known, { cause: messageOf(error) });
}
