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

/**
 * Starts functions/main.ts on a free port, with mutual TLS from the directory `certificates` or else in plain text. Rejects with
 * its stderr if it exits before it listens.
 */
export async function startFunction({ certificates }: { certificates?: string } = {}): Promise<RunningFunction> {
  const security =
    certificates === undefined
      ? ['--insecure']
      : [`--tls-server-certs-dir=${certificates}`, '--metrics-address=127.0.0.1:0'];
  const child = spawn(process.execPath, [main, '--address=127.0.0.1:0', ...security], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Without variables that `make` exports to the build: unbundled, the version and the agent's image are always `dev`.
    env: environment,
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
