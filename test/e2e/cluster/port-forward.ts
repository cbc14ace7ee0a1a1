import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Forwards local ports to those of a pod or Service in the servers' namespace; returns them in the same order. */
export async function forward(target: string, ...remotes: number[]): Promise<{ ports: number[]; child: ChildProcess }> {
  const child = spawn('kubectl', ['-n', 'internal-dns', 'port-forward', target, ...remotes.map((port) => `:${port}`)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ports = new Map<number, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [, local, remote] = /127\.0\.0\.1:(\d+) -> (\d+)/.exec(line) ?? [];
    if (local && remote) ports.set(Number(remote), Number(local));
    if (ports.size === remotes.length) return { child, ports: remotes.map((port) => ports.get(port) as number) };
  }
  throw new Error(`cannot forward ports of ${target}: kubectl ended`);
}
