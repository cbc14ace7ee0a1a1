import { messageOf } from '../lib/error-message.ts';
import { SigningKey } from './key.ts';

/** Stores keys outside of PowerDNS's database, for all replicas. Zones are without the trailing dot. */
export interface KeyStore {
  /** The stored key of a zone, if any. */
  read(zone: string): Promise<string | undefined>;
  /**
   * Stores a key unless there is one. Returns the one that is stored afterwards.
   * @param most keys in all: with as many, no other is stored
   */
  getOrCreate(zone: string, key: string, most?: number): Promise<string>;
  remove(zone: string): Promise<void>;
}

/** The store is unavailable; the keys in it may be all right. */
export class KeyStoreError extends Error {}

/** Parses a store's keys. Its errors name the store, and quote nothing of a key. */
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

  /** Returns the stored key, which another replica may have added first. */
  async getOrCreate(zone: string, key: SigningKey, most?: number): Promise<SigningKey> {
    return this.#parsed(
      zone,
      await this.#attempt(`store the key of ${zone}`, () => this.#store.getOrCreate(zone, key.text(), most)),
    );
  }

  remove(zone: string): Promise<void> {
    return this.#attempt(`remove the key of ${zone}`, () => this.#store.remove(zone));
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
