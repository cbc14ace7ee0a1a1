import { absolute } from '../../dns/name.ts';
import { messageOf } from '../lib/error-message.ts';
import type { Zone } from '../powerdns/rrset.ts';
import type { Signature, Signer, Signing } from '../signing/signer.ts';
import { isOfTeam, type ServedZone } from './served-declaration.ts';

/**
 * No team can fill the Secret, which has room for some 4,000 keys (1 MiB): the key of a zone stays when the zone goes, so that
 * one that comes back is signed as before.
 */
const mostKeys = 1_000;

/** Signs the declared zones, and remembers what they are signed with. */
export class ZoneSigning {
  readonly #signer: Pick<Signer, 'reconcile'> | undefined;
  /** By absolute name. */
  #signatures = new Map<string, Signature>();

  /** Without a signer zones stay as they are. */
  constructor(signer: Pick<Signer, 'reconcile'> | undefined) {
    this.#signer = signer;
  }

  get isEnabled(): boolean {
    return this.#signer !== undefined;
  }

  signature(name: string): Signature | undefined {
    return this.#signatures.get(absolute(name));
  }

  /**
   * The DS records for the parents of signed zones. Those of a zone that is being unsigned go first: with a DS but without
   * signatures it would be bogus (RFC 6781 section 4.3.3).
   */
  dsRecords(declared: readonly ServedZone[]): Map<string, string[]> {
    const signed = declared.filter(({ dnssec }) => dnssec?.mode === 'Signed');
    return new Map(signed.map(({ name }) => [absolute(name), this.signature(name)?.ds ?? []] as const));
  }

  /** Signs and unsigns zones as declared; returns whether any signature changed. Adds what fails to `failures`. */
  async reconcile(
    declared: readonly ServedZone[],
    current: readonly Zone[],
    failures: Map<string, string>,
  ): Promise<boolean> {
    if (!this.#signer) return false;
    const before = JSON.stringify([...this.#signatures]);
    const byName = new Map(current.map((zone) => [zone.name, zone]));
    const signatures = new Map<string, Signature>();
    for (const declaredZone of declared) {
      const { name, dnssec } = declaredZone;
      const zone = byName.get(absolute(name));
      if (!zone || (!dnssec && !zone.dnssec)) continue;
      const signing: Signing = {
        ...(dnssec ?? { mode: 'Off', algorithm: 'ECDSA256', nsec3: false, ds: [] }),
        ...(isOfTeam(declaredZone) && { mostKeys }),
      };
      try {
        const signature = await this.#signer.reconcile(zone, signing);
        if (signature) signatures.set(zone.name, signature);
      } catch (error) {
        failures.set(zone.name, messageOf(error));
        const known = this.#signatures.get(zone.name);
        if (known) signatures.set(zone.name, known);
      }
    }
    this.#signatures = signatures;
    return JSON.stringify([...signatures]) !== before;
  }
}
