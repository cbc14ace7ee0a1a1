import type { Cryptokey, PowerDNS } from '../powerdns/powerdns.ts';
import type { SigningKey } from './key.ts';

/** The part of PowerDNS's API that signing uses. */
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

/** The keys and the denial of existence with which PowerDNS signs zones. */
export class Cryptokeys {
  readonly #powerdns: SigningAPI;
  /** Zones without stale entries in PowerDNS's caches. */
  readonly #flushed = new Set<string>();

  constructor(powerdns: SigningAPI) {
    this.#powerdns = powerdns;
  }

  /** Lists a zone's keys, published ones first. */
  async list(zone: SignedZone): Promise<Cryptokey[]> {
    const keys = await this.#powerdns.cryptokeys(zone);
    return keys.toSorted((a, b) => Number(isPublished(b)) - Number(isPublished(a)));
  }

  privateKey(zone: SignedZone, key: Cryptokey): Promise<string> {
    return this.#powerdns.privateKey(zone, key);
  }

  /** Adds a key. It takes effect when it is published. */
  install(zone: SignedZone, key: SigningKey): Promise<Cryptokey> {
    return this.#powerdns.addKey(zone, key.text());
  }

  /** For a key that was installed by hand, which need not have rectified the zone. */
  async rectify(zone: SignedZone): Promise<void> {
    this.#flushed.delete(zone.name);
    await this.#powerdns.rectify(zone);
  }

  /** Publishes a zone's keys, as the last step: if an agent crashes before, the next one finds them unpublished. */
  async publish(zone: SignedZone, keys: Cryptokey[], nsec3param: string): Promise<void> {
    const unpublished = keys.filter((key) => !isPublished(key));
    if (unpublished.length > 0 || (await this.#powerdns.nsec3param(zone)) !== nsec3param) {
      this.#flushed.delete(zone.name);
      for (const { id, active } of unpublished) {
        if (!active) await this.#powerdns.setKey(zone, { id, active: true, published: false });
      }
      // Only a zone with an active key is prepared for denial of existence (RFC 4034 section 4).
      await this.#powerdns.setNsec3param(zone, nsec3param);
      for (const { id } of unpublished) await this.#powerdns.setKey(zone, { id, active: true, published: true });
    }
    if (this.#flushed.has(zone.name)) return;
    // PowerDNS clears its metadata cache before it commits an NSEC3PARAM: a query in between caches the old one, and denials
    // are wrong for a minute. An agent may have crashed before this line, so each flushes once.
    await this.#powerdns.flush(zone);
    this.#flushed.add(zone.name);
  }

  async remove(zone: SignedZone, keys: Cryptokey[]): Promise<void> {
    for (const key of keys) await this.#powerdns.removeKey(zone, key);
  }

  /** Removes all keys, and stops signing at once. */
  async unsign(zone: SignedZone, keys: Cryptokey[]): Promise<void> {
    await this.remove(zone, keys);
    await this.#powerdns.setNsec3param(zone, '');
    await this.#powerdns.flush(zone);
  }
}
