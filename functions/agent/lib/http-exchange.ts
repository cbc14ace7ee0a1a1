import type { ClientRequest, IncomingMessage } from 'node:http';

/** Sends a request and resolves to its response, whose body is still to be read. The signal ends both. */
export function exchange(
  outgoing: ClientRequest,
  content: Buffer | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  let response: IncomingMessage | undefined;
  const abort = () => (response ?? outgoing).destroy(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  outgoing
    .on('response', (incoming) => {
      response = incoming;
      resolve(incoming);
    })
    .on('error', reject)
    .on('close', () => signal.removeEventListener('abort', abort));
  outgoing.end(content);
  return promise;
}

/**
 * An error of a request or of its response, with a message for people: Node has none of its own for a host with several
 * addresses, and none that says who aborted.
 * @param server such as `PowerDNS`
 */
export function exchangeError(error: Error, server: string): Error {
  if (error instanceof AggregateError && !error.message) {
    return new Error(error.errors.map(({ message }) => message).join(', '));
  }
  return error.message === 'aborted' ? new Error(`${server} closed the connection`) : error;
}

/** Reads a body as text. Undefined if it has more bytes than that: the rest is not read. */
export async function textOf(chunks: AsyncIterable<Uint8Array>, mostBytes: number): Promise<string | undefined> {
  const read: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > mostBytes) return undefined;
    read.push(chunk);
  }
  return Buffer.concat(read).toString();
}
