import { excerpt } from '../rdata/field.ts';

/** The range of numbers of BIND's `$GENERATE`. */
export interface GenerateRange {
  start: number;
  /** Included. */
  stop: number;
  step: number;
}

/** Parses a range such as `1-254` or `0-255/2`. */
export function parseRange(text: string): GenerateRange {
  const match = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(text);
  const [start, stop, step] = (match ?? []).slice(1).map((part) => Number(part ?? 1));
  if (start === undefined || stop === undefined || step === undefined || step < 1 || stop < start) {
    throw new Error(`not a range of $GENERATE, such as 1-254 or 0-254/2: ${excerpt(text)}`);
  }
  if (stop > maxNumber) throw new Error(`a range of $GENERATE ends at ${maxNumber} at most: ${excerpt(text)}`);
  return { start, stop, step };
}

const maxNumber = 2147483647;
/** No name has more characters, so no useful number has. */
const maxWidth = 255;

/** Limits what one file generates: to as many records as a /16 has addresses, and for long templates by characters. */
export class GenerateBudget {
  #records = 65_536;
  #characters = 8 * 2 ** 20;

  /** Expands the templates of one directive for each number. Throws before the limit is exceeded. */
  *expand({ start, stop, step }: GenerateRange, ...templates: string[]): Generator<string[]> {
    this.#records -= Math.floor((stop - start) / step) + 1;
    if (this.#records < 0) throw new Error('$GENERATE is limited to 65536 records per file, and this makes more');
    for (let number = start; number <= stop; number += step) {
      const expanded = templates.map((template) => expand(template, number));
      this.#characters -= expanded.reduce((sum, { length }) => sum + length, 0);
      if (this.#characters < 0)
        throw new Error('$GENERATE is limited to 8388608 characters per file, and this makes more');
      yield expanded;
    }
  }
}

const place = /\\.|\$\$|\$(?:\{([^{}]*)(\}?))?/gs;

/**
 * Replaces every `$` and `${offset[,width[,base]]}` of a template with a number; `\$` and `$$` are a dollar sign.
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

/** Like BIND, prints negative numbers in two's complement of 32 bits unless the base is decimal. */
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

/** Hexadecimal digits as labels in reverse order, as in ip6.arpa. The dots count toward the width. */
function nibbles(digits: string, width: number): string {
  const labels = [...digits.padStart(Math.ceil(width / 2), '0')].reverse().join('.');
  return labels.padEnd(width, '.');
}
