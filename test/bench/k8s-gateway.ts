/** The fastest of the others: k8s_gateway (https://github.com/k8s-gateway/k8s_gateway), which answers from what it watches. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DNSProcess, startDNSProcess } from '../dns-process.ts';
import { clientAt } from '../e2e/cluster/names.ts';
import { findOnPath } from '../path.ts';
import { freePort } from '../powerdns/server.ts';
import { idleProcess } from './idle-pod.ts';
import { usageOf } from './process.ts';
import type { Contender } from './stacks.ts';

const program = 'k8s_gateway';
const zone = 'gateway.internal';

/** A CoreDNS with this plugin, as a process beside the cluster. Undefined if there is none on the PATH. */
export async function startK8sGateway(): Promise<(Contender & Pick<DNSProcess, 'stop'>) | undefined> {
  let path: string;
  try {
    path = findOnPath(program);
  } catch {
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), `${program}-`));
  const port = await freePort();
  const file = join(folder, 'Corefile');
  const settings = [`kubeconfig ${process.env.KUBECONFIG}`, 'resources Ingress', 'ttl 1'];
  writeFileSync(file, `${zone}:${port} {\n  bind 127.0.0.1\n  k8s_gateway {\n    ${settings.join('\n    ')}\n  }\n}\n`);
  const server = await startDNSProcess({
    command: [path, '-conf', file],
    folder,
    port,
    probe: { name: zone, type: 'SOA' },
  });
  return {
    title: program,
    zone,
    client: async () => clientAt('127.0.0.1', port),
    idle: () => idleProcess(program, usageOf(server.pid)),
    stop: server.stop,
  };
}
