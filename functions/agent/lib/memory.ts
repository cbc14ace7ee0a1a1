import { totalmem } from 'node:os';

const MiB = 2 ** 20;

/** Bytes that the process takes without any records, with a reserve for what it reads and writes. */
const base = 88 * MiB;
/**
 * Bytes for each record, measured: as declared, as PowerDNS has it, in a request, and a second copy while it changes.
 */
const perRecord = 2560;
/** Fewer records would be useless. A limit with less memory ends the agent. */
const fewest = 1000;

/** Returns how many records all zones may have: declared, from zone files, and discovered. */
export const mostRecordsIn = (memoryLimit: number): number =>
  Math.max(fewest, Math.floor((memoryLimit - base) / perRecord));

/**
 * Returns how many characters of endpoints the agent may keep, and as many of zone files: 16 MiB of 256, some 80,000
 * names.
 */
export const mostCharactersIn = (memoryLimit: number): number => Math.max(MiB, Math.floor(memoryLimit / 16));

/** Returns the bytes that the process may take: the limit of its cgroup, or the machine's memory. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
