import type { Entry } from './entry.ts';
import type { Entries } from './merge.ts';

/** Where what exists nowhere else outlives every database, and every replica finds the same. */
export interface MirrorStore {
  /** Another number whenever somebody may have written. */
  readonly version: number;
  /** As it is now; undefined while it is not there. */
  read(): Promise<Mirror | undefined>;
  /** Writes upon what was read; false when it is not like that any more. Undefined takes an entry away. */
  write(upon: Mirror, changes: ReadonlyMap<string, Entry | undefined>): Promise<boolean>;
}

export interface Mirror {
  /** Another one for another object, and for one that was emptied: databases have not agreed with it. */
  id: string;
  /** Whether an agent has written it, and nobody has emptied it since. */
  isKept: boolean;
  resourceVersion: string;
  entries: Entries;
  /** What each entry takes, by key. */
  bytes: ReadonlyMap<string, number>;
}
