import { ownershipOf } from '../powerdns/rrset.ts';
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

/**
 * Those of the changes that leave the mirror within its bounds: what is in it goes before what would come, and what is made by
 * hand before what was discovered. That has half of it at most: whoever makes and deletes objects fills no more.
 */
export function fitting(
  { bytes, entries }: Pick<Mirror, 'bytes' | 'entries'>,
  wanted: ReadonlyMap<string, Entry | undefined>,
  most = mostBytes,
): Fitting {
  const total = { all: 0, discovered: 0 };
  const add = (entry: Entry | undefined, size: number) => {
    total.all += size;
    if (isDiscovered(entry)) total.discovered += size;
  };
  for (const [key, size] of bytes) add(entries.get(key), size);
  const result: Fitting = { changes: new Map(), leftOut: [] };
  for (const [key, entry] of [...wanted].sort(([, a], [, b]) => turnOf(a) - turnOf(b))) {
    const before = { ...total };
    add(entries.get(key), -(bytes.get(key) ?? 0));
    if (entry) add(entry, bytesOf(key, textOf(entry)));
    if (entry && (total.all > most || (isDiscovered(entry) && total.discovered > most / 2))) {
      Object.assign(total, before);
      result.leftOut.push(entry);
    } else {
      result.changes.set(key, entry);
    }
  }
  return result;
}

const isDiscovered = (entry: Entry | undefined) => entry !== undefined && ownershipOf(entry.rrset) === 'discovered';

const turnOf = (entry: Entry | undefined) => (entry ? 1 + Number(isDiscovered(entry)) : 0);
