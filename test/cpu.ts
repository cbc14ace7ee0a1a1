/**
 * Milliseconds of a processor that some work takes, the best of a few times. Others that have the processors meanwhile do not
 * count: only figures of the same process compare.
 */
export async function cpuTimeOf(work: () => unknown, times = 3): Promise<number> {
  const taken = [];
  for (let i = 0; i < times; i++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    taken.push((user + system) / 1000);
  }
  return Math.min(...taken);
}
