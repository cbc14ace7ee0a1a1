/** The fastest of the others: k8s_gateway (https://github.com/k8s-gateway/k8s_gateway), which answers from what it watches. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
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

interface Settings {
  zone: string;
  /** The file. */
  kubeconfig: string | undefined;
  /** Is removed with it. */
  folder: string;
}

/** A CoreDNS with this plugin, as a process beside the cluster. Throws if there is none on the PATH. */
export async function startGateway({ zone, kubeconfig, folder }: Settings): Promise<DNSProcess> {
  const path = findOnPath(program);
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'Corefile');
  const settings = [`kubeconfig ${kubeconfig}`, 'resources Ingress', 'ttl 1'];
  writeFileSync(file, `${zone}:${port} {\n  bind 127.0.0.1\n  k8s_gateway {\n    ${settings.join('\n    ')}\n  }\n}\n`);
  return startDNSProcess({ command: [path, '-conf', file], folder, port, probe: { name: zone, type: 'SOA' } });
}

/** For the cluster of KUBECONFIG. Undefined if there is none on the PATH. */
export async function startK8sGateway(): Promise<(Contender & Pick<DNSProcess, 'stop'>) | undefined> {
  try {
    findOnPath(program);
  } catch {
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), `${program}-`));
  const server = await startGateway({ zone, kubeconfig: process.env.KUBECONFIG, folder });
  return {
    title: program,
    zone,
    client: async () => clientAt('127.0.0.1', server.port),
    idle: () => idleProcess(program, usageOf(server.pid)),
    stop: server.stop,
  };
}
