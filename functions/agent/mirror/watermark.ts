import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type PowerDNS, PowerDNSRefusal } from '../powerdns/powerdns.ts';
import type { Agreed } from './merge.ts';

/** What a database knows of the mirror. It is in the database, so that it is lost with it. */
export interface Agreement {
  /** Of the database: a new one has another. */
  database: string;
  /** The mirror's id; none before there was anything to mirror. */
  mirror: string;
  entries: Agreed;
  /** What is being taken over from the mirror: whether it was is not known to who begins anew. */
  taking: Agreed;
}

/** https://doc.powerdns.com/authoritative/domainmetadata.html#extra-metadata */
const kind = 'X-INTERNAL-DNS-MIRRORED';

const digests = z.record(z.string(), z.string()).transform((each): Agreed => new Map(Object.entries(each)));
const stored = z.object({ database: z.string(), mirror: z.string(), entries: digests, taking: digests });

export interface AgreementsOptions {
  powerdns: Pick<PowerDNS, 'metadata' | 'setMetadata'>;
  /** The absolute name of a zone that is nobody's. */
  zone: string;
  /** Makes that zone, unless it is there. */
  make: () => Promise<void>;
}

/** The agreement, in the metadata of a zone that every database has. */
export class Agreements {
  readonly #options: AgreementsOptions;

  constructor(options: AgreementsOptions) {
    this.#options = options;
  }

  /** A database that is new is given its name: one that is lost while it is looked at is known by it. */
  async read(): Promise<Agreement> {
    const there = await this.#read();
    if (there) return there;
    const fresh: Agreement = { database: randomUUID(), mirror: '', entries: new Map(), taking: new Map() };
    await this.#options.make();
    await this.#write(fresh);
    return fresh;
  }

  /** Fails when the database is another one than it was: it would take for removed what it never had. */
  async write(before: Agreement, agreement: Agreement): Promise<void> {
    if (textOf(before) === textOf(agreement)) return;
    const there = await this.#read();
    if (there?.database !== before.database) throw new Error('the database was replaced meanwhile');
    await this.#write(agreement);
  }

  async #read(): Promise<Agreement | undefined> {
    const { powerdns, zone } = this.#options;
    try {
      const [text] = await powerdns.metadata({ id: zone }, kind);
      return text === undefined ? undefined : stored.parse(JSON.parse(text));
    } catch (error) {
      const isMissing = error instanceof PowerDNSRefusal && error.status === 404;
      if (isMissing || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
      throw error;
    }
  }

  #write(agreement: Agreement): Promise<void> {
    const { powerdns, zone } = this.#options;
    return powerdns.setMetadata({ id: zone }, kind, [textOf(agreement)]);
  }
}

const textOf = ({ database, mirror, entries, taking }: Agreement) =>
  JSON.stringify({ database, mirror, entries: sorted(entries), taking: sorted(taking) });

const sorted = (digests: Agreed) => Object.fromEntries([...digests].sort(([a], [b]) => (a < b ? -1 : 1)));
