import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** The timeouts are those against slow clients (Slowloris). */
export interface RequestLimits {
  /** Until the headers of the request are complete. */
  headerTimeoutMs: number;
  /** Without a byte in either direction. */
  idleTimeoutMs: number;
  /** From the headers of the request to the end of the response. */
  responseTimeoutMs: number;
  /** For the client to read the end of the response and close. */
  lingerTimeoutMs: number;
  maxHeaderBytes: number;
}

const headerEnd = '\r\n\r\n';

/**
 * A connection as Node's HTTP server sees it: the headers of its first request, and nothing after. On a plain socket Node
 * creates objects for all pipelined requests in 64 KiB before the first listener runs: 2,600 requests, 5 MiB a connection.
 */
export class SingleRequest extends Duplex {
  readonly #socket: Socket;
  readonly #limits: RequestLimits;
  #deadline: NodeJS.Timeout | undefined;
  #hasHeader = false;
  #tail = '';
  #bytes = 0;

  constructor(socket: Socket, limits: RequestLimits) {
    super();
    this.#socket = socket;
    this.#limits = limits;
    this.#deadline = this.#destroyAfter(limits.headerTimeoutMs);
    socket
      .setTimeout(limits.idleTimeoutMs, () => socket.destroy())
      .on('data', (chunk: Buffer) => this.#receive(chunk))
      // A client may half-close and wait for the response.
      .on('end', () => this.#hasHeader || socket.destroy())
      .on('error', () => socket.destroy())
      .on('close', () => {
        clearTimeout(this.#deadline);
        this.destroy();
      });
  }

  // Chunks are pushed at once: in total they are less than a stream buffers.
  override _read(): void {}

  /** Done when the kernel has the chunk, so that nothing more is rendered for a client that does not read. */
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

  #receive(chunk: Buffer): void {
    const { maxHeaderBytes } = this.#limits;
    const received = this.#bytes;
    this.#bytes += chunk.length;
    // What follows the request is read and dropped so that the client gets its response: closing with unread bytes would
    // reset the connection. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
    if (this.#bytes > 16 * maxHeaderBytes) this.#socket.pause();
    // Twice the limit, because Node counts only characters of names and values: it, not this, responds with 431.
    const remaining = Math.max(0, 2 * maxHeaderBytes - received);
    if (this.#hasHeader || remaining === 0) return;
    const end = `${this.#tail}${chunk.toString('latin1', 0, remaining)}`.indexOf(headerEnd);
    const header = chunk.subarray(0, end < 0 ? remaining : end + headerEnd.length - this.#tail.length);
    this.#hasHeader = end >= 0;
    this.#tail = `${this.#tail}${header.toString('latin1')}`.slice(1 - headerEnd.length);
    if (this.#hasHeader) this.#deadline = this.#destroyAfter(this.#limits.responseTimeoutMs);
    this.push(header);
  }

  #linger(): void {
    if (this.#socket.writableEnded || this.#socket.destroyed) return;
    this.#socket.end();
    this.#deadline = this.#destroyAfter(this.#limits.lingerTimeoutMs);
  }

  #destroyAfter(ms: number): NodeJS.Timeout {
    clearTimeout(this.#deadline);
    return setTimeout(() => this.#socket.destroy(), ms).unref();
  }
}
