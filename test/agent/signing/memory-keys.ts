/** A KeyStore in memory that can fail, and can let several clients read before one writes. */
import type { KeyStore } from '../../../functions/agent/signing/keystore.ts';

export class MemoryKeys implements KeyStore {
  readonly keys = new Map<string, string>();
  /** Every key that was ever offered, so that tests can check that none leaks. */
  readonly offered: string[] = [];
  readonly requests: string[] = [];
  /** Every request fails with this while it is set. */
  failure: string | undefined;
  /** Reads wait until there are this many. */
  together = 0;
  readonly #waiting: (() => void)[] = [];

  async read(zone: string): Promise<string | undefined> {
    this.#request(`read ${zone}`);
    const key = this.keys.get(zone);
    if (this.#waiting.length + 1 < this.together) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else for (const go of this.#waiting.splice(0)) go();
    return key;
  }

  async getOrCreate(zone: string, key: string, most = Number.POSITIVE_INFINITY): Promise<string> {
    this.offered.push(key);
    this.#request(`keep ${zone}`);
    if (!this.keys.has(zone) && this.keys.size >= most) throw new Error('it has too many keys');
    const stored = this.keys.get(zone) ?? key;
    this.keys.set(zone, stored);
    return stored;
  }

  async remove(zone: string): Promise<void> {
    this.#request(`forget ${zone}`);
    this.keys.delete(zone);
  }

  #request(request: string): void {
    this.requests.push(request);
    if (this.failure) throw new Error(this.failure);
  }
}
