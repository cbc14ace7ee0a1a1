/** The histories of `make test`, drawn anew for as long as there is time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { printTable } from '../bench/table.ts';
import { environment } from '../environment.ts';
import { waitTimeoutMs } from '../timeouts.ts';
import type { Share } from './share.ts';

const root = join(import.meta.dirname, '../..');
const tag = 'history';

/** Those with the tag: to read all the others would take half of the time. */
const files = () =>
  globSync('test/**/*.test.ts', { cwd: root }).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes(`tags: ['${tag}']`),
  );

/** Throws with what a test said that failed: the case and the seed are in it. */
export async function soakHistories({ milliseconds, seed }: Share): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'soak-histories-'));
  const counts = join(dir, 'counts');
  writeFileSync(counts, '');
  const [start, end] = [performance.now(), performance.now() + milliseconds];
  let rounds = 0;
  try {
    for (let longest = 0; rounds === 0 || performance.now() + longest < end; rounds++) {
      const since = performance.now();
      await draw({ seed: seed + rounds, counts, timeout: Math.ceil(Math.max(waitTimeoutMs, end - since)) });
      longest = Math.max(longest, performance.now() - since);
    }
  } finally {
    print({ rounds, seed, seconds: (performance.now() - start) / 1000, counts: countsIn(counts) });
    rmSync(dir, { recursive: true });
  }
}

async function draw({ seed, counts, timeout }: { seed: number; counts: string; timeout: number }): Promise<void> {
  const args = ['run', '--config', 'test/vitest.config.ts', `--tagsFilter=${tag}`, ...files()];
  const child = spawn('vitest', args, {
    cwd: root,
    env: { ...environment, FC_SEED: `${seed}`, FC_COUNTS: counts },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
  });
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  const shown = `FC_SEED=${seed}\n${output}${errors}`;
  if (signal) throw new Error(`no end after ${Math.round(timeout / 1000)} s: ${shown}`);
  if (code !== 0) throw new Error(shown);
}

/** Cases by the test that drew them. */
function countsIn(file: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
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
