import { parsePattern } from '../../contract/host-rules.ts';
import { absolute, parentOf } from '../../dns/name.ts';

/** Values by patterns of names. */
export class NamePatterns<T> {
  readonly #at = new Map<string, T[]>();
  readonly #below = new Map<string, T[]>();

  constructor(said: Iterable<readonly [pattern: string, T]>) {
    for (const [pattern, value] of said) {
      const { name, isBelow } = parsePattern(pattern);
      const key = absolute(name);
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
