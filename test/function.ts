/** Runs the function as a separate process, as in its image. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { environment } from './environment.ts';

export interface RunningFunction {
  /** HOST:PORT, on the loopback address. */
  address: string;
  stop(): Promise<void>;
}

const main = join(import.meta.dirname, '../functions/main.ts');

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

interface Options {
  /** A directory with certificates, for mutual TLS; else it serves in plain text. */
  certificates?: string;
  /** The program, if not functions/main.ts. */
  command?: [program: string, ...args: string[]];
  /** What `make package` compiles in: unbundled, the version and the agent's image are `dev`. */
  build?: { VERSION?: string; AGENT_IMAGE?: string };
}

/** Starts the function on a free port. Rejects with its stderr if it exits before it listens. */
export async function startFunction({
  certificates,
  command: [program, ...args] = [process.execPath, main],
  build,
}: Options = {}): Promise<RunningFunction> {
  const security =
    certificates === undefined
      ? ['--insecure']
      : [`--tls-server-certs-dir=${certificates}`, '--metrics-address=127.0.0.1:0'];
  const child = spawn(program, [...args, '--address=127.0.0.1:0', ...security], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Without the variables that `make` exports to the build.
    env: { ...environment, ...build },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });

  const address = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const { msg, address } = JSON.parse(line) as { msg: string; address?: string };
      if (msg === 'listening' && address) resolve(address);
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`cannot start the function: ${errors.trim()}`)));
  });
  return {
    address,
    async stop() {
      if (!running.has(child)) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}
