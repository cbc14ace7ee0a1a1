import { totalmem } from 'node:os';

const MiB = 2 ** 20;

/** What the process takes before it has any records, with room for what is read and written meanwhile. Bytes. */
const base = 88 * MiB;
/** Of a record: as it is declared, as PowerDNS has it, in a request, and once more while it changes. Bytes, measured. */
const perRecord = 2560;
/** Fewer would be of no use; a limit that has no room for them ends the agent. */
const fewest = 1000;

/** How many records the zones may have together: declared, from zone files and discovered. */
export const mostRecordsIn = (memoryLimit: number): number =>
  Math.max(fewest, Math.floor((memoryLimit - base) / perRecord));

/**
 * How many characters it may keep of what all ExternalDNS want, and as many of the texts of zone files: 16 MiB of 256,
 * some 80,000 names.
 */
export const mostCharactersIn = (memoryLimit: number): number => Math.max(MiB, Math.floor(memoryLimit / 16));

/** What the process may take, as far as it can find out itself: the limit of its control group, or the machine. Bytes. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
