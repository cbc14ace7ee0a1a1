/** A ConfigMap in memory with the optimistic concurrency of the API server. */

import type { AgentClient } from '../../../functions/agent/kubernetes/agent-client.ts';
import type { ConfigMap } from '../../../functions/agent/kubernetes/object.ts';

type Store = Pick<AgentClient, 'watchConfigMap' | 'readConfigMap' | 'mergeConfigMap'>;

export class MemoryConfigMap implements Store {
  data: Record<string, string> = {};
  #uid = 1;
  #version = 1;
  readonly #watchers = new Set<(configMap: ConfigMap) => void>();
  /** Writes so far. */
  writes = 0;
  /** Called before the response to a write. */
  onWrite: () => Promise<void> = async () => {};
  /** Every request fails with this while it is set. */
  failure: string | undefined;

  get #configMap(): ConfigMap {
    return {
      metadata: { name: 'kept', uid: `${this.#uid}`, resourceVersion: `${this.#version}` },
      data: { ...this.data },
    };
  }

  watchConfigMap(_: string, take: (configMap: ConfigMap | undefined) => void): () => void {
    this.#watchers.add(take);
    return () => this.#watchers.delete(take);
  }

  async readConfigMap(): Promise<ConfigMap> {
    if (this.failure) throw new Error(this.failure);
    return this.#configMap;
  }

  async mergeConfigMap(_: string, body: object): Promise<boolean> {
    if (this.failure) throw new Error(this.failure);
    const { metadata, data } = body as { metadata: { resourceVersion: string }; data: Record<string, string | null> };
    if (metadata.resourceVersion !== `${this.#version}`) return false;
    this.writes += 1;
    this.edit(data);
    await this.onWrite();
    return true;
  }

  /** Edits the ConfigMap by hand. */
  edit(changes: Record<string, string | null>): void {
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) delete this.data[key];
      else this.data[key] = value;
    }
    this.#changed();
  }

  /** Deletes the ConfigMap, which Crossplane then recreates. */
  destroy(): void {
    this.#uid += 1;
    this.data = {};
    this.#changed();
  }

  #changed(): void {
    this.#version += 1;
    for (const watcher of this.#watchers) watcher(this.#configMap);
  }

  /** The entries, without the id of the mirror. */
  get entries(): Record<string, unknown> {
    const { mirror: _, ...entries } = this.data;
    return Object.fromEntries(Object.entries(entries).map(([key, text]) => [key, JSON.parse(text)]));
  }
}
