/**
 * `make soak`: what a server goes through in the worst hour of its life, bounded in time, with figures. It fails where something
 * was lost or has ended.
 *
 *     node test/soak/main.ts [NAME [SECONDS]]
 */
import { randomInt } from 'node:crypto';
import { soakFloods } from './flood.ts';
import { soakHistories } from './histories.ts';
import { soakKills } from './kills.ts';
import type { Share } from './share.ts';

/** In seconds, when all of them run; what has begun is finished, and floods take what they take, so some time is left of ten minutes. */
const soaks: Record<string, { share: number; soak: (share: Share) => Promise<void> }> = {
  flood: { share: 90, soak: soakFloods },
  kills: { share: 150, soak: soakKills },
  histories: { share: 150, soak: soakHistories },
};

const [only, given] = process.argv.slice(2);
if (only !== undefined && !(only in soaks)) {
  console.error(`cannot soak ${only}: it is one of ${Object.keys(soaks).join(', ')}`);
  process.exit(1);
}
// What is running or mounted goes with the process.
process.once('SIGTERM', () => {
  console.error('cannot finish: the time is over');
  process.exit(1);
});
const seed = Number(process.env.FC_SEED ?? randomInt(2 ** 31));
for (const [name, { share, soak }] of Object.entries(soaks)) {
  if (only !== undefined && only !== name) continue;
  // The others may still find something else.
  await soak({ milliseconds: 1000 * Number(given ?? share), seed }).catch((error) => {
    console.error(`\n${name} failed: ${error.message}`);
    process.exitCode = 1;
  });
}
// Whatever one that failed has left running goes now.
process.exit();
