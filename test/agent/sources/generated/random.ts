/** Random choices that a seed determines, whatever the version of Node or fast-check. */
export interface Random {
  /** A number from 0 to `below` - 1. */
  int(below: number): number;
  /** Whether something happens that does in one of `n` cases. */
  oneIn(n: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** At most `most` of them, in any order; they may be the same. */
  some<T>(from: readonly T[], most: number, least?: number): T[];
}

/** Mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number) => Math.floor(next() * below);
  const pick = <T>(from: readonly T[]): T => {
    if (from.length === 0) throw new Error('there is nothing to pick from');
    return from[int(from.length)] as T;
  };
  return {
    int,
    pick,
    oneIn: (n) => int(n) === 0,
    some: (from, most, least = 0) => Array.from({ length: least + int(most - least + 1) }, () => pick(from)),
  };
}
