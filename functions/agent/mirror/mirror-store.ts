import type { Entry } from './entry.ts';
import type { Entries } from './merge.ts';

/** Stores the mirror outside of the volumes, for all replicas. */
export interface MirrorStore {
  /** Changes whenever the mirror may have changed. */
  readonly version: number;
  /** Undefined while it does not exist. */
  read(): Promise<Mirror | undefined>;
  /** Returns false, and writes nothing, if the mirror has changed since it was read. An undefined entry is removed. */
  write(mirror: Mirror, changes: ReadonlyMap<string, Entry | undefined>): Promise<boolean>;
}

export interface Mirror {
  /** Changes when the object is replaced or emptied: no database was synced with that one. */
  id: string;
  /** Whether an agent has written it since it was created or emptied. */
  isInitialized: boolean;
  resourceVersion: string;
  entries: Entries;
  /** The size of each entry, by key. */
  bytes: ReadonlyMap<string, number>;
}
