import { bytesOf } from './config-map.ts';
import { type Entry, textOf } from './entry.ts';
import type { Mirror } from './mirror-store.ts';

/**
 * Bytes of keys and entries. A ConfigMap may have 1 MiB of data: https://kubernetes.io/docs/concepts/configuration/configmap/#motivation.
 * The keys are there once more, as managed fields, and a request to etcd may have 1.5 MiB: https://etcd.io/docs/v3.6/dev-guide/limit/
 */
export const mostBytes = 1_000_000;

export interface Fitting {
  changes: Map<string, Entry | undefined>;
  /** What would not fit. */
  leftOut: Entry[];
}

/** Those of the changes that leave the mirror within its bounds: what is in it goes before what would come. */
export function fitting(
  { bytes }: Pick<Mirror, 'bytes'>,
  wanted: ReadonlyMap<string, Entry | undefined>,
  most = mostBytes,
): Fitting {
  let total = [...bytes.values()].reduce((sum, each) => sum + each, 0);
  const result: Fitting = { changes: new Map(), leftOut: [] };
  for (const [key, entry] of [...wanted].sort(([, a], [, b]) => Number(Boolean(a)) - Number(Boolean(b)))) {
    const after = total - (bytes.get(key) ?? 0) + (entry ? bytesOf(key, textOf(entry)) : 0);
    if (entry && after > most) {
      result.leftOut.push(entry);
      continue;
    }
    total = after;
    result.changes.set(key, entry);
  }
  return result;
}
