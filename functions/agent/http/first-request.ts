import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Milliseconds and bytes that a connection gets. */
export interface Allowance {
  /** Until the head of its request is there. */
  headMs: number;
  /** Without a byte in either direction. */
  idleMs: number;
  /** From the request to the end of the answer. */
  answerMs: number;
  /** For the client to read the end and close. */
  lingerMs: number;
  /** The head of a request. */
  headBytes: number;
}

const headEnd = '\r\n\r\n';

/**
 * What an HTTP server sees of a connection: the head of its first request, and nothing after. Of a connection itself Node
 * makes objects for everything that is in 64 KiB before anybody is asked, 2,600 requests: 5 MiB of each connection.
 */
export class FirstRequest extends Duplex {
  readonly #socket: Socket;
  readonly #allowance: Allowance;
  #deadline: NodeJS.Timeout | undefined;
  #isWhole = false;
  #tail = '';
  #bytes = 0;

  constructor(socket: Socket, allowance: Allowance) {
    super();
    this.#socket = socket;
    this.#allowance = allowance;
    this.#deadline = this.#within(allowance.headMs);
    socket
      .setTimeout(allowance.idleMs, () => socket.destroy())
      .on('data', (chunk: Buffer) => this.#take(chunk))
      // A client may end its side and wait for the answer.
      .on('end', () => this.#isWhole || socket.destroy())
      .on('error', () => socket.destroy())
      .on('close', () => {
        clearTimeout(this.#deadline);
        this.destroy();
      });
  }

  // What comes is handed on at once: it is less than a buffer of a stream holds.
  override _read(): void {}

  /** Done when the kernel has it all: of a client that does not read, no more is asked for. */
  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#linger();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#linger();
    done(error);
  }

  #take(chunk: Buffer): void {
    const { headBytes } = this.#allowance;
    const before = this.#bytes;
    this.#bytes += chunk.length;
    // What follows the request is read only so that the client gets its answer: closed over unread bytes, the connection
    // would be reset. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
    if (this.#bytes > 16 * headBytes) this.#socket.pause();
    // What is not a character of a name or value does not count for Node: it is to refuse a head that is too long.
    const room = Math.max(0, 2 * headBytes - before);
    if (this.#isWhole || room === 0) return;
    const end = `${this.#tail}${chunk.toString('latin1', 0, room)}`.indexOf(headEnd);
    const head = chunk.subarray(0, end < 0 ? room : end + headEnd.length - this.#tail.length);
    this.#isWhole = end >= 0;
    this.#tail = `${this.#tail}${head.toString('latin1')}`.slice(1 - headEnd.length);
    if (this.#isWhole) this.#deadline = this.#within(this.#allowance.answerMs);
    this.push(head);
  }

  #linger(): void {
    if (this.#socket.writableEnded || this.#socket.destroyed) return;
    this.#socket.end();
    this.#deadline = this.#within(this.#allowance.lingerMs);
  }

  #within(ms: number): NodeJS.Timeout {
    clearTimeout(this.#deadline);
    return setTimeout(() => this.#socket.destroy(), ms).unref();
  }
}
