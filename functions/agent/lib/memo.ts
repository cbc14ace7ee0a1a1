/**
 * In the agent an object's identity is its version. A source of values that others compute from returns the same object
 * until its content changes, and a new one afterwards, and never changes it in place. So `EndpointsParser` returns the
 * same array for the same endpoints, `Database` the same `Zone` while PowerDNS has the same content, `Providers` the
 * same predicate for the same declaration, and `Names.list` the same array until a verdict changes. Comparing a list of
 * inputs then costs one `===` each, however many records are behind them, and a chain of such results does nothing at
 * rest.
 *
 * A spread or a `map` makes a new version: keep the object where nothing has changed.
 */
export class Memo<T> {
  #last: { of: readonly unknown[]; result: T } | undefined;

  /**
   * Returns the last result, computed again if an input changed.
   * @param of all inputs of the work, compared by identity
   */
  get(of: readonly unknown[], work: () => T): T {
    const last = this.#last;
    if (last && areSame(last.of, of)) return last.result;
    const result = work();
    this.#last = { of, result };
    return result;
  }

  forget(): void {
    this.#last = undefined;
  }
}

/** A `Memo` for each key, dropped with the key. */
export class MemoByKey<K extends WeakKey, T> {
  readonly #memos = new WeakMap<K, Memo<T>>();

  get(key: K, of: readonly unknown[], work: () => T): T {
    const memo = this.#memos.get(key) ?? new Memo<T>();
    this.#memos.set(key, memo);
    return memo.get(of, work);
  }
}

/** Reports whether two lists have the same members, compared by identity. */
export const areSame = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((each, index) => each === other[index]);
