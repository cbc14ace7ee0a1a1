/** The agent as the pod runs it, beside a PowerDNS of its own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Declaration, declarationKey } from '../../functions/agent/declaration.ts';
import { powerdnsFiles } from '../../functions/internal-dns/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { type ConfigMaps, serveConfigMaps } from './config-maps.ts';
import { background, type Vitals } from './process.ts';

const everyMs = 3;
const deadlineMs = 60_000;

/** PowerDNS with the pod's configuration, empty. */
export interface Server extends RunningPowerDNS {
  /** With its key in `include/api.conf`. */
  dir: string;
}

export interface BenchedAgent extends Vitals {
  server: Server;
  configMaps: ConfigMaps;
  declare(declaration: Declaration): void;
}

export async function startServer(): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-pdns-'));
  const server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir });
  const stop = async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  };
  return { ...server, dir, stop };
}

/** Runs the agent's bundle, with its declaration in a ConfigMap. */
export async function startAgent(bundle: string, declaration: Declaration): Promise<BenchedAgent> {
  const server = await startServer();
  const configMaps = await serveConfigMaps();
  const declare = (next: Declaration) => configMaps.put('declared', { [declarationKey]: JSON.stringify(next) });
  declare(declaration);
  const folder = join(server.dir, 'agent');
  mkdirSync(folder);
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, configMaps.kubeconfig);
  const flags = {
    declaration: join(folder, declarationKey),
    'powerdns-api': server.apiUrl,
    'powerdns-key': join(server.dir, 'include/api.conf'),
    dns: `127.0.0.1:${server.dnsPort}`,
    webhook: '127.0.0.1:0',
    http: '127.0.0.1:0',
    'declared-config-map': 'declared',
    'status-config-map': 'status',
    'keys-secret': 'keys',
    pod: 'bench-0',
    namespace: 'bench',
    claim: 'data-bench-0',
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const agent = background(bundle, args, { KUBECONFIG: kubeconfig });
  const stop = async () => {
    await agent.stop();
    configMaps.stop();
    await server.stop();
  };
  return { ...agent, server, configMaps, declare, stop };
}

/** Milliseconds from now until the server answers a name with this address, asked for all the while. */
export async function answeredIn({ query }: Server, name: string, address: string): Promise<number> {
  const since = performance.now();
  while (performance.now() - since < deadlineMs) {
    const reply = await query(name).catch(() => undefined);
    if (reply?.answers.some(({ data }) => data === address)) return performance.now() - since;
    await sleep(everyMs);
  }
  throw new Error(`cannot wait longer for ${name}: it is not ${address} after ${deadlineMs / 1000} s`);
}
