/** Finds what unpack-debian.sh has unpacked to be the root of processes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A folder in _build. Throws if it does not exist, or cannot become the root of a process. */
export function findRoot(name: string, what: string): string {
  const folder = join(import.meta.dirname, '../_build', name);
  if (process.getuid?.() !== 0) throw new Error(`cannot run ${what}: only root can change the root folder`);
  if (!existsSync(folder)) throw new Error(`cannot find ${what}`);
  return folder;
}
