/** Bytes of JSON's own characters. */
const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
/** Within a list of an object of the list that is read. */
const innerDepth = 3;

export interface JSONListOptions {
  /** Bytes of a member from which on it is shortened. */
  longest: number;
  /**
   * Makes the beginning of a long member shorter, which ends within one of the member's lists: with `]}` behind it, it is
   * a whole object.
   */
  shorten: (beginning: string) => string;
  /** What is wrong with a member of which no end is in sight. */
  tooLong: (beginning: string, length: number) => Error;
}

/** Takes a list of JSON apart as it arrives: of a body of any length no more is kept than one of its members. */
export class JSONList {
  readonly #options: JSONListOptions;
  /** What has arrived of the present member, or of what is no list. */
  #parts: Buffer[] = [];
  #size = 0;
  /** The size at which the present member is shortened. */
  #limit: number;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isInnerList = false;
  #count = 0;
  #isOver = false;

  constructor(options: JSONListOptions) {
    this.#options = options;
    this.#limit = options.longest;
  }

  /** The members that end in the next bytes, each as its text. Throws on what is no list. */
  push(chunk: Buffer): string[] {
    const members: string[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === backslash) this.#isEscaped = true;
        else if (byte === quote) this.#isInString = false;
      } else if (byte === quote) {
        this.#isInString = true;
      } else if (byte === openList || byte === openObject) {
        if (this.#depth === 0) this.#begin(byte, chunk.subarray(start, at));
        if (this.#depth === 0) start = at + 1;
        this.#depth++;
        if (this.#depth === innerDepth) this.#isInnerList = byte === openList;
      } else if (byte === closeList || byte === closeObject) {
        this.#depth--;
        if (this.#depth > 0) continue;
        if (this.#depth < 0 || byte === closeObject) throw notAList();
        this.#take(chunk.subarray(start, at), members, true);
        start = at + 1;
        this.#isOver = true;
      } else if (byte === comma && this.#depth === 1) {
        this.#take(chunk.subarray(start, at), members, false);
        start = at + 1;
      } else if (byte === comma && this.#depth === innerDepth && this.#isInnerList) {
        if (this.#size + at - start < this.#limit) continue;
        this.#shorten(chunk.subarray(start, at));
        start = at;
      }
    }
    this.#keep(chunk.subarray(start));
    return members;
  }

  /** Throws if what has arrived is not the whole of a list. Go writes an empty one as null. */
  end(): void {
    const rest = this.#text();
    if (this.#isOver ? rest.trim() !== '' : this.#depth > 0 || rest.trim() !== 'null') throw notAList();
  }

  #begin(byte: number, before: Buffer): void {
    this.#keep(before);
    if (this.#isOver || byte !== openList || this.#text().trim() !== '') throw notAList();
  }

  #take(end: Buffer, members: string[], isLast: boolean): void {
    this.#keep(end);
    const text = this.#text();
    // Between the brackets of an empty list there is nothing.
    if (!isLast || this.#count > 0 || text.trim() !== '') members.push(text);
    this.#count++;
    this.#limit = this.#options.longest;
  }

  #shorten(end: Buffer): void {
    this.#keep(end);
    this.#keep(Buffer.from(this.#options.shorten(this.#text())));
    this.#limit = this.#size + this.#options.longest;
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#size += part.length;
    const most = 64 * this.#options.longest;
    if (this.#size > most) throw this.#options.tooLong(this.#text(), most);
  }

  #text(): string {
    const text = Buffer.concat(this.#parts).toString('utf8');
    this.#parts = [];
    this.#size = 0;
    return text;
  }
}

const notAList = () => new Error('not a list in JSON');
