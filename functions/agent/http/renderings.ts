import { areSame } from '../lib/memo.ts';
import { Turns } from './turns.ts';

export interface RenderingsOptions {
  /** In which texts are made, one piece in each. */
  turns?: Turns;
  /** Bytes: what is longer is made anew for each reader, as fast as it is read. */
  longest?: number;
  /** Bytes that are kept, of all texts together. */
  most?: number;
}

/** A text that somebody wants to read. */
export interface Reading {
  /** Who asks with the same key gets the same text, as long as `of` is the same. */
  key: string;
  /** Everything that the text is made of, each compared by identity. */
  of: readonly unknown[];
  make: () => Iterable<string>;
  /** Whether whoever asked has gone. */
  isGone: () => boolean;
}

interface Rendering {
  /** For each of those who wait for it, whether he has gone. */
  readers: (() => boolean)[];
  /** Nothing for what is too long to be kept, or was not made to its end. */
  whole: Promise<readonly Buffer[] | undefined>;
  /** Known when it is whole. */
  bytes: number;
}

/**
 * Texts in pieces, made once for all who read the same. However many ask, making them takes a share of the time, and what
 * is in memory is bounded: what is kept, and a beginning for each connection.
 */
export class Renderings {
  readonly #longest: number;
  readonly #most: number;
  readonly #turns: Turns;
  readonly #renderings = new Map<string, Rendering>();
  #of: readonly unknown[] = [];

  constructor({ turns = new Turns(1), longest = 2 ** 20, most = 4 * 2 ** 20 }: RenderingsOptions = {}) {
    this.#longest = longest;
    this.#most = most;
    this.#turns = turns;
  }

  async *read({ key, of, make, isGone }: Reading): AsyncGenerator<Buffer, void, undefined> {
    this.#renew(of);
    const shared = this.#renderings.get(key);
    shared?.readers.push(isGone);
    // Without one there is nothing to wait for, and the next reader is to find this one's.
    const whole = shared && (await shared.whole);
    if (whole) return yield* whole;
    const text = make()[Symbol.iterator]();
    const readers = [isGone];
    const beginning = this.#begin(text, readers);
    if (!shared) this.#share(key, { readers, whole: beginning.then(wholeOf, () => undefined), bytes: 0 });
    const { pieces, isWhole } = await beginning;
    yield* pieces;
    while (!isWhole) {
      const piece = await this.#next(text, [isGone]);
      if (!piece) return;
      yield piece;
    }
  }

  /** Takes over what texts are made of by now. */
  #renew(of: readonly unknown[]): void {
    if (areSame(of, this.#of)) return;
    this.#of = of;
    this.#renderings.clear();
  }

  #share(key: string, rendering: Rendering): void {
    this.#renderings.set(key, rendering);
    void rendering.whole.then((whole) => {
      if (this.#renderings.get(key) !== rendering) return;
      rendering.bytes = bytesOf(whole ?? []);
      if (!whole) this.#renderings.delete(key);
      this.#trim();
    });
  }

  /** The oldest go first. */
  #trim(): void {
    let bytes = 0;
    for (const rendering of this.#renderings.values()) bytes += rendering.bytes;
    for (const [key, rendering] of this.#renderings) {
      if (bytes <= this.#most) return;
      bytes -= rendering.bytes;
      this.#renderings.delete(key);
    }
  }

  async #begin(text: Iterator<string>, readers: Rendering['readers']): Promise<Beginning> {
    const pieces: Buffer[] = [];
    while (bytesOf(pieces) <= this.#longest) {
      const piece = await this.#next(text, readers);
      if (!piece) return { pieces, isWhole: readers.some((isGone) => !isGone()) };
      pieces.push(piece);
    }
    return { pieces, isWhole: false };
  }

  /** Nothing at the end, and for nobody. */
  #next(text: Iterator<string>, readers: Rendering['readers']): Promise<Buffer | undefined> {
    return this.#turns.take(() => {
      if (readers.every((isGone) => isGone())) return undefined;
      const { done, value } = text.next();
      return done ? undefined : Buffer.from(value);
    });
  }
}

interface Beginning {
  pieces: readonly Buffer[];
  isWhole: boolean;
}

const wholeOf = ({ pieces, isWhole }: Beginning) => (isWhole ? pieces : undefined);
const bytesOf = (pieces: readonly Buffer[]) => pieces.reduce((sum, { length }) => sum + length, 0);
