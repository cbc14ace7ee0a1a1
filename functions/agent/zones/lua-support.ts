/**
 * Whether PowerDNS runs LUA records. A declaration with the first of them arrives at once, the setting with a restart of the
 * pod. Once it is there it stays for as long as the declaration.
 */
export class LuaSupport {
  readonly #asked: () => Promise<boolean>;
  #declaration = {};
  #last: { declaration?: object; isOn: boolean } = { isOn: false };

  /** @param asked PowerDNS */
  constructor(asked = async () => true) {
    this.#asked = asked;
  }

  /** As PowerDNS last said; false before. */
  get isOn(): boolean {
    return this.#last.isOn;
  }

  /** There is another declaration: PowerDNS is asked again. */
  renew(): void {
    this.#declaration = {};
  }

  /** Asks PowerDNS, unless it has said yes for this declaration. */
  async ask(): Promise<boolean> {
    const declaration = this.#declaration;
    const isKnown = this.#last.isOn && this.#last.declaration === declaration;
    if (!isKnown) this.#last = { declaration, isOn: await this.#asked() };
    return this.isOn;
  }
}
