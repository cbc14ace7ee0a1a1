/** Random histories of replicas with a mirror. */
import fc from 'fast-check';
import { test } from 'vitest';
import { MemoryDatabase } from './replica.ts';
import { history, World } from './world.ts';

test(
  'after any history nothing unique is lost, nothing deleted returns, and all replicas have the same records',
  { tags: ['history'] },
  () =>
    fc.assert(
      fc.asyncProperty(history, async ([rounds, count]) => {
        const world = new World(() => new MemoryDatabase(), count);
        await world.settle();
        for (const each of rounds) await world.run(each);
      }),
      { numRuns: 60 },
    ),
);
