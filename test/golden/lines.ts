/** The diff of two lists of lines, with hunks that are located by their content. Pure. */
import { diff, isDeepStrictEqual } from 'node:util';

/**
 * The hunks that turn `before` into `after`: lines that are kept (' '), removed ('-') or added ('+'), below a line `@@`, or `@@ end`
 * for those added at the end. A hunk has just enough context to match in one place only. It has no line numbers, because every
 * line added above would change them.
 */
export function hunksOf(before: readonly string[], after: readonly string[]): string[] {
  // Node 24's diff throws on two empty lists.
  if (isDeepStrictEqual(before, after)) return [];
  return changesOf(before, after).flatMap(({ start, end, added }) => {
    if (start === before.length) return ['@@ end', ...added.map((line) => `+${line}`)];
    const [from, to] = uniqueRange(before, start, end);
    return [
      '@@',
      ...before.slice(from, start).map((line) => ` ${line}`),
      ...before.slice(start, end).map((line) => `-${line}`),
      ...added.map((line) => `+${line}`),
      ...before.slice(end, to).map((line) => ` ${line}`),
    ];
  });
}

/** `before` with `hunks` applied. Throws if a hunk does not match in exactly one place. */
export function withHunks(before: readonly string[], hunks: readonly string[]): string[] {
  const added = new Map<number, string[]>();
  const removed = new Set<number>();
  for (const [heading, ...lines] of hunksIn(hunks)) {
    let at = heading === '@@ end' ? before.length : placeOf(lines, before);
    for (const line of lines) {
      if (line.startsWith('+')) added.set(at, [...(added.get(at) ?? []), line.slice(1)]);
      else if (line.startsWith('-')) removed.add(at++);
      else at++;
    }
  }
  const kept = before.flatMap((line, at) => [...(added.get(at) ?? []), ...(removed.has(at) ? [] : [line])]);
  return [...kept, ...(added.get(before.length) ?? [])];
}

/** `added` replaces the lines from `start` up to `end`, exclusive. */
interface Change {
  start: number;
  end: number;
  added: string[];
}

function changesOf(before: readonly string[], after: readonly string[]): Change[] {
  const changes: Change[] = [];
  let current: Change | undefined;
  let at = 0;
  for (const [operation, line] of diff(after, before)) {
    if (operation === 0) {
      current = undefined;
      at++;
      continue;
    }
    if (!current) {
      current = { start: at, end: at, added: [] };
      changes.push(current);
    }
    if (operation === 1) current.added.push(line);
    else current.end = ++at;
  }
  return changes;
}

/** The shortest range around `start` to `end` whose lines occur only once. */
function uniqueRange(lines: readonly string[], start: number, end: number): [from: number, to: number] {
  for (let size = 0; ; size++) {
    const from = Math.max(0, start - Math.ceil(size / 2));
    const to = Math.min(lines.length, end + Math.floor(size / 2));
    if (placesOf(lines.slice(from, to), lines).length === 1) return [from, to];
  }
}

/** Where `excerpt` occurs in `lines`. */
function placesOf(excerpt: readonly string[], lines: readonly string[]): number[] {
  const positions = Array.from({ length: lines.length - excerpt.length + 1 }, (_, position) => position);
  return positions.filter((at) => isDeepStrictEqual(lines.slice(at, at + excerpt.length), excerpt));
}

function placeOf(hunk: readonly string[], lines: readonly string[]): number {
  const old = hunk.filter((line) => !line.startsWith('+')).map((line) => line.slice(1));
  const [place, ...others] = placesOf(old, lines);
  if (place === undefined) throw new Error(`cannot apply a hunk: ${JSON.stringify(old)} is not there`);
  if (others.length > 0) throw new Error(`cannot apply a hunk: ${JSON.stringify(old)} is there more than once`);
  return place;
}

function hunksIn(lines: readonly string[]): string[][] {
  const hunks: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('@@')) hunks.push([line]);
    else hunks.at(-1)?.push(line);
  }
  return hunks;
}
