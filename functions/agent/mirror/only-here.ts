import type { Declaration } from '../../contract/declaration.ts';
import { absolute } from '../../dns/name.ts';
import { isOrphaned } from '../discovery/scope.ts';
import { isWildcardBlock } from '../discovery/wildcard-blocks.ts';
import { answerOf, declaredAccount, keyOf, ownershipOf, type RRset, type Zone } from '../powerdns/rrset.ts';
import { type Entry, keyOfEntry } from './entry.ts';

/**
 * What a database has at a place: an RRset that exists nowhere else, one that follows from the declaration or from the
 * objects, or one of which it is not known yet.
 */
export type Local = Entry | 'declared' | 'discovered' | 'unknown';

export interface OnlyHereOptions {
  declaration: Declaration;
  /** The discovered RRsets that stay without an object, each as `answerOf` has it; undefined while that is not known. */
  kept: ReadonlySet<string> | undefined;
}

/** Whether a discovered RRset may outlive the wish for it. */
export const outlives = ({ discovery }: Declaration) => discovery !== undefined && discovery.policy !== 'Sync';

/** The RRsets of a database, as a mirror sees them. */
export class OnlyHere {
  /** Those that exist nowhere else, by the keys of their entries. */
  readonly entries = new Map<string, Entry>();
  /** The keys of those of which it is not known. */
  readonly unknown = new Set<string>();
  readonly #circumstances: OnlyHereOptions;
  readonly #declared: ReadonlySet<string>;
  readonly #zones: ReadonlyMap<string, Zone>;
  readonly #rrsets = new Map<string, Map<string, RRset>>();

  constructor(zones: readonly Zone[], circumstances: OnlyHereOptions) {
    this.#circumstances = circumstances;
    this.#declared = new Set(circumstances.declaration.zones.map(({ name }) => absolute(name)));
    this.#zones = new Map(zones.map((zone) => [zone.name, zone]));
    for (const zone of zones) this.#take(zone);
  }

  #take(zone: Zone): void {
    const isDeclared = this.isDeclared(zone.name);
    for (const rrset of isDeclared ? zone.rrsets : undeclared(zone)) {
      // All of them disabled: it is not answered.
      if (rrset.records.length === 0) continue;
      const state = isDeclared ? this.#stateOf(rrset) : 'only';
      if (state !== 'only' && state !== 'unknown') continue;
      const isTop = rrset.type === 'SOA' && !isDeclared;
      const entry = { zone: zone.name, rrset, ...(isTop && { account: zone.account }) };
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

  /** What is in the place of an entry. */
  at(key: string, { zone, rrset }: Entry): Local | undefined {
    const only = this.entries.get(key);
    if (only) return only;
    const there = this.#zones.get(zone);
    // Of a declared zone that is not made yet nothing can be said.
    if (!there) return this.isDeclared(zone) ? 'unknown' : undefined;
    if (!this.isDeclared(zone)) return isSecondary(there) ? 'unknown' : undefined;
    const present = this.rrset(zone, rrset);
    // What only keeps a name from a wildcard follows from what else there is, and gives way to it.
    if (!present || present.records.length === 0 || isWildcardBlock(present)) return undefined;
    const state = this.#stateOf(present);
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

  #stateOf(rrset: RRset): 'only' | Exclude<Local, Entry> {
    const ownership = ownershipOf(rrset);
    if (ownership === 'foreign') return 'only';
    if (ownership === 'declared') return 'declared';
    const { declaration, kept } = this.#circumstances;
    if (!declaration.discovery || !outlives(declaration)) return 'discovered';
    if (!kept) return 'unknown';
    return kept.has(answerOf(rrset)) || isOrphaned(declaration.discovery, rrset) ? 'only' : 'discovered';
  }
}

/** What a zone that is not declared is to keep: everything, of one of ours what other people's records need. */
function undeclared(zone: Zone): RRset[] {
  if (isSecondary(zone)) return [];
  if (zone.account !== declaredAccount) return zone.rrsets;
  if (!zone.rrsets.some((rrset) => ownershipOf(rrset) === 'foreign')) return [];
  return zone.rrsets.filter((rrset) => ownershipOf(rrset) !== 'discovered');
}

/** Whether a zone's records are another server's. */
const isSecondary = ({ kind = 'Native' }: Zone) => ['Slave', 'Secondary', 'Consumer'].includes(kind);
