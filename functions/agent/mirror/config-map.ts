import { randomUUID } from 'node:crypto';
import type { AgentClient } from '../kubernetes/agent-client.ts';
import type { ConfigMap } from '../kubernetes/object.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { type Entry, entryOf, textOf } from './entry.ts';
import type { Mirror, MirrorStore } from './mirror-store.ts';

/** Milliseconds. */
const timeoutMs = 3_000;

/** The key that identifies the mirror. An emptied or copied ConfigMap lacks a valid one. */
const marker = 'mirror';

export interface ConfigMapMirrorOptions {
  cluster: Pick<AgentClient, 'watchConfigMap' | 'readConfigMap' | 'mergeConfigMap'>;
  name: string;
  failureLog: Pick<FailureLog, 'record'>;
  onChange: () => void;
}

/** The mirror in a ConfigMap's data, one entry per RRset. */
export class ConfigMapMirror implements MirrorStore {
  readonly #options: ConfigMapMirrorOptions;
  #version = 0;
  #isWatched = false;

  constructor(options: ConfigMapMirrorOptions) {
    this.#options = options;
  }

  get version(): number {
    return this.#version;
  }

  async read(): Promise<Mirror | undefined> {
    this.#watch();
    const { cluster, name } = this.#options;
    const configMap = await withTimeout(cluster.readConfigMap(name));
    return configMap && mirrorOf(configMap);
  }

  write({ id, resourceVersion }: Mirror, changes: ReadonlyMap<string, Entry | undefined>): Promise<boolean> {
    const { cluster, name } = this.#options;
    const entries = [...changes].map(([key, entry]) => [key, entry ? textOf(entry) : null]);
    const data = { [marker]: id, ...Object.fromEntries(entries) };
    return withTimeout(cluster.mergeConfigMap(name, { metadata: { resourceVersion }, data }));
  }

  /** Starts with the first read. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const { cluster, name, failureLog, onChange } = this.#options;
    const update = () => {
      this.#version += 1;
      onChange();
    };
    cluster.watchConfigMap(name, update, (failure) => failureLog.record(`watch ConfigMap ${name}`, failure));
  }
}

/** A silent API server must not block PowerDNS's only writer. */
async function withTimeout<T>(request: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('the API server does not answer')), timeoutMs);
  try {
    return await Promise.race([request, promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function mirrorOf({ metadata: { uid = '', resourceVersion = '' }, data = {} }: ConfigMap): Mirror {
  const { [marker]: mark, ...texts } = data;
  const isInitialized = mark?.startsWith(`${uid} `) ?? false;
  return {
    id: isInitialized && mark ? mark : `${uid} ${randomUUID()}`,
    isInitialized,
    resourceVersion,
    entries: new Map(Object.entries(texts).map(([key, text]) => [key, entryOf(key, text)])),
    bytes: new Map(Object.entries(texts).map(([key, text]) => [key, bytesOf(key, text)])),
  };
}

/** Counts the key twice, as managed fields repeat it. */
export const bytesOf = (key: string, text: string) => 2 * key.length + Buffer.byteLength(text);
