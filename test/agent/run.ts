/** Runs `node functions/agent/main.ts` as a separate process, without a cluster, or with an API server of a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Declaration, declarationKey } from '../../functions/contract/declaration.ts';
import type { Report } from '../../functions/contract/report.ts';
import { environment } from '../environment.ts';
import { freePort } from '../powerdns/server.ts';
import { webhookAt } from './external-dns.ts';
import { type ApiServer, kubeconfigOf } from './kubernetes/api-server.ts';

export type Running = Awaited<ReturnType<typeof run>>;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Atomically, as kubelet does. */
export function writeDeclaration(file: string, declaration: Declaration): void {
  writeFileSync(`${file}.new`, JSON.stringify(declaration));
  renameSync(`${file}.new`, file);
}

/** Flags and environment of an agent in a cluster. Its kubeconfig is written into `dir`. */
export function inCluster(
  dir: string,
  config: Parameters<typeof kubeconfigOf>[0],
  { namespace = 'n', pod = 'p-0' } = {},
) {
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(config));
  const configMaps = {
    'declared-config-map': 'd',
    'status-config-map': 's',
    'kept-config-map': 'm',
    'tailnet-config-map': 't',
  };
  return { flags: { ...configMaps, 'keys-secret': 'k', claim: 'c', namespace, pod }, env: { KUBECONFIG: kubeconfig } };
}

/** The ConfigMaps of `inCluster` in the namespace `n`, the declared one with this declaration. */
export function putConfigMaps(kubernetes: ApiServer, declaration: Declaration): void {
  const put = (name: string, data = {}) =>
    kubernetes.put('/api/v1/configmaps', { metadata: { name, namespace: 'n' }, data });
  for (const name of ['s', 'm', 't']) put(name);
  put('d', { [declarationKey]: JSON.stringify(declaration) });
}

/** Starts the agent with these flags, and free ports for the webhook and the status server. */
export async function run(flags: Record<string, string>, env: NodeJS.ProcessEnv = {}) {
  const [web, http] = [await freePort(), await freePort()];
  const all = { ...flags, webhook: `127.0.0.1:${web}`, http: `127.0.0.1:${http}` };
  const args = Object.entries(all).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../functions/agent/main.ts'), ...args], {
    env: { ...environment, ...env },
  });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  running.add(child);
  const ended = once(child, 'close').finally(() => running.delete(child));
  return {
    external: webhookAt(`http://127.0.0.1:${web}`),
    /** HOST:PORT of the status server. */
    http: `127.0.0.1:${http}`,
    /** Output so far. */
    output: () => output,
    /** Reports so far. */
    reports: (): Report[] =>
      output
        .split('\n')
        .slice(0, -1)
        .filter((line) => line.includes('"msg":"report"'))
        .map((line) => JSON.parse(line).report),
    /** Resolves with the exit code. */
    async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
      child.kill(signal);
      const [code] = await ended;
      return code;
    },
  };
}
