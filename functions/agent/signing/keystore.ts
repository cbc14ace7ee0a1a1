import { messageOf } from '../lib/error-message.ts';
import { SigningKey } from './key.ts';

/** Where keys outlive PowerDNS's database, and every replica finds the same one. Zones are without the trailing dot. */
export interface KeyStore {
  /** The stored key of a zone, if any. */
  read(zone: string): Promise<string | undefined>;
  /** Stores a key unless there is one; the one that is there afterwards. */
  getOrCreate(zone: string, key: string): Promise<string>;
  remove(zone: string): Promise<void>;
}

/** The store cannot be used now, which says nothing of the keys in it. */
export class KeyStoreError extends Error {}

/** A store's keys as such. Its failures name the store, and quote nothing of a key. */
export class StoredKeys {
  readonly #store: KeyStore;
  readonly #name: string;

  /** `name` is what people call the store, such as `Secret idns-corp-dnssec`. */
  constructor(store: KeyStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  async read(zone: string): Promise<SigningKey | undefined> {
    const text = await this.#attempt(`read the key of ${zone}`, () => this.#store.read(zone));
    return text === undefined ? undefined : this.#parsed(zone, text);
  }

  /** The key that is there afterwards: another replica may have been faster. */
  async getOrCreate(zone: string, key: SigningKey): Promise<SigningKey> {
    return this.#parsed(
      zone,
      await this.#attempt(`keep the key of ${zone}`, () => this.#store.getOrCreate(zone, key.text())),
    );
  }

  remove(zone: string): Promise<void> {
    return this.#attempt(`forget the key of ${zone}`, () => this.#store.remove(zone));
  }

  async #attempt<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new KeyStoreError(`cannot ${action} in the ${this.#name}: ${messageOf(error)}`);
    }
  }

  #parsed(zone: string, text: string): SigningKey {
    try {
      return SigningKey.parse(text);
    } catch (error) {
      const cause = messageOf(error);
      throw new Error(`cannot use the key of ${zone} in the ${this.#name}, restore it from a backup: ${cause}`);
    }
  }
}
