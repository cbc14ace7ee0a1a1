/**
 * The CPU time of some work in milliseconds, the best of a few runs. Other processes do not count. Compare it only with figures
 * from the same process.
 */
export async function cpuTimeOf(work: () => unknown, times = 3): Promise<number> {
  const costs = [];
  for (let i = 0; i < times; i++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1000);
  }
  return Math.min(...costs);
}
