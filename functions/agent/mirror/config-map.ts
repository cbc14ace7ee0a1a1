import { randomUUID } from 'node:crypto';
import type { AgentClient } from '../kubernetes/agent-client.ts';
import type { ConfigMap } from '../kubernetes/object.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { type Entry, entryOf, textOf } from './entry.ts';
import type { Mirror, MirrorStore } from './mirror-store.ts';

/** Milliseconds. */
const timeoutMs = 3_000;

/** Says that the ConfigMap is a mirror, and which: one that was emptied, or is a copy, is none. */
const marker = 'mirror';

export interface ConfigMapMirrorOptions {
  cluster: Pick<AgentClient, 'watchConfigMap' | 'readConfigMap' | 'mergeConfigMap'>;
  name: string;
  failureLog: Pick<FailureLog, 'record'>;
  onChange: () => void;
}

/** The mirror in a ConfigMap's data, an entry for each RRset. */
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
    const configMap = await inTime(cluster.readConfigMap(name));
    return configMap && mirrorOf(configMap);
  }

  write({ id, resourceVersion }: Mirror, changes: ReadonlyMap<string, Entry | undefined>): Promise<boolean> {
    const { cluster, name } = this.#options;
    const entries = [...changes].map(([key, entry]) => [key, entry ? textOf(entry) : null]);
    const data = { [marker]: id, ...Object.fromEntries(entries) };
    return inTime(cluster.mergeConfigMap(name, { metadata: { resourceVersion }, data }));
  }

  /** Once somebody has asked for it. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const { cluster, name, failureLog, onChange } = this.#options;
    const changed = () => {
      this.#version += 1;
      onChange();
    };
    cluster.watchConfigMap(name, changed, (failure) => failureLog.record(`watch ConfigMap ${name}`, failure));
  }
}

/** An API server that does not answer at all must not keep PowerDNS's only writer waiting. */
async function inTime<T>(request: Promise<T>): Promise<T> {
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
  const isKept = mark?.startsWith(`${uid} `) ?? false;
  return {
    id: isKept && mark ? mark : `${uid} ${randomUUID()}`,
    isKept,
    resourceVersion,
    entries: new Map(Object.entries(texts).map(([key, text]) => [key, entryOf(key, text)])),
    bytes: new Map(Object.entries(texts).map(([key, text]) => [key, bytesOf(key, text)])),
  };
}

/** With the key's second occurrence, among the fields that somebody manages. */
export const bytesOf = (key: string, text: string) => 2 * key.length + Buffer.byteLength(text);
