import type { AgentClient } from '../kubernetes/agent-client.ts';
import { dataKey } from '../kubernetes/data-key.ts';
import type { Secret } from '../kubernetes/object.ts';
import type { KeyStore } from './keystore.ts';

/** Attempts to write the Secret, as others may write it after it was read. */
const mostAttempts = 10;

/** Zones' keys in a Secret's data, one entry per zone. Other entries stay. */
export class SecretKeys implements KeyStore {
  readonly #cluster: Pick<AgentClient, 'readSecret' | 'mergeSecret'>;
  readonly #name: string;

  constructor(cluster: Pick<AgentClient, 'readSecret' | 'mergeSecret'>, name: string) {
    this.#cluster = cluster;
    this.#name = name;
  }

  async read(zone: string): Promise<string | undefined> {
    return keyIn(await this.#cluster.readSecret(this.#name), zone);
  }

  async getOrCreate(zone: string, key: string, most = Number.POSITIVE_INFINITY): Promise<string> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const secret = await this.#cluster.readSecret(this.#name);
      if (!secret) throw new Error('it does not exist yet');
      const existing = keyIn(secret, zone);
      if (existing !== undefined) return existing;
      const count = Object.keys(secret.data ?? {}).length;
      if (count >= most) throw new Error(`it has ${count} keys already: remove those of zones that are gone`);
      const { resourceVersion } = secret.metadata;
      const data = { [entryOf(zone)]: Buffer.from(key).toString('base64') };
      if (await this.#cluster.mergeSecret(this.#name, { metadata: { resourceVersion }, data })) return key;
    }
    throw new Error('it keeps changing');
  }

  async remove(zone: string): Promise<void> {
    const secret = await this.#cluster.readSecret(this.#name);
    if (secret?.data?.[entryOf(zone)] === undefined) return;
    await this.#cluster.mergeSecret(this.#name, { data: { [entryOf(zone)]: null } });
  }
}

function keyIn(secret: Secret | undefined, zone: string): string | undefined {
  const entry = secret?.data?.[entryOf(zone)];
  return entry ? Buffer.from(entry, 'base64').toString() : undefined;
}

/** The key of a zone's entry. */
export const entryOf = (zone: string) => dataKey(zone.toLowerCase());
