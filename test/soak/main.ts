/**
 * `make soak`: what a server goes through in the worst hour of its life, bounded in time, with figures. It fails where something
 * was lost or has ended.
 *
 *     node test/soak/main.ts [NAME]
 */
import { soakFloods } from './flood.ts';

const soaks: Record<string, () => Promise<void>> = { flood: soakFloods };

const [only] = process.argv.slice(2);
if (only !== undefined && !(only in soaks)) {
  console.error(`cannot soak ${only}: it is one of ${Object.keys(soaks).join(', ')}`);
  process.exit(1);
}
for (const [name, soak] of Object.entries(soaks)) {
  if (only === undefined || only === name) await soak();
}
