import * as z from 'zod';
import type { Declaration } from '../../contract/declaration.ts';
import { absolute, zoneOf } from '../../dns/name.ts';
import type { Database, Metadata } from '../powerdns/database.ts';
import type { Zone } from '../powerdns/rrset.ts';
import { type GuardState, type MissingName, missingName } from './delete-guard.ts';
import type { CurrentZones } from './provider.ts';
import { scopesOf } from './scope.ts';

export type DeleteGuardStoreOptions = Pick<Database, 'metadata' | 'setMetadata'>;

/** What is missed of a zone, by the ID of the owner that misses it. */
const record = z.record(z.string(), z.array(missingName));

type MemoryRecord = z.infer<typeof record>;

const kind = 'X-INTERNAL-DNS-DELETE-GUARD';

/** Of a zone that is made: where not even this is, what was missed is lost. */
export const emptyGuardState: Metadata = { [kind]: ['{}'] };

/**
 * What the delete guards know, in the metadata of the zones that it is about: an agent that starts goes on where another
 * one was, whatever its version. Replicas share nothing, this neither.
 */
export class DeleteGuardStore {
  readonly #database: DeleteGuardStoreOptions;
  /** As they are in the database, by the zones' names. */
  readonly #records = new Map<string, MemoryRecord | undefined>();
  /** What was written last of each owner, and into which zones. */
  readonly #written = new Map<string, { missing: readonly MissingName[]; zones: string }>();

  constructor(database: DeleteGuardStoreOptions) {
    this.#database = database;
  }

  /** Where an owner's guard was. */
  async read(ownerID: string, present: CurrentZones): Promise<GuardState> {
    const zones = declaredIn(present);
    for (const zone of zones) this.#records.set(zone.name, await this.#read(zone));
    const lost = zones.filter(({ name }) => this.#records.get(name) === undefined);
    const homes = new Map(zones.map(({ name }) => [name, name]));
    const isLost = new Set(lost.map(({ name }) => name));
    this.#written.delete(ownerID);
    return {
      missing: zones.flatMap(({ name }) => this.#records.get(name)?.[ownerID] ?? []),
      isLost: (name) => isLost.has(zoneOf(name, homes) ?? ''),
    };
  }

  /** Writes nothing when nothing has changed. */
  async write(ownerID: string, missing: readonly MissingName[], present: CurrentZones): Promise<void> {
    const zones = declaredIn(present);
    const names = zones.map(({ name }) => name).join(' ');
    const last = this.#written.get(ownerID);
    if (last?.missing === missing && last.zones === names) return;
    const owners = new Set(scopesOfAll(present.declaration));
    const homes = new Map(zones.map(({ name }) => [name, name]));
    const byZone = Map.groupBy(missing, ({ name }) => zoneOf(name, homes));
    for (const zone of zones) {
      // A zone that was made since the last reading has what it was made with.
      const before = this.#records.has(zone.name) ? this.#records.get(zone.name) : {};
      const after = withOwner(before, ownerID, byZone.get(zone.name), owners);
      if (before && JSON.stringify(after) === JSON.stringify(before)) continue;
      await this.#database.setMetadata(zone, kind, [JSON.stringify(after)]);
      this.#records.set(zone.name, after);
    }
    for (const name of this.#records.keys()) if (!homes.has(name)) this.#records.delete(name);
    this.#written.set(ownerID, { missing, zones: names });
  }

  /** Undefined where there is none. */
  async #read(zone: Zone): Promise<MemoryRecord | undefined> {
    const [text = ''] = await this.#database.metadata(zone, kind);
    try {
      return record.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
}

/** What one owner misses now, beside the others that there are. */
function withOwner(
  before: MemoryRecord = {},
  ownerID: string,
  missing: MissingName[] | undefined,
  owners: ReadonlySet<string>,
): MemoryRecord {
  const others = Object.entries(before).filter(([id]) => id !== ownerID && owners.has(id));
  const all = missing ? [...others, [ownerID, missing] as const] : others;
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function declaredIn({ declaration, zones }: CurrentZones): Zone[] {
  const declared = new Set(declaration.zones.map(({ name }) => absolute(name)));
  return zones.filter(({ name }) => declared.has(name));
}

const scopesOfAll = ({ discovery }: Declaration) =>
  discovery ? scopesOf(discovery).map(({ ownerID }) => ownerID) : [];
