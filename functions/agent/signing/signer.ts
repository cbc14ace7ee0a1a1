import type { Logger } from 'pino';
import { withoutDot } from '../../dns/name.ts';
import { monotonicNow } from '../lib/clock.ts';
import { FailureLog } from '../lib/failure-log.ts';
import type { Cryptokey } from '../powerdns/powerdns.ts';
import { Cryptokeys, isPublished, type SignedZone, type SigningAPI } from './cryptokeys.ts';
import { type Algorithm, dsOf, SigningKey } from './key.ts';
import { nextStep, requireAlgorithm } from './key-agreement.ts';
import { type KeyStore, KeyStoreError, StoredKeys } from './keystore.ts';

export type { KeyStore } from './keystore.ts';

export interface Signing {
  mode: 'Off' | 'Signed' | 'Unsigning';
  algorithm: Algorithm;
  nsec3: boolean;
  /** DS records that this zone was published with, from the composite's status. */
  ds: string[];
  /** The zone gets no new key while the store has as many in all. Absent if there is no limit. */
  mostKeys?: number;
}

/** The public data of a signed zone. */
export interface Signature {
  /** For the parent or a trust anchor, such as `12345 13 2 ab...`: SHA-256 only (RFC 8624 section 3.3). */
  ds: string[];
  /** RDATA, such as `257 3 13 oJMR...`. */
  dnskey: string[];
}

export interface SignerOptions {
  powerdns: SigningAPI;
  keys: KeyStore;
  /** What people call the store, such as `Secret idns-corp-dnssec`. */
  secret: string;
  log: Logger;
  now?: () => number;
}

/** RFC 9276 section 3.1: SHA-1, no opt-out, no extra iterations and no salt. */
const nsec3param = '1 0 0 -';

/** How long a full check is valid while PowerDNS's keys stay the same. Milliseconds. */
const maxAgeMs = 60_000;

/** The result of a zone's last reconcile. */
interface SyncedZone {
  at: number;
  declared: string;
  signature: Signature;
}

/** Signs zones, each with one key, and keeps the keys in a store. */
export class Signer {
  readonly #options: Required<SignerOptions>;
  readonly #cryptokeys: Cryptokeys;
  readonly #stored: StoredKeys;
  readonly #failureLog: FailureLog;
  readonly #synced = new Map<string, SyncedZone>();
  /** Zones whose keys were removed from the store. */
  readonly #removed = new Set<string>();

  constructor(options: SignerOptions) {
    this.#options = { now: monotonicNow, ...options };
    this.#cryptokeys = new Cryptokeys(options.powerdns);
    this.#stored = new StoredKeys(options.keys, options.secret);
    this.#failureLog = new FailureLog(options.log);
  }

  /**
   * Signs or unsigns a zone as declared. Returns undefined if it is not signed. Throws an Error whose message is for the
   * report; the zone may still be signed as before. `dnssec` is what PowerDNS's list of zones says: with it, a zone that is
   * unsigned and should be costs no request.
   */
  async reconcile(zone: SignedZone & { dnssec?: boolean }, signing: Signing): Promise<Signature | undefined> {
    if (signing.mode === 'Off') return this.#unsign(zone, signing);
    const name = withoutDot(zone.name);
    const declared = JSON.stringify(signing);
    const installed = await this.#cryptokeys.list(zone);
    const last = this.#synced.get(name);
    const at = this.#options.now();
    if (last?.declared === declared && at - last.at < maxAgeMs && isUnchanged(installed, last)) return last.signature;
    const record = (failure?: string) => this.#failureLog.record('compare keys', failure, { zone: name });
    try {
      const signature = await this.#sign(zone, signing, installed);
      record();
      this.#removed.delete(name);
      if (signature) this.#synced.set(name, { at, declared, signature });
      return signature;
    } catch (error) {
      if (error instanceof KeyStoreError && last && isUnchanged(installed, last)) {
        record(error.message);
        return last.signature;
      }
      this.#synced.delete(name);
      throw error;
    }
  }

