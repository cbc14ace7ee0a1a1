/**
 * `make soak`: floods, kills and random histories for a limited time, with figures. Fails if data was lost or a server crashed.
 *
 *     node test/soak/main.ts [NAME [SECONDS]]
 */
import { randomInt } from 'node:crypto';
import type { Budget } from './budget.ts';
import { soakFloods } from './flood.ts';
import { soakHistories } from './histories.ts';
import { soakKills } from './kills.ts';

/**
 * Seconds of each when all of them run. The sum is less than ten minutes, because a started round is completed and floods have no
 * limit.
 */
const soaks: Record<string, { limit: number; soak: (budget: Budget) => Promise<void> }> = {
  flood: { limit: 90, soak: soakFloods },
  kills: { limit: 150, soak: soakKills },
  histories: { limit: 150, soak: soakHistories },
};

const [only, given] = process.argv.slice(2);
if (only !== undefined && !(only in soaks)) {
  console.error(`cannot soak ${only}: it is one of ${Object.keys(soaks).join(', ')}`);
  process.exit(1);
}
// Exit handlers kill child processes and unmount.
process.once('SIGTERM', () => {
  console.error('cannot finish: the time is up');
  process.exit(1);
});
const seed = Number(process.env.FC_SEED ?? randomInt(2 ** 31));
for (const [name, { limit, soak }] of Object.entries(soaks)) {
  if (only !== undefined && only !== name) continue;
  // The others may still find another failure.
  await soak({ milliseconds: 1000 * Number(given ?? limit), seed }).catch((error) => {
    console.error(`\n${name} failed: ${error.message}`);
    process.exitCode = 1;
  });
}
// A failed one may have left processes running.
process.exit();
