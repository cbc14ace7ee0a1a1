import { absolute, zoneOf } from '../dns/name.ts';
import { withOwnershipRecords } from './discovery/ownership/ownership-txt.ts';
import type { CurrentZones, Provider } from './discovery/provider.ts';
import { withWildcardBlocks } from './discovery/wildcard-blocks.ts';
import type { Database } from './powerdns/database.ts';
import type { Change } from './powerdns/rrset.ts';
import { rejectedAmong, storedChanges, withAddresses } from './zones/computed-rrset.ts';

/** Writes what a provider has decided, in one transaction a zone. */
export class ChangeWriter {
  readonly #database: Pick<Database, 'refreshed' | 'apply'>;

  constructor(database: Pick<Database, 'refreshed' | 'apply'>) {
    this.#database = database;
  }

  async write(provider: Provider, changes: Change[], { declaration, zones }: CurrentZones): Promise<void> {
    const there = new Map(zones.map((zone) => [zone.name, zone]));
    const declared = new Map(declaration.zones.map(({ name }) => [absolute(name), there.get(absolute(name))]));
    for (const [zone, ofZone] of Map.groupBy(changes, ({ rrset }) => zoneOf(rrset.name, declared))) {
      if (!zone) continue;
      // A record that a person has just made must not be lost.
      const names = new Set(ofZone.map(({ rrset }) => rrset.name));
      const present = withAddresses(await this.#database.refreshed(zone, names));
      const allowed = provider.allowed(ofZone, present, declaration);
      const withOwnership = withOwnershipRecords(zone, allowed, declaration.discovery?.ownershipTXT);
      const isInZone = (name: string) => zoneOf(name, declared) === zone;
      const reservations = { reservedNames: declaration.discovery?.reservedNames ?? [], isHome: isInZone };
      const all = withWildcardBlocks(zone, withOwnership, reservations);
      const inPowerDNS = storedChanges(present, all);
      // It is there already.
      if (inPowerDNS.length === 0 && all.length > 0) continue;
      const rejected = rejectedAmong(all, await this.#database.apply(zone, inPowerDNS));
      provider.changesApplied(zone, allowed, rejected);
      // A wildcard that PowerDNS rejected needs no blocks.
      if (!rejected.some(({ change }) => change.rrset.name.startsWith('*.'))) continue;
      await this.#database.apply(zone, withWildcardBlocks(await this.#database.refreshed(zone), [], reservations));
    }
  }
}
