/** Finds a Prometheus to test against, and fetches one where that is possible. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of the programs. */
export interface Programs {
  prometheus: string;
  promtool: string;
}

/** The machine's own, else as root Debian's, once, into `folder`. Rejects with what to install. */
export async function findPrometheus(
  folder = join(import.meta.dirname, '../../_build/prometheus'),
  path = (process.env.PATH ?? '').split(':'),
): Promise<Programs> {
  const own = path.map(programsIn).find((programs) => programs !== undefined);
  if (own) return own;
  try {
    await mkdir(dirname(folder), { recursive: true });
    // Test files run at the same time: all but the first wait, also those that install something else.
    await run('flock', [join(tmpdir(), 'apt.lock'), join(import.meta.dirname, 'unpack.sh'), folder]);
  } catch (error) {
    const reason = (error as { stderr?: string }).stderr?.trim() || error;
    throw new Error(`cannot find Prometheus, nor fetch it: ${reason}: sudo apt-get install prometheus`);
  }
  const fetched = programsIn(join(folder, 'usr/bin'));
  if (!fetched) throw new Error(`cannot use ${folder}: no prometheus in it; remove it and try again`);
  return fetched;
}

function programsIn(folder: string): Programs | undefined {
  const programs = { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') };
  return Object.values(programs).every((file) => existsSync(file)) ? programs : undefined;
}
