import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type PowerDNS, PowerDNSRejection } from '../powerdns/powerdns.ts';
import type { Digests } from './merge.ts';

/** The state of a database's last sync with the mirror. It is kept in the database, to be lost with it. */
export interface Watermark {
  /** Identifies the database: a new one gets another. */
  database: string;
  /** The mirror's id; empty before the first sync. */
  mirror: string;
  entries: Digests;
  /** Entries that were being restored from the mirror: after a crash it is unknown which ones were. */
  restoring: Digests;
}

/** https://doc.powerdns.com/authoritative/domainmetadata.html#extra-metadata */
const kind = 'X-INTERNAL-DNS-MIRRORED';

const digests = z.record(z.string(), z.string()).transform((each): Digests => new Map(Object.entries(each)));
const stored = z
  .object({ database: z.string(), mirror: z.string(), entries: digests, taking: digests })
  .transform(({ taking, ...rest }): Watermark => ({ ...rest, restoring: taking }));

export interface WatermarksOptions {
  powerdns: Pick<PowerDNS, 'metadata' | 'setMetadata'>;
  /** The absolute name of the zone whose metadata holds it. */
  zone: string;
  /** Creates that zone unless it exists. */
  createZone: () => Promise<void>;
}

/** Stores the watermark in the metadata of a zone that every database has. */
export class Watermarks {
  readonly #options: WatermarksOptions;

  constructor(options: WatermarksOptions) {
    this.#options = options;
  }

  /** Gives a new database its id at once, so that its loss during a sync is noticed. */
  async read(): Promise<Watermark> {
    const existing = await this.#read();
    if (existing) return existing;
    const fresh: Watermark = { database: randomUUID(), mirror: '', entries: new Map(), restoring: new Map() };
    await this.#options.createZone();
    await this.#write(fresh);
    return fresh;
  }

  /** Fails if the database was replaced: the new one would seem to have removed what it never had. */
  async write(before: Watermark, watermark: Watermark): Promise<void> {
    if (textOf(before) === textOf(watermark)) return;
    const current = await this.#read();
    if (current?.database !== before.database) throw new Error('the database was replaced meanwhile');
    await this.#write(watermark);
  }

  async #read(): Promise<Watermark | undefined> {
    const { powerdns, zone } = this.#options;
    try {
      const [text] = await powerdns.metadata({ id: zone }, kind);
      return text === undefined ? undefined : stored.parse(JSON.parse(text));
    } catch (error) {
      const isMissing = error instanceof PowerDNSRejection && error.status === 404;
      if (isMissing || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
      throw error;
    }
  }

  #write(watermark: Watermark): Promise<void> {
    const { powerdns, zone } = this.#options;
    return powerdns.setMetadata({ id: zone }, kind, [textOf(watermark)]);
  }
}

const textOf = ({ database, mirror, entries, restoring }: Watermark) =>
  JSON.stringify({ database, mirror, entries: sorted(entries), taking: sorted(restoring) });

const sorted = (digests: Digests) => Object.fromEntries([...digests].sort(([a], [b]) => (a < b ? -1 : 1)));
