/** A program that is measured, as a process of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface Vitals {
  /** Processor time so far, in milliseconds; in steps of the kernel's clock, 10 ms. */
  cpu(): number;
  /** Resident memory, in bytes. */
  memory(): number;
  /** Of it what is no file's, which a limit can never get back. */
  anonymous(): number;
  stop(): Promise<void>;
}

export interface Measured extends Omit<Vitals, 'anonymous'> {
  /** HOST:PORT. */
  address: string;
  /** Milliseconds from the start to the line that says that it listens. */
  startedIn: number;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The heap that Node gives itself in a container with a limit as in configuration/runtime.yaml. Without one it hardly collects. */
export const limited = ['--max-old-space-size=64', '--max-semi-space-size=1'];

/** Runs `node FLAGS FILE ARGS`; resolves when it logs that it listens. Rejects with what it says on stderr when it ends instead. */
export async function measure(file: string, args: string[], flags: string[] = limited): Promise<Measured> {
  const start = performance.now();
  const child = spawnNode([...flags, file, ...args]);
  let complaint = '';
  child.stderr!.on('data', (text) => {
    complaint += text;
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const lines = createInterface(child.stdout!).on('line', (line) => {
    const { msg, address } = JSON.parse(line) as { msg: string; address: string };
    if (msg === 'listening') resolve(address);
  });
  child.once('close', () => reject(new Error(`cannot start ${file}: ${complaint.trim()}`)));
  const address = await promise;
  const startedIn = performance.now() - start;
  // Reading the log from here on would cost time that is measured.
  lines.close();
  child.stdout!.resume();
  return { address, startedIn, ...vitals(child) };
}

/** Runs `node FLAGS FILE ARGS` without waiting for anything; its log is not read. */
export function background(
  file: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
  flags: string[] = limited,
): Vitals {
  const child = spawnNode([...flags, file, ...args], env);
  child.stdout!.resume();
  child.stderr!.pipe(process.stderr);
  return vitals(child);
}

/** Node with nothing to do. */
export async function idle(): Promise<Vitals> {
  const child = spawnNode(['-e', 'setInterval(() => {}, 1 << 30); console.log()']);
  await once(child.stdout!, 'data');
  return vitals(child);
}

/** Milliseconds in which `node -e 0` starts and ends. */
export async function nothing(): Promise<number> {
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

// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: fields 14 and 15; the second, in brackets, may hold blanks.
function vitals(child: ChildProcess): Vitals {
  const read = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8');
  const kibibytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(read('status'))![1]);
  return {
    cpu() {
      const fields = read('stat').split(') ')[1]!.split(' ');
      return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000;
    },
    memory: () => kibibytes('VmRSS') * 1024,
    anonymous: () => kibibytes('RssAnon') * 1024,
    async stop() {
      if (!running.has(child)) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}
