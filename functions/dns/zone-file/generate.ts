import { excerpt } from '../rdata/field.ts';

/** The numbers that a `$GENERATE` of BIND counts through. */
export interface GenerateRange {
  start: number;
  /** Included. */
  stop: number;
  step: number;
}

/** A range such as `1-254` or `0-255/2`. Throws if it is none. */
export function parseRange(text: string): GenerateRange {
  const match = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(text);
  const [start, stop, step] = (match ?? []).slice(1).map((part) => Number(part ?? 1));
  if (start === undefined || stop === undefined || step === undefined || step < 1 || stop < start) {
    throw new Error(`not a range of $GENERATE, such as 1-254 or 0-254/2: ${excerpt(text)}`);
  }
  if (stop > maxNumber) throw new Error(`a range of $GENERATE ends at ${maxNumber}: ${excerpt(text)}`);
  return { start, stop, step };
}

const maxNumber = 2147483647;
/** A name has no more characters than this, so no number of use has. */
const maxWidth = 255;

/** What is left to generate: of one file, the reverse names of a /16. The characters bound what long templates make. */
export class GenerateBudget {
  #records = 65_536;
  #characters = 8 * 2 ** 20;

  /** The templates of one directive, expanded for each number. Throws before there are too many. */
  *expand({ start, stop, step }: GenerateRange, ...templates: string[]): Generator<string[]> {
    this.#records -= Math.floor((stop - start) / step) + 1;
    if (this.#records < 0) throw new Error('$GENERATE may make 65536 records of a file, and this would be more');
    for (let number = start; number <= stop; number += step) {
      const expanded = templates.map((template) => expand(template, number));
      this.#characters -= expanded.reduce((sum, { length }) => sum + length, 0);
      if (this.#characters < 0) throw new Error('$GENERATE may make 8388608 characters of a file, and this makes more');
      yield expanded;
    }
  }
}

const place = /\\.|\$\$|\$(?:\{([^{}]*)(\}?))?/gs;

/**
 * Puts a number at every `$` and `${offset[,width[,base]]}` of a template; `\$` and `$$` are a dollar sign.
 * https://bind9.readthedocs.io/en/stable/chapter3.html#bind-primary-file-extension-the-generate-directive
 */
function expand(template: string, number: number): string {
  return template.replace(place, (found, modifier: string | undefined, end: string | undefined) => {
    if (found.startsWith('\\')) return found;
    if (found === '$$') return '$';
    return modifier === undefined ? String(number) : modify(number, modifier, end === '}');
  });
}

function modify(number: number, modifier: string, isClosed: boolean): string {
  const match = isClosed ? /^(-?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?$/.exec(modifier) : null;
  const width = Number(match?.[2] ?? 0);
  if (!match || width > maxWidth) {
    throw new Error(`not an offset, a width (to ${maxWidth}) and a base of d, o, x, X, n, N: \${${excerpt(modifier)}`);
  }
  return formatted(number + Number(match[1]), width, match[3]);
}

/** Below 0 all but decimal numbers are those of 32 bits, as BIND writes them. */
function formatted(number: number, width: number, base = 'd'): string {
  const value = number >>> 0;
  switch (base) {
    case 'o':
      return value.toString(8).padStart(width, '0');
    case 'x':
      return value.toString(16).padStart(width, '0');
    case 'X':
      return value.toString(16).toUpperCase().padStart(width, '0');
    case 'n':
      return nibbles(value.toString(16), width);
    case 'N':
      return nibbles(value.toString(16).toUpperCase(), width);
    default:
      return number < 0 ? `-${String(-number).padStart(width - 1, '0')}` : String(number).padStart(width, '0');
  }
}

/** Hexadecimal digits as labels, the last first, as ip6.arpa has them. The dots count as width. */
function nibbles(digits: string, width: number): string {
  const labels = [...digits.padStart(Math.ceil(width / 2), '0')].reverse().join('.');
  return labels.padEnd(width, '.');
}
