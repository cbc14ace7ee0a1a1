/** The histories of `make test`, drawn anew for as long as there is time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { printTable } from '../bench/table.ts';
import { environment } from '../environment.ts';
import type { Share } from './share.ts';

/** Throws with what a test said that failed: the case and the seed are in it. */
export async function soakHistories({ milliseconds, seed }: Share): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'soak-histories-'));
  const counts = join(dir, 'counts');
  const [start, end] = [performance.now(), performance.now() + milliseconds];
  let rounds = 0;
  try {
    for (let longest = 0; rounds === 0 || performance.now() + longest < end; rounds++) {
      const since = performance.now();
      // To shrink a case takes long.
      await draw({ seed: seed + rounds, counts, timeout: Math.max(milliseconds, end - since) });
      longest = Math.max(longest, performance.now() - since);
    }
  } finally {
    print({ rounds, seed, seconds: (performance.now() - start) / 1000, counts: countsIn(counts) });
    rmSync(dir, { recursive: true });
  }
}

async function draw({ seed, counts, timeout }: { seed: number; counts: string; timeout: number }): Promise<void> {
  const args = ['run', '--config', 'test/vitest.config.ts', '--tagsFilter=history'];
  const child = spawn('vitest', args, {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...environment, FC_SEED: `${seed}`, FC_COUNTS: counts },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
  });
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (signal) throw new Error(`FC_SEED=${seed}: no end after ${Math.round(timeout / 1000)} s\n${output}${errors}`);
  if (code !== 0) throw new Error(`FC_SEED=${seed}\n${output}${errors}`);
}

/** Cases by the test that drew them. */
function countsIn(file: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [test, cases] = JSON.parse(line) as [string, number];
    counts.set(test, (counts.get(test) ?? 0) + cases);
  }
  return counts;
}

interface Drawn {
  rounds: number;
  seed: number;
  seconds: number;
  counts: Map<string, number>;
}

function print({ rounds, seed, seconds, counts }: Drawn): void {
  printTable(
    `Random histories: ${rounds} rounds in ${Math.round(seconds)} s, FC_SEED=${seed} and the next ones`,
    ['', 'cases'],
    [...counts],
  );
}
