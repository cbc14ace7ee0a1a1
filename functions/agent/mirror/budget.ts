import { ownershipOf } from '../powerdns/rrset.ts';
import { bytesOf } from './config-map.ts';
import { type Entry, textOf } from './entry.ts';
import type { Mirror } from './mirror-store.ts';

/**
 * Bytes of keys and entries. A ConfigMap may hold 1 MiB of data: https://kubernetes.io/docs/concepts/configuration/configmap/#motivation.
 * Managed fields repeat the keys, and a request to etcd may have 1.5 MiB: https://etcd.io/docs/v3.6/dev-guide/limit/
 */
export const mostBytes = 1_000_000;

export interface FittedChanges {
  changes: Map<string, Entry | undefined>;
  /** Entries that do not fit. */
  dropped: Entry[];
}

/**
 * Returns the changes that fit into the mirror. Removals come first, then records made by hand, then discovered ones. Those may
 * take half of it at most, so that creating and deleting objects cannot fill it.
 */
export function fitBudget(
  { bytes, entries }: Pick<Mirror, 'bytes' | 'entries'>,
  changes: ReadonlyMap<string, Entry | undefined>,
  most = mostBytes,
): FittedChanges {
  const total = { all: 0, discovered: 0 };
  const add = (entry: Entry | undefined, size: number) => {
    total.all += size;
    if (isDiscovered(entry)) total.discovered += size;
  };
  for (const [key, size] of bytes) add(entries.get(key), size);
  const result: FittedChanges = { changes: new Map(), dropped: [] };
  for (const [key, entry] of [...changes].sort(([, a], [, b]) => priorityOf(a) - priorityOf(b))) {
    const before = { ...total };
    add(entries.get(key), -(bytes.get(key) ?? 0));
    if (entry) add(entry, bytesOf(key, textOf(entry)));
    if (entry && (total.all > most || (isDiscovered(entry) && total.discovered > most / 2))) {
      Object.assign(total, before);
      result.dropped.push(entry);
    } else {
      result.changes.set(key, entry);
    }
  }
  return result;
}

const isDiscovered = (entry: Entry | undefined) => entry !== undefined && ownershipOf(entry.rrset) === 'discovered';

const priorityOf = (entry: Entry | undefined) => (entry ? 1 + Number(isDiscovered(entry)) : 0);
