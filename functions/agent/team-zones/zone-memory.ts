import type { Logger } from 'pino';
import * as z from 'zod';
import { declaration } from '../../contract/declaration.ts';
import { withoutDot } from '../../dns/name.ts';
import { FailureLog } from '../lib/failure-log.ts';
import type { Database } from '../powerdns/database.ts';
import { rejectionMessage } from '../powerdns/powerdns.ts';
import { declaredAccount, type Zone } from '../powerdns/rrset.ts';
import type { KeptZone } from './kept-zones.ts';

const kept = z.object({
  zone: declaration.shape.zones.element.extend({ resource: z.string() }),
  since: z.number().optional(),
  isHeld: z.literal(true).optional(),
});

const kind = 'X-INTERNAL-DNS-ZONE';

/**
 * Keeps the zones of teams in the metadata of these zones: an agent that starts while the Zones cannot be read goes on
 * serving what another one did.
 */
export class ZoneMemory {
  readonly #database: Pick<Database, 'metadata' | 'setMetadata'>;
  readonly #failureLog: FailureLog;
  /** As in the database, by zone name. */
  readonly #stored = new Map<string, string>();

  constructor(database: Pick<Database, 'metadata' | 'setMetadata'>, log: Logger) {
    this.#database = database;
    this.#failureLog = new FailureLog(log);
  }

  /** Returns what is known of the zones that PowerDNS has. */
  async read(zones: readonly Zone[]): Promise<Map<string, KeptZone>> {
    const found = new Map<string, KeptZone>();
    for (const zone of zones) {
      if (zone.account !== declaredAccount) continue;
      const [text = ''] = await this.#database.metadata(zone, kind);
      if (text !== '') this.#stored.set(zone.name, text);
      const parsed = kept.safeParse(objectIn(text));
      if (parsed.success) found.set(zone.name, parsed.data as KeptZone);
    }
    return found;
  }

  /** What is known of a zone is to be written again: PowerDNS has lost it. */
  forget(name: string): void {
    this.#stored.delete(name);
  }

  /** Does nothing unless something changed. What PowerDNS rejects is only not remembered. */
  async write(zones: readonly Zone[], kept: ReadonlyMap<string, KeptZone>): Promise<void> {
    for (const zone of zones) {
      const known = kept.get(zone.name);
      const text = known ? JSON.stringify(known) : '';
      if (text === (this.#stored.get(zone.name) ?? '')) continue;
      const failure = await this.#database
        .setMetadata(zone, kind, text === '' ? [] : [text])
        .then(() => undefined, rejectionMessage);
      this.#failureLog.record('remember the zone of a team', failure, { zone: withoutDot(zone.name) });
      this.#stored.set(zone.name, text);
    }
    const present = new Set(zones.map(({ name }) => name));
    for (const name of this.#stored.keys()) if (!present.has(name)) this.#stored.delete(name);
  }
}

function objectIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