  async #sign(zone: SignedZone, signing: Signing, installed: Cryptokey[]): Promise<Signature | undefined> {
    const name = withoutDot(zone.name);
    const keys = await this.#syncKeys(zone, signing, installed);
    if (keys.length === 0) return undefined;
    await this.#cryptokeys.publish(zone, keys, signing.nsec3 ? nsec3param : '');
    const dnskey = keys.map((key) => key.dnskey);
    if (signing.mode === 'Signed') for (const key of dnskey) requireAlgorithm(name, key, signing.algorithm);
    return { ds: dnskey.map((key) => dsOf(name, key)), dnskey };
  }

  /** Makes PowerDNS and the store have the same key. Returns PowerDNS's keys; none if the zone is not to be signed any more. */
  async #syncKeys(zone: SignedZone, signing: Signing, installed: Cryptokey[]): Promise<Cryptokey[]> {
    if (signing.mode === 'Unsigning' && installed.length > 0) {
      const published = installed.filter(isPublished);
      return published.length > 0 ? published : installed;
    }
    const name = withoutDot(zone.name);
    const stored = await this.#stored.read(name);
    if (signing.mode === 'Unsigning') return stored ? [await this.#install(zone, stored)] : [];
    const dnskeys = installed.map(({ dnskey }) => dnskey);
    const step = (stored?: string) =>
      nextStep({ zone: name, stored, installed: dnskeys, ds: signing.ds, secret: this.#options.secret });
    const next = step(stored?.dnskey);
    const [key, ...copies] = installed;
    if (!key) return [await this.#install(zone, stored ?? (await this.#generate(name, signing)))];
    if (next === 'mirror') step(await this.#mirror(zone, key, signing.algorithm));
    // A request that seemed lost, and was repeated, may have been served twice.
    await this.#cryptokeys.remove(zone, copies);
    return [key];
  }

  async #generate(name: string, { algorithm, mostKeys }: Signing): Promise<SigningKey> {
    const made = SigningKey.generate(algorithm);
    const kept = await this.#stored.getOrCreate(name, made, mostKeys);
    if (kept.dnskey === made.dnskey) this.#options.log.info({ zone: name, ds: dsOf(name, made.dnskey) }, 'make key');
    return kept;
  }

  async #install(zone: SignedZone, key: SigningKey): Promise<Cryptokey> {
    const installed = await this.#cryptokeys.install(zone, key);
    const name = withoutDot(zone.name);
    this.#options.log.info({ zone: name, ds: dsOf(name, key.dnskey) }, 'install key');
    return installed;
  }

  /** Copies PowerDNS's key into the store. Returns the key that the store has afterwards. */
  async #mirror(zone: SignedZone, installed: Cryptokey, algorithm: Algorithm): Promise<string> {
    const name = withoutDot(zone.name);
    const { dnskey } = installed;
    requireAlgorithm(name, dnskey, algorithm);
    const key = SigningKey.parse(await this.#cryptokeys.privateKey(zone, installed));
    if (key.dnskey !== dnskey) throw new Error(`PowerDNS's key of ${name} is ${dnskey}, and should be ${key.dnskey}`);
    await this.#cryptokeys.rectify(zone);
    const kept = await this.#stored.getOrCreate(name, key);
    this.#options.log.info({ zone: name, ds: dsOf(name, kept.dnskey) }, 'mirror key');
    return kept.dnskey;
  }

  async #unsign(zone: SignedZone & { dnssec?: boolean }, { ds }: Signing): Promise<undefined> {
    const name = withoutDot(zone.name);
    const isRemoved = ds.length === 0 || this.#removed.has(name);
    if (zone.dnssec === false && isRemoved) return;
    const installed = await this.#cryptokeys.list(zone);
    if (installed.length === 0 && isRemoved) return;
    // The store first: PowerDNS's keys show that unsigning is not complete.
    await this.#stored.remove(name);
    this.#synced.delete(name);
    if (installed.length > 0) {
      await this.#cryptokeys.unsign(zone, installed);
      const gone = installed.map(({ dnskey }) => dsOf(name, dnskey));
      this.#options.log.info({ zone: name, ds: gone }, 'remove keys');
    }
    this.#removed.add(name);
  }
}

/** Reports whether PowerDNS still has the same keys, and all of them are published. */
const isUnchanged = (installed: Cryptokey[], { signature }: SyncedZone) =>
  installed.every(isPublished) && `${installed.map(({ dnskey }) => dnskey)}` === `${signature.dnskey}`;
