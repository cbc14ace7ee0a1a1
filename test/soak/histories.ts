/** Runs the random histories of `make test` with one seed after the other until the time is up. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { printTable } from '../bench/table.ts';
import { environment } from '../environment.ts';
import { waitTimeoutMs } from '../timeouts.ts';
import type { Budget } from './budget.ts';

const root = join(import.meta.dirname, '../..');
const tag = 'history';

/** The files with the tag: loading all others would take half of the time. */
const files = () =>
  globSync('test/**/*.test.ts', { cwd: root }).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes(`tags: ['${tag}']`),
  );

/** Throws the output of a failed run, which has the case and the seed. */
export async function soakHistories({ milliseconds, seed }: Budget): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'soak-histories-'));
  const counts = join(dir, 'counts');
  writeFileSync(counts, '');
  const [start, end] = [performance.now(), performance.now() + milliseconds];
  let rounds = 0;
  try {
    for (let longest = 0; rounds === 0 || performance.now() + longest < end; rounds++) {
      const since = performance.now();
      await runHistories({ seed: seed + rounds, counts, timeout: Math.ceil(Math.max(waitTimeoutMs, end - since)) });
      longest = Math.max(longest, performance.now() - since);
    }
  } finally {
    print({ rounds, seed, seconds: (performance.now() - start) / 1000, counts: countsIn(counts) });
    rmSync(dir, { recursive: true });
  }
}

async function runHistories({
  seed,
  counts,
  timeout,
}: {
  seed: number;
  counts: string;
  timeout: number;
}): Promise<void> {
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
  const report = `FC_SEED=${seed}\n${output}${errors}`;
  if (signal) throw new Error(`timed out after ${Math.round(timeout / 1000)} s: ${report}`);
  if (code !== 0) throw new Error(report);
}

/** The number of cases by test. */
function countsIn(file: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const [test, cases] = JSON.parse(line) as [string, number];
    counts.set(test, (counts.get(test) ?? 0) + cases);
  }
  return counts;
}

interface Figures {
  rounds: number;
  seed: number;
  seconds: number;
  counts: Map<string, number>;
}

function print({ rounds, seed, seconds, counts }: Figures): void {
  printTable(
    `Random histories: ${rounds} rounds in ${Math.round(seconds)} s, FC_SEED=${seed} and the following`,
    ['histories of', 'cases'],
    [...counts],
  );
}
