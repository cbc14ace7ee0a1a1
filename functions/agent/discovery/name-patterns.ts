import { absolute, parentOf } from '../../dns/name.ts';

/**
 * What is said of names by pattern: `www.corp.internal` is that name, `*.corp.internal` every one below it, its
 * wildcard too, and `[*].corp.internal` the wildcard alone.
 */
export class NamePatterns<T> {
  readonly #at = new Map<string, T[]>();
  readonly #below = new Map<string, T[]>();

  constructor(said: Iterable<readonly [pattern: string, T]>) {
    for (const [pattern, value] of said) {
      const isBelow = pattern.startsWith('*.');
      const key = absolute(isBelow ? pattern.slice(2) : pattern.replace(/^\[\*\]\./, '*.'));
      const patterns = isBelow ? this.#below : this.#at;
      patterns.set(key, [...(patterns.get(key) ?? []), value]);
    }
  }

  /** All that is said of an absolute name. */
  match(name: string): T[] {
    const found = [...(this.#at.get(name) ?? [])];
    if (this.#below.size === 0) return found;
    for (let above = parentOf(name); above !== ''; above = parentOf(above)) {
      found.push(...(this.#below.get(above) ?? []));
    }
    return found;
  }
}
