import * as z from 'zod';
import type { Declaration } from '../../contract/declaration.ts';
import { absolute, zoneOf } from '../../dns/name.ts';
import type { Database, Metadata } from '../powerdns/database.ts';
import type { Zone } from '../powerdns/rrset.ts';
import type { GuardState } from './delete-guard.ts';
import { type MissingName, missingName } from './missing-names.ts';
import type { CurrentZones } from './provider.ts';
import { scopesOf } from './scope.ts';

export type DeleteGuardStoreOptions = Pick<Database, 'metadata' | 'setMetadata'>;

/** The missing names of a zone by owner ID. */
const zoneState = z.record(z.string(), z.array(missingName));

type ZoneState = z.infer<typeof zoneState>;

const kind = 'X-INTERNAL-DNS-DELETE-GUARD';

/** The metadata of a new zone. In a zone without it the state is lost. */
export const emptyGuardState: Metadata = { [kind]: ['{}'] };

/**
 * Keeps the state of the delete guards in the metadata of the zones that it is about: an agent that starts continues
 * where another one was, whatever its version. Replicas do not share it, as they share no zone.
 */
export class DeleteGuardStore {
  readonly #database: DeleteGuardStoreOptions;
  /** As in the database, by zone name; undefined where it is lost. */
  readonly #states = new Map<string, ZoneState | undefined>();
  /** What was last written for each owner, and to which zones. */
  readonly #written = new Map<string, { missing: readonly MissingName[]; zones: string }>();

  constructor(database: DeleteGuardStoreOptions) {
    this.#database = database;
  }

  async read(ownerID: string, present: CurrentZones): Promise<GuardState> {
    const zones = declaredIn(present);
    for (const zone of zones) this.#states.set(zone.name, await this.#read(zone));
    const lost = new Set(zones.map(({ name }) => name).filter((name) => this.#states.get(name) === undefined));
    const zoneNames = new Map(zones.map(({ name }) => [name, name]));
    this.#written.delete(ownerID);
    return {
      missing: zones.flatMap(({ name }) => this.#states.get(name)?.[ownerID] ?? []),
      isLost: (name) => lost.has(zoneOf(name, zoneNames) ?? ''),
    };
  }

  /** Does nothing unless something changed. */
  async write(ownerID: string, missing: readonly MissingName[], present: CurrentZones): Promise<void> {
    const zones = declaredIn(present);
    const names = zones.map(({ name }) => name).join(' ');
    const last = this.#written.get(ownerID);
    if (last?.missing === missing && last.zones === names) return;
    const owners = new Set(ownerIDsIn(present.declaration));
    const zoneNames = new Map(zones.map(({ name }) => [name, name]));
    const byZone = Map.groupBy(missing, ({ name }) => zoneOf(name, zoneNames));
    for (const zone of zones) {
      // A zone that was created since the last read has the metadata of a new one.
      const before = this.#states.has(zone.name) ? this.#states.get(zone.name) : {};
      const after = withMissing(before, ownerID, byZone.get(zone.name), owners);
      if (before && JSON.stringify(after) === JSON.stringify(before)) continue;
      await this.#database.setMetadata(zone, kind, [JSON.stringify(after)]);
      this.#states.set(zone.name, after);
    }
    for (const name of this.#states.keys()) if (!zoneNames.has(name)) this.#states.delete(name);
    this.#written.set(ownerID, { missing, zones: names });
  }

  /** Returns undefined if there is none, or none that is valid. */
  async #read(zone: Zone): Promise<ZoneState | undefined> {
    const [text = ''] = await this.#database.metadata(zone, kind);
    try {
      return zoneState.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
}

/** Replaces one owner's missing names, and drops owners that are no longer declared. */
function withMissing(
  before: ZoneState = {},
  ownerID: string,
  missing: MissingName[] | undefined,
  owners: ReadonlySet<string>,
): ZoneState {
  const others = Object.entries(before).filter(([id]) => id !== ownerID && owners.has(id));
  const all = missing ? [...others, [ownerID, missing] as const] : others;
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function declaredIn({ declaration, zones }: CurrentZones): Zone[] {
  const declared = new Set(declaration.zones.map(({ name }) => absolute(name)));
  return zones.filter(({ name }) => declared.has(name));
}

const ownerIDsIn = ({ discovery }: Declaration) => (discovery ? scopesOf(discovery).map(({ ownerID }) => ownerID) : []);
