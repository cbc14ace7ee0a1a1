/** Whether two lists have the same members, each compared by identity. */
export const areSame = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((each, index) => each === other[index]);

/** The last result of some work, which is done anew only when something that it is made of is another one. */
export class Memo<T> {
  #last: { of: readonly unknown[]; result: T } | undefined;

  /** @param of everything that the work depends on, each compared by identity */
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
