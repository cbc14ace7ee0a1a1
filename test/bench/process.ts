/** Runs and measures programs. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface ProcessUsage {
  /** CPU time so far in milliseconds, in steps of the kernel's clock, 10 ms. */
  cpu(): number;
  /** Resident memory, in bytes. */
  memory(): number;
  /** Resident memory that is not backed by files, which the kernel cannot reclaim under a limit. */
  anonymous(): number;
  /** The highest resident memory so far, in bytes. */
  peak(): number;
  stop(): Promise<void>;
}

export interface Measured extends Omit<ProcessUsage, 'anonymous' | 'peak'> {
  /** HOST:PORT. */
  address: string;
  /** Milliseconds from the start until it logs `listening`. */
  startedIn: number;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Node's heap size in a container with the limit of configuration/runtime.yaml. Without a limit it rarely collects garbage. */
export const heapFlags = ['--max-old-space-size=64', '--max-semi-space-size=1'];

/** Runs `node FLAGS FILE ARGS`; resolves when it logs `listening`, and rejects with its stderr if it exits before. */
export async function measure(file: string, args: string[], flags: string[] = heapFlags): Promise<Measured> {
  const start = performance.now();
  const child = spawnNode([...flags, file, ...args]);
  let errors = '';
  child.stderr!.on('data', (text) => {
    errors += text;
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const lines = createInterface(child.stdout!).on('line', (line) => {
    const { msg, address } = JSON.parse(line) as { msg: string; address: string };
    if (msg === 'listening') resolve(address);
  });
  child.once('close', () => reject(new Error(`cannot start ${file}: ${errors.trim()}`)));
  const address = await promise;
  const startedIn = performance.now() - start;
  // Reading the log any further would affect the measurements.
  lines.close();
  child.stdout!.resume();
  return { address, startedIn, ...processOf(child) };
}

/** Runs `node FLAGS FILE ARGS` in the background; its log is not read. */
export function background(
  file: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
  flags: string[] = heapFlags,
): ProcessUsage {
  const child = spawnNode([...flags, file, ...args], env);
  child.stdout!.resume();
  child.stderr!.pipe(process.stderr);
  return processOf(child);
}

/** Starts an idle Node. */
export async function idle(): Promise<ProcessUsage> {
  const child = spawnNode(['-e', 'setInterval(() => {}, 1 << 30); console.log()']);
  await once(child.stdout!, 'data');
  return processOf(child);
}

/** Milliseconds that `node -e 0` takes. */
export async function emptyRun(): Promise<number> {
  const start = performance.now();
  await once(spawnNode(['-e', '0']), 'exit');
  return performance.now() - start;
}

function spawnNode(args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...env },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: fields 14 and 15; the second, in parentheses, may contain blanks.
export function usageOf(pid: number): Omit<ProcessUsage, 'stop'> {
  const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
  const kibibytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(read('status'))![1]);
  return {
    cpu() {
      const fields = read('stat').split(') ')[1]!.split(' ');
      return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000;
    },
    memory: () => kibibytes('VmRSS') * 1024,
    anonymous: () => kibibytes('RssAnon') * 1024,
    peak: () => kibibytes('VmHWM') * 1024,
  };
}

function processOf(child: ChildProcess): ProcessUsage {
  return {
    ...usageOf(child.pid as number),
    async stop() {
      if (!running.has(child)) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}
