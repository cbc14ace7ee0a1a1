import type { Declaration } from '../../contract/declaration.ts';
import { absolute } from '../../dns/name.ts';
import { isOrphaned } from '../discovery/scope.ts';
import { isWildcardBlock } from '../discovery/wildcard-blocks.ts';
import { answerOf, declaredAccount, keyOf, ownershipOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import { type Entry, keyOfEntry } from './entry.ts';

/**
 * What a database has for a key: an RRset that exists on this volume only, one that follows from the declaration or from
 * objects, or one of which this is not known yet.
 */
export type LocalState = Entry | 'declared' | 'discovered' | 'unknown';

export interface LocalRecordsOptions {
  declaration: Declaration;
  /** The discovered RRsets that stay without an object, by `answerOf`. Undefined while that is not known. */
  kept: ReadonlySet<string> | undefined;
}

/** Reports whether discovered RRsets may outlive their objects. */
export const keepsOrphans = ({ discovery }: Declaration) => discovery !== undefined && discovery.policy !== 'Sync';

/** Tells the records that exist in this database only from those that can be rebuilt. */
export class LocalRecords {
  /** The RRsets that exist on this volume only, by key. */
  readonly entries = new Map<string, Entry>();
  /** The keys of RRsets of which it is not known. */
  readonly unknown = new Set<string>();
  readonly #options: LocalRecordsOptions;
  readonly #declared: ReadonlySet<string>;
  readonly #zones: ReadonlyMap<string, Zone>;
  readonly #rrsets = new Map<string, Map<string, RRset>>();

  constructor(zones: readonly Zone[], options: LocalRecordsOptions) {
    this.#options = options;
    this.#declared = new Set(options.declaration.zones.map(({ name }) => absolute(name)));
    this.#zones = new Map(zones.map((zone) => [zone.name, zone]));
    for (const zone of zones) this.#add(zone);
  }

  #add(zone: Zone): void {
    const isDeclared = this.isDeclared(zone.name);
    for (const rrset of isDeclared ? zone.rrsets : undeclared(zone)) {
      // All of its records are disabled: PowerDNS does not answer it.
      if (rrset.records.length === 0) continue;
      const state = isDeclared ? this.#stateOf(rrset) : 'only';
      if (state !== 'only' && state !== 'unknown') continue;
      const isSOA = rrset.type === 'SOA' && !isDeclared;
      const entry = { zone: zone.name, rrset, ...(isSOA && { account: zone.account }) };
      const key = keyOfEntry(entry);
      if (state === 'only') this.entries.set(key, entry);
      else this.unknown.add(key);
    }
  }

  isDeclared(zone: string): boolean {
    return this.#declared.has(zone);
  }

  zone(name: string): Zone | undefined {
    return this.#zones.get(name);
  }

  /** Returns what the database has for a mirrored entry. */
  at(key: string, { zone, rrset }: Entry): LocalState | undefined {
    const only = this.entries.get(key);
    if (only) return only;
    const current = this.#zones.get(zone);
    // A declared zone that is not created yet may get the record.
    if (!current) return this.isDeclared(zone) ? 'unknown' : undefined;
    if (!this.isDeclared(zone)) return isSecondary(current) ? 'unknown' : undefined;
    const existing = this.rrset(zone, rrset);
    // A wildcard block is derived from the other RRsets, and yields to any of them.
    if (!existing || existing.records.length === 0 || isWildcardBlock(existing)) return undefined;
    const state = this.#stateOf(existing);
    return state === 'only' ? undefined : state;
  }

  rrset(zone: string, rrset: Pick<RRset, 'name' | 'type'>): RRset | undefined {
    let rrsets = this.#rrsets.get(zone);
    if (!rrsets) {
      rrsets = new Map(this.#zones.get(zone)?.rrsets.map((each) => [keyOf(each), each]));
      this.#rrsets.set(zone, rrsets);
    }
    return rrsets.get(keyOf(rrset));
  }

  #stateOf(rrset: RRset): 'only' | Exclude<LocalState, Entry> {
    const ownership = ownershipOf(rrset);
    if (ownership === 'foreign') return 'only';
    if (ownership === 'declared') return 'declared';
    const { declaration, kept } = this.#options;
    if (!declaration.discovery || !keepsOrphans(declaration)) return 'discovered';
    if (!kept) return 'unknown';
    return kept.has(answerOf(rrset)) || isOrphaned(declaration.discovery, rrset) ? 'only' : 'discovered';
  }
}

/** Returns the RRsets of an undeclared zone to mirror: all, or in a zone of ours all that foreign records need. */
function undeclared(zone: Zone): RRset[] {
  if (isSecondary(zone)) return [];
  if (zone.account !== declaredAccount) return zone.rrsets;
  if (!zone.rrsets.some((rrset) => ownershipOf(rrset) === 'foreign')) return [];
  return zone.rrsets.filter((rrset) => ownershipOf(rrset) !== 'discovered');
}

/** Reports whether another server is the source of a zone's records. */
const isSecondary = ({ kind = 'Native' }: Zone) => ['Slave', 'Secondary', 'Consumer'].includes(kind);
