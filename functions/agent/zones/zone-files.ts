import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ZoneFileRef } from '../../contract/declaration.ts';
import { zoneFileText } from '../../dns/zone-file/text.ts';
import type { AgentClient } from '../kubernetes/agent-client.ts';
import { messageOf } from '../lib/error-message.ts';
import type { FailureLog } from '../lib/failure-log.ts';
import { nameOf, type ZoneFileState, type ZoneFiles } from './zone-file.ts';

/** A ConfigMap's data: text, or bytes in base64. */
export interface ConfigMapData {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

/** Calls `onChange` with a ConfigMap now and whenever it changes, with undefined if it does not exist. Returns a function that stops it. */
export type WatchConfigMap = (name: string, onChange: (configMap: ConfigMapData | undefined) => void) => () => void;

/** The zone files that a declaration refers to, as they were last read. */
export class ZoneFileSet {
  readonly #watch: WatchConfigMap;
  readonly #onChange: (files: ZoneFiles) => void;
  readonly #limit: number;
  #refs: ZoneFileRef[] = [];
  readonly #stops = new Map<string, () => void>();
  readonly #configMaps = new Map<string, ConfigMapData | undefined>();

  /** @param limit characters of all zone files together, once they are unpacked */
  constructor(watch: WatchConfigMap, onChange: (files: ZoneFiles) => void, limit: number) {
    this.#limit = limit;
    this.#watch = watch;
    this.#onChange = onChange;
  }

  /** Watches these files and no others. */
  watch(refs: ZoneFileRef[]): void {
    this.#refs = refs;
    const names = new Set(refs.map(({ configMap }) => configMap));
    for (const [name, stop] of this.#stops) {
      if (names.has(name)) continue;
      stop();
      this.#stops.delete(name);
      this.#configMaps.delete(name);
    }
    for (const name of names) {
      if (this.#stops.has(name)) continue;
      const update = (configMap: ConfigMapData | undefined) => {
        this.#configMaps.set(name, configMap);
        this.#onChange(this.#files());
      };
      this.#stops.set(name, this.#watch(name, update));
    }
    this.#onChange(this.#files());
  }

  #files(): ZoneFiles {
    const known = this.#refs.filter(({ configMap }) => this.#configMaps.has(configMap));
    const files = new Map<string, ZoneFileState>();
    let budget = this.#limit;
    for (const ref of known) {
      const state =
        files.get(nameOf(ref)) ?? stateOf(ref, this.#configMaps.get(ref.configMap), { budget, limit: this.#limit });
      if (!files.has(nameOf(ref))) budget -= state.text?.length ?? 0;
      files.set(nameOf(ref), state);
    }
    return files;
  }
}

function stateOf(
  { key }: ZoneFileRef,
  configMap: ConfigMapData | undefined,
  { budget, limit }: { budget: number; limit: number },
): ZoneFileState {
  if (!configMap) return { failure: 'there is no such ConfigMap' };
  const text = valueAt(configMap.data, key);
  if (text !== undefined) return text.length > budget ? { failure: tooLong(limit) } : { text };
  const bytes = valueAt(configMap.binaryData, key);
  if (bytes === undefined) return { failure: 'the ConfigMap has no such key' };
  try {
    return { text: unpacked(Buffer.from(bytes, 'base64'), budget) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return { failure: tooLong(limit) };
    return { failure: `cannot unpack it: ${messageOf(error)}` };
  }
}

const tooLong = (limit: number) =>
  `the zone files of the instance are longer than ${limit} characters together: raise resources.agent.limits.memory, or split them among several instances`;

/** Every object inherits keys such as `constructor`. */
const valueAt = (data: Record<string, string> | undefined, key: string) =>
  data && Object.hasOwn(data, key) ? data[key] : undefined;

/** A ConfigMap holds at most 1 MiB: a longer zone file may be compressed with gzip. */
function unpacked(bytes: Buffer, most: number): string {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return zoneFileText(isGzip ? gunzipSync(bytes, { maxOutputLength: Math.max(1, most) }) : bytes);
}

/** Watches ConfigMaps of the cluster. */
export const watchConfigMaps =
  (cluster: Pick<AgentClient, 'watchConfigMap'>, failureLog: Pick<FailureLog, 'record'>): WatchConfigMap =>
  (name, onChange) =>
    cluster.watchConfigMap(name, onChange, (failure) =>
      failureLog.record('watch a zone file', failure, { configMap: name }),
    );

/** Reads zone files of a folder, CONFIGMAP/KEY, once. Without a folder there are none. */
export const configMapsInFolder =
  (folder: string | undefined): WatchConfigMap =>
  (name, onChange) => {
    onChange(folder === undefined ? undefined : configMapAt(join(folder, name)));
    return () => {};
  };

function configMapAt(folder: string): ConfigMapData | undefined {
  if (!existsSync(folder)) return undefined;
  return { data: Object.fromEntries(readdirSync(folder).map((key) => [key, readFileSync(join(folder, key), 'utf8')])) };
}
