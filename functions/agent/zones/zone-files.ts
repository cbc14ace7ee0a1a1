import { gunzipSync } from 'node:zlib';
import type { ZoneFileRef } from '../../contract/declaration.ts';
import { zoneFileText } from '../../dns/zone-file/text.ts';
import { messageOf } from '../lib/error-message.ts';
import { nameOf, type ZoneFileState, type ZoneFiles } from './zone-file.ts';

/** What a ConfigMap holds: text, or bytes in base64. */
export interface ConfigMapData {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

/** Tells of a ConfigMap whenever it changes, at first as it is, with undefined when there is none. Ends when called. */
export type WatchConfigMap = (name: string, take: (configMap: ConfigMapData | undefined) => void) => () => void;

/** The zone files that a declaration names, each as it was last heard of. */
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

  /** Follows these files and no others. */
  follow(refs: ZoneFileRef[]): void {
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
      const take = (configMap: ConfigMapData | undefined) => {
        this.#configMaps.set(name, configMap);
        this.#onChange(this.#files());
      };
      this.#stops.set(name, this.#watch(name, take));
    }
    this.#onChange(this.#files());
  }

  #files(): ZoneFiles {
    const known = this.#refs.filter(({ configMap }) => this.#configMaps.has(configMap));
    const files = new Map<string, ZoneFileState>();
    let room = this.#limit;
    for (const ref of known) {
      const state =
        files.get(nameOf(ref)) ?? stateOf(ref, this.#configMaps.get(ref.configMap), { room, limit: this.#limit });
      if (!files.has(nameOf(ref))) room -= state.text?.length ?? 0;
      files.set(nameOf(ref), state);
    }
    return files;
  }
}

function stateOf(
  { key }: ZoneFileRef,
  configMap: ConfigMapData | undefined,
  { room, limit }: { room: number; limit: number },
): ZoneFileState {
  if (!configMap) return { failure: 'there is no such ConfigMap' };
  const text = valueAt(configMap.data, key);
  if (text !== undefined) return text.length > room ? { failure: tooLong(limit) } : { text };
  const bytes = valueAt(configMap.binaryData, key);
  if (bytes === undefined) return { failure: 'the ConfigMap has no such key' };
  try {
    return { text: unpacked(Buffer.from(bytes, 'base64'), room) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return { failure: tooLong(limit) };
    return { failure: `cannot unpack it: ${messageOf(error)}` };
  }
}

const tooLong = (limit: number) =>
  `the zone files of the instance are longer than ${limit} characters together: raise resources.agent.limits.memory, or split them among several instances`;

/** A key such as `constructor` is one that every object inherits. */
const valueAt = (data: Record<string, string> | undefined, key: string) =>
  data && Object.hasOwn(data, key) ? data[key] : undefined;

/** A ConfigMap has room for 1 MiB: a longer zone file fits in when it is compressed with gzip. */
function unpacked(bytes: Buffer, room: number): string {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return zoneFileText(isGzip ? gunzipSync(bytes, { maxOutputLength: Math.max(1, room) }) : bytes);
}
