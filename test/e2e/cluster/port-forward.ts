import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Local ports that lead to those of a pod or Service in the servers' namespace, in their order. */
export async function forward(target: string, ...wanted: number[]): Promise<{ ports: number[]; child: ChildProcess }> {
  const child = spawn('kubectl', ['-n', 'internal-dns', 'port-forward', target, ...wanted.map((port) => `:${port}`)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ports = new Map<number, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [, local, remote] = /127\.0\.0\.1:(\d+) -> (\d+)/.exec(line) ?? [];
    if (local && remote) ports.set(Number(remote), Number(local));
    if (ports.size === wanted.length) return { child, ports: wanted.map((port) => ports.get(port) as number) };
  }
  throw new Error(`cannot forward ports of ${target}: kubectl ended`);
}
