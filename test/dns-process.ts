/** A DNS server as a process beside the test, on 127.0.0.1. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Question, query } from './powerdns/query.ts';
import { waitTimeoutMs } from './timeouts.ts';

export interface DNSProcess {
  pid: number;
  port: number;
  /** What it has written so far. */
  log(): string;
  /** Ends it, and removes its folder. */
  stop(): Promise<void>;
}

interface Launch {
  command: readonly [program: string, ...args: string[]];
  folder: string;
  port: number;
  /** A record that it has, or gets from another server, once it has started. */
  probe: Pick<Question, 'name' | 'type'>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Resolves when it answers. Rejects with the end of its log if it does not, as with a line that it refuses. */
export async function startDNSProcess({ command, folder, port, probe }: Launch): Promise<DNSProcess> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (log += text));
  const ended = once(child, 'exit').then(() => running.delete(child));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  };
  const answers = () =>
    query({ ...probe, port, timeout: 1_000 }).then(
      (reply) => reply.answers.length > 0,
      () => false,
    );
  const deadline = performance.now() + waitTimeoutMs;
  while (!(await answers())) {
    if (!running.has(child) || performance.now() > deadline) {
      await stop();
      throw new Error(`cannot start ${command.join(' ')}: ${log.trim().split('\n').slice(-20).join('\n')}`);
    }
    await delay(50);
  }
  return { pid: child.pid as number, port, log: () => log, stop };
}
