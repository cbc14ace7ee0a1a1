import * as z from 'zod';
import type { AgentClient } from '../kubernetes/agent-client.ts';
import { type Entries, entriesSchema, objectOf } from './entries.ts';
import { Awaited } from './failure.ts';

/** Which split DNS: the same entry in another tailnet is another one. */
export interface Target {
  apiURL: string;
  tailnet: string;
}

/** Remembers what was written into the split DNS of a tailnet. */
export interface Memory {
  read(target: Target): Promise<Entries>;
  write(target: Target, entries: Entries): Promise<void>;
}

/** The key of the ConfigMap. */
export const memoryKey = 'split-dns.json';

const schema = z.object({ apiURL: z.string(), tailnet: z.string(), zones: entriesSchema });

/** The memory in a ConfigMap of the instance, so that it outlives the agent. */
export class ConfigMapMemory implements Memory {
  readonly #cluster: Pick<AgentClient, 'readConfigMap' | 'mergeConfigMap'>;
  readonly #name: string;

  constructor(cluster: Pick<AgentClient, 'readConfigMap' | 'mergeConfigMap'>, name: string) {
    this.#cluster = cluster;
    this.#name = name;
  }

  async read({ apiURL, tailnet }: Target): Promise<Entries> {
    const configMap = await this.#cluster.readConfigMap(this.#name);
    if (!configMap) throw new Awaited(`ConfigMap ${this.#name} does not exist yet`);
    const stored = parsed(configMap.data?.[memoryKey]);
    return stored?.apiURL === apiURL && stored.tailnet === tailnet ? stored.zones : new Map();
  }

  async write({ apiURL, tailnet }: Target, entries: Entries): Promise<void> {
    const text = JSON.stringify({ apiURL, tailnet, zones: objectOf(entries) });
    await this.#cluster.mergeConfigMap(this.#name, { data: { [memoryKey]: text } });
  }
}

/** Undefined if somebody else has written there. */
function parsed(text = 'null'): z.infer<typeof schema> | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
