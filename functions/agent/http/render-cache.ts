import { areSame } from '../lib/memo.ts';
import { ThrottledQueue } from './throttled-queue.ts';

export interface RenderCacheOptions {
  /** Renders the chunks, one per job. */
  queue?: ThrottledQueue;
  /** Longer texts are rendered for each reader, as fast as it reads. */
  maxEntryBytes?: number;
  maxTotalBytes?: number;
}

export interface RenderRequest {
  /** Requests with the same key share a text while `inputs` are the same. */
  key: string;
  /** Everything that the text depends on, each compared by identity. */
  inputs: readonly unknown[];
  render: () => Iterable<string>;
  /** Whether the reader has disconnected. */
  isAborted: () => boolean;
}

interface Entry {
  /** `isAborted` of each waiting reader. */
  readers: (() => boolean)[];
  /** Undefined if the text is too long to keep, or was not rendered to its end. */
  chunks: Promise<readonly Buffer[] | undefined>;
  /** 0 until all chunks are rendered. */
  bytes: number;
}

/**
 * Texts in chunks, rendered once for all who request the same. Rendering is limited to the queue's share of CPU time, and
 * memory to the cached texts and the first chunks of each connection.
 */
export class RenderCache {
  readonly #maxEntryBytes: number;
  readonly #maxTotalBytes: number;
  readonly #queue: ThrottledQueue;
  readonly #entries = new Map<string, Entry>();
  #inputs: readonly unknown[] = [];

  constructor({
    queue = new ThrottledQueue(1),
    maxEntryBytes = 2 ** 20,
    maxTotalBytes = 4 * 2 ** 20,
  }: RenderCacheOptions = {}) {
    this.#maxEntryBytes = maxEntryBytes;
    this.#maxTotalBytes = maxTotalBytes;
    this.#queue = queue;
  }

  async *read({ key, inputs, render, isAborted }: RenderRequest): AsyncGenerator<Buffer, void, undefined> {
    this.#invalidate(inputs);
    const entry = this.#entries.get(key);
    entry?.readers.push(isAborted);
    // No await without an entry: the next reader must find the one that is set below.
    const cached = entry && (await entry.chunks);
    if (cached) return yield* cached;
    const text = render()[Symbol.iterator]();
    const readers = [isAborted];
    const beginning = this.#renderBeginning(text, readers);
    if (!entry) this.#set(key, { readers, chunks: beginning.then(completeChunks, () => undefined), bytes: 0 });
    const { chunks, isComplete } = await beginning;
    yield* chunks;
    while (!isComplete) {
      const chunk = await this.#next(text, [isAborted]);
      if (!chunk) return;
      yield chunk;
    }
  }

  #invalidate(inputs: readonly unknown[]): void {
    if (areSame(inputs, this.#inputs)) return;
    this.#inputs = inputs;
    this.#entries.clear();
  }

  #set(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    void entry.chunks.then((chunks) => {
      if (this.#entries.get(key) !== entry) return;
      entry.bytes = bytesOf(chunks ?? []);
      if (!chunks) this.#entries.delete(key);
      this.#evict();
    });
  }

  /** First in, first out. */
  #evict(): void {
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += entry.bytes;
    for (const [key, entry] of this.#entries) {
      if (bytes <= this.#maxTotalBytes) return;
      bytes -= entry.bytes;
      this.#entries.delete(key);
    }
  }

  async #renderBeginning(text: Iterator<string>, readers: Entry['readers']): Promise<Beginning> {
    const chunks: Buffer[] = [];
    while (bytesOf(chunks) <= this.#maxEntryBytes) {
      const chunk = await this.#next(text, readers);
      if (!chunk) return { chunks, isComplete: readers.some((isAborted) => !isAborted()) };
      chunks.push(chunk);
    }
    return { chunks, isComplete: false };
  }

  /** Undefined at the end, and when all readers have disconnected. */
  #next(text: Iterator<string>, readers: Entry['readers']): Promise<Buffer | undefined> {
    return this.#queue.run(() => {
      if (readers.every((isAborted) => isAborted())) return undefined;
      const { done, value } = text.next();
      return done ? undefined : Buffer.from(value);
    });
  }
}

interface Beginning {
  chunks: readonly Buffer[];
  isComplete: boolean;
}

const completeChunks = ({ chunks, isComplete }: Beginning) => (isComplete ? chunks : undefined);
const bytesOf = (chunks: readonly Buffer[]) => chunks.reduce((sum, { length }) => sum + length, 0);
