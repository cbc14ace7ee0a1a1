/** Characters of JSON's syntax. */
const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
/** The depth in a list in a member. */
const innerDepth = 3;

export interface JSONListOptions {
  /** Bytes. A longer member is shortened. */
  longest: number;
  /**
   * Shortens the beginning of a long member. It ends inside one of the member's lists, so that `]}` would make it a
   * complete object.
   */
  shorten: (beginning: string) => string;
  /** Returns the error for a member that has no end in sight. */
  tooLong: (beginning: string, length: number) => Error;
}

/** Parses a JSON list as it arrives: of a body of any length it keeps one member at most. */
export class JSONList {
  readonly #options: JSONListOptions;
  /** What has arrived of the current member, or outside the list. */
  #parts: Buffer[] = [];
  #size = 0;
  /** The size at which the current member is shortened. */
  #limit: number;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #isInnerList = false;
  #count = 0;
  #isClosed = false;

  constructor(options: JSONListOptions) {
    this.#options = options;
    this.#limit = options.longest;
  }

  /** Returns the text of each member that ends in this chunk. Throws if the body is not a list. */
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
        if (this.#depth === 0) this.#open(byte, chunk.subarray(start, at));
        if (this.#depth === 0) start = at + 1;
        this.#depth++;
        if (this.#depth === innerDepth) this.#isInnerList = byte === openList;
      } else if (byte === closeList || byte === closeObject) {
        this.#depth--;
        if (this.#depth > 0) continue;
        if (this.#depth < 0 || byte === closeObject) throw notAList();
        this.#endMember(chunk.subarray(start, at), members, true);
        start = at + 1;
        this.#isClosed = true;
      } else if (byte === comma && this.#depth === 1) {
        this.#endMember(chunk.subarray(start, at), members, false);
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

  /** Throws if the list is incomplete. Go writes an empty one as null. */
  end(): void {
    const rest = this.#text();
    if (this.#isClosed ? rest.trim() !== '' : this.#depth > 0 || rest.trim() !== 'null') throw notAList();
  }

  #open(byte: number, before: Buffer): void {
    this.#keep(before);
    if (this.#isClosed || byte !== openList || this.#text().trim() !== '') throw notAList();
  }

  #endMember(end: Buffer, members: string[], isLast: boolean): void {
    this.#keep(end);
    const text = this.#text();
    // An empty list has no member.
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

const notAList = () => new Error('not a JSON list');
