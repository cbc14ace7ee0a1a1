import { printable } from '../contract/printable.ts';

/** What a command prints, and the exit code of the plugin. */
export interface Output {
  /** Lines for people. */
  lines: readonly string[];
  /** The same for programs, printed with `-o json`. */
  json: unknown;
  /** Lines on standard error, which no pipe sees. */
  notes?: readonly string[];
  code?: number;
}

/** Like a program's output in general, one long text must not widen the column of all lines. */
const maxColumnWidth = 64;

/** Aligns the columns, the last of which may be of any width. */
export function table(...rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map(printable));
  const widths = (cells[0] ?? []).map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, Math.min(row[column]?.length ?? 0, maxColumnWidth)), 0),
  );
  return cells.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('   ')
      .trimEnd(),
  );
}

/** Serializes to JSON that is safe to show in a terminal, too: control and format characters are escaped. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/[\x7f-\x9f\u2028\u2029\p{Cf}\p{Cs}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  );

/** Returns "1 name", "2 names". */
export const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
