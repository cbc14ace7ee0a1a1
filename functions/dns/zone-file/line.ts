/** A line of a zone file (RFC 1035 section 5.1), or several that parentheses join. */
export interface ZoneLine {
  /** Of its first line, from 1. */
  number: number;
  /** Whether it begins with white space, and so omits the owner. */
  indented: boolean;
  /** With their quotes and escapes, but without comments and parentheses. */
  fields: string[];
  /** Why it cannot be parsed. */
  issue?: string;
  /** Whether an unclosed parenthesis joins it with the rest of the file. */
  isOpen?: boolean;
}

/** The lines of a zone file, without empty ones. */
export function* zoneLines(text: string): Generator<ZoneLine> {
  const lines = new Lines(text);
  for (let line = lines.next(); line; line = lines.next()) {
    if (line.fields.length > 0 || line.issue) yield line;
  }
}

class Lines {
  readonly #text: string;
  #position: number;
  #number = 1;

  constructor(text: string) {
    this.#text = text;
    // Windows starts files with a byte order mark.
    this.#position = text.startsWith('\uFEFF') ? 1 : 0;
  }

  next(): ZoneLine | undefined {
    if (this.#position >= this.#text.length) return undefined;
    const line: ZoneLine = { number: this.#number, indented: isBlank(this.#text[this.#position]), fields: [] };
    const depth = this.#fill(line);
    if (depth === 0) return line;
    return { ...line, issue: line.issue ?? 'a parenthesis is opened and never closed', isOpen: true };
  }

  /** Reads to the end of the line. Returns how many parentheses are still open at the end of the text. */
  #fill(line: ZoneLine): number {
    let depth = 0;
    while (this.#position < this.#text.length) {
      const character = this.#text[this.#position];
      if (character === '\n') {
        this.#position++;
        this.#number++;
        if (depth === 0) return 0;
      } else if (isBlank(character)) {
        this.#position++;
      } else if (character === ';') {
        this.#position = endOfLine(this.#text, this.#position);
      } else if (character === '(') {
        this.#position++;
        depth++;
      } else if (character === ')') {
        this.#position++;
        if (depth === 0) line.issue ??= 'a parenthesis is closed that was never opened';
        else depth--;
      } else {
        this.#field(line);
      }
    }
    return depth;
  }

  #field(line: ZoneLine): void {
    const { end, issue } = scanField(this.#text, this.#position);
    line.fields.push(this.#text.slice(this.#position, end));
    if (issue) line.issue ??= issue;
    this.#position = end;
  }
}

/** The end of the field that begins at `start`, and its issue. */
function scanField(text: string, start: number): { end: number; issue?: string } {
  const isQuoted = text[start] === '"';
  let open = isQuoted;
  let end = isQuoted ? start + 1 : start;
  for (; end < text.length && text[end] !== '\n'; end++) {
    const character = text[end] as string;
    if (character === '\\') {
      end++;
      if (end >= text.length || text[end] === '\n') return { end, issue: 'a backslash at the end of the line' };
    } else if (character === '"') {
      if (isQuoted) return { end: end + 1 };
      // The value of an SVCB parameter (RFC 9460 section 2.1) is quoted within its field; elsewhere a quote begins a new one.
      if (!open && text[end - 1] !== '=') return { end };
      open = !open;
    } else if (!open && isDelimiter(character)) {
      return { end };
    }
  }
  return open ? { end, issue: 'a quote is not closed on its line' } : { end };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** Carriage returns count, since lines end with them on Windows. */
const isBlank = (character: string | undefined) => character === ' ' || character === '\t' || character === '\r';

const isDelimiter = (character: string) => isBlank(character) || ';()'.includes(character);
