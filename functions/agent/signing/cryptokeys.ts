import type { Cryptokey, PowerDNS } from '../powerdns/powerdns.ts';
import type { SigningKey } from './key.ts';

/** What of PowerDNS's API signing takes. */
export type SigningAPI = Pick<
  PowerDNS,
  'cryptokeys' | 'privateKey' | 'addKey' | 'setKey' | 'removeKey' | 'nsec3param' | 'setNsec3param' | 'rectify' | 'flush'
>;

export interface SignedZone {
  id: string;
  /** Absolute. */
  name: string;
}

export const isPublished = ({ active, published }: Cryptokey) => active && published;

/** The keys that PowerDNS signs zones with, and how it denies names. */
export class Cryptokeys {
  readonly #powerdns: SigningAPI;
  /** Zones of which PowerDNS has nothing old in its caches. */
  readonly #flushed = new Set<string>();

  constructor(powerdns: SigningAPI) {
    this.#powerdns = powerdns;
  }

  /** The published ones first. */
  async of(zone: SignedZone): Promise<Cryptokey[]> {
    const keys = await this.#powerdns.cryptokeys(zone);
    return keys.toSorted((a, b) => Number(isPublished(b)) - Number(isPublished(a)));
  }

  privateKey(zone: SignedZone, key: Cryptokey): Promise<string> {
    return this.#powerdns.privateKey(zone, key);
  }

  /** Adds a key; it does not count before it is published. */
  install(zone: SignedZone, key: SigningKey): Promise<Cryptokey> {
    return this.#powerdns.addKey(zone, key.text());
  }

  /** For a key that somebody else installed, and maybe only that. */
  async rectify(zone: SignedZone): Promise<void> {
    this.#flushed.delete(zone.name);
    await this.#powerdns.rectify(zone);
  }

  /** Makes a zone's keys count. That one is published says that all of this was done for it, however an agent ended. */
  async publish(zone: SignedZone, keys: Cryptokey[], nsec3param: string): Promise<void> {
    const unpublished = keys.filter((key) => !isPublished(key));
    if (unpublished.length > 0 || (await this.#powerdns.nsec3param(zone)) !== nsec3param) {
      this.#flushed.delete(zone.name);
      for (const { id, active } of unpublished) {
        if (!active) await this.#powerdns.setKey(zone, { id, active: true, published: false });
      }
      // Only a zone with an active key gets what denials need (RFC 4034 section 4), so not before.
      await this.#powerdns.setNsec3param(zone, nsec3param);
      for (const { id } of unpublished) await this.#powerdns.setKey(zone, { id, active: true, published: true });
    }
    if (this.#flushed.has(zone.name)) return;
    // PowerDNS clears its cache of metadata before it commits an NSEC3PARAM: a question in between fills it with the
    // old one, and denials are wrong for a minute. An agent that ended may not have got here, so each begins with it.
    await this.#powerdns.flush(zone);
    this.#flushed.add(zone.name);
  }

  async remove(zone: SignedZone, keys: Cryptokey[]): Promise<void> {
    for (const key of keys) await this.#powerdns.removeKey(zone, key);
  }

  /** Removes all keys, and answers without signatures at once. */
  async unsign(zone: SignedZone, keys: Cryptokey[]): Promise<void> {
    await this.remove(zone, keys);
    await this.#powerdns.setNsec3param(zone, '');
    await this.#powerdns.flush(zone);
  }
}
