/** Builds the plugin, and runs it as a process with a fake kubectl on its PATH. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { environment } from '../environment.ts';
import type { Cluster } from './kubectl.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubectl-idns-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
const bundle = join(import.meta.dirname, '../../functions/bundle.ts');
execFileSync(process.execPath, [bundle, '--plugin', folder], { stdio: 'pipe' });

/** The built file. */
export const program = join(folder, 'kubectl-idns');

export interface PluginOptions {
  /** Standard input. */
  input?: string;
  /** Without any, there is no kubectl. */
  cluster?: Cluster | undefined;
  /** The program and what Node gets before it. */
  node?: string[];
  onStart?: (child: ChildProcess) => void;
}

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Arguments of each kubectl. */
  calls: string[][];
  /** Process ids of kubectl that still run. */
  left: number[];
}

export async function kubectlIdns(
  args: string[],
  { input = '', cluster, node = [program], onStart }: PluginOptions = {},
): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'kubectl-idns-'));
  try {
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    const file = join(dir, 'cluster.json');
    if (cluster) {
      writeFileSync(file, JSON.stringify(cluster));
      writeFileSync(
        join(bin, 'kubectl'),
        `#!/bin/sh\nexec '${process.execPath}' '${join(import.meta.dirname, 'kubectl.ts')}' "$@"\n`,
      );
      chmodSync(join(bin, 'kubectl'), 0o755);
    }
    const child = spawn(process.execPath, [...node, ...args], {
      env: { ...environment, PATH: bin, FAKE_CLUSTER: file },
    });
    onStart?.(child);
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    const log = existsSync(`${file}.log`) ? readFileSync(`${file}.log`, 'utf8').trim().split('\n') : [];
    const calls = log.map((line) => JSON.parse(line) as { pid: number; args: string[] });
    return {
      code,
      stdout,
      stderr,
      calls: calls.map((call) => call.args),
      left: calls.map(({ pid }) => pid).filter(isRunning),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export const readyPod = (name: string, ready = true) => ({
  metadata: { name },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
