/** Runs the agent as the pod does, with its own PowerDNS. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Declaration, declarationKey } from '../../functions/contract/declaration.ts';
import { namesOf } from '../../functions/internal-dns/names.ts';
import { agent as container } from '../../functions/internal-dns/server/agent.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { type ConfigMaps, serveConfigMaps } from './config-maps.ts';
import { asRecords, asZoneFile, declarationOf, type Host } from './declared-zone.ts';
import { background, type ProcessUsage } from './process.ts';

const intervalMs = 3;
const deadlineMs = 60_000;
/** More records do not fit into an InternalDNS. */
const maxInline = 1_000;

const {
  env = [],
  livenessProbe,
  readinessProbe,
} = container({
  names: namesOf('bench', 1),
  sidecar: false,
  replicas: 1,
  image: undefined,
  pullPolicy: 'IfNotPresent',
  resources: undefined,
});
/** The environment of the pod's container, without what depends on the pod. */
export const environment = Object.fromEntries(
  env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
);

/** What kubelet requests, and how often. */
export const probes = [livenessProbe, readinessProbe].map((probe) => ({
  path: probe!.httpGet!.path!,
  periodMs: probe!.periodSeconds! * 1_000,
}));

/** An empty PowerDNS with the pod's configuration. */
export interface Server extends RunningPowerDNS {
  /** Has the API key in `include/api.conf`. */
  dir: string;
}

export interface BenchedAgent extends ProcessUsage {
  server: Server;
  /** Declares the zone with these hosts. */
  declare(hosts: Host[]): void;
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

/** Runs the agent's bundle, with its declaration in a ConfigMap. Resolves when it has created a zone. */
export async function startAgent(bundle: string): Promise<BenchedAgent> {
  const server = await startServer();
  const configMaps = await serveConfigMaps();
  const empty = { ...declarationOf({}), zones: [{ name: 'empty.internal', nameServers: [] }] };
  put(configMaps, empty);
  const agent = runBundle(bundle, server, configMaps);
  const stop = async () => {
    await agent.stop();
    configMaps.stop();
    await server.stop();
  };
  await answeredIn(server, 'ns1.empty.internal', '127.0.0.1');
  return { ...agent, server, declare: (hosts) => declareHosts(configMaps, hosts), stop };
}

/** Starts a bundle with the flags of the pod's container, and these besides. */
export function runBundle(
  bundle: string,
  server: Server,
  { kubeconfig }: Pick<ConfigMaps, 'kubeconfig'>,
  more: Readonly<Record<string, string>> = {},
): ProcessUsage {
  const folder = join(server.dir, 'agent');
  mkdirSync(folder);
  const config = join(folder, 'kubeconfig');
  writeFileSync(config, kubeconfig);
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
    'kept-config-map': 'kept',
    'tailnet-config-map': 'tailnet',
    pod: 'bench-0',
    namespace: 'bench',
    claim: 'data-bench-0',
    ...more,
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return background(bundle, args, { ...environment, KUBECONFIG: config });
}

/** Declares small zones inline, large ones as a zone file. */
function declareHosts(configMaps: ConfigMaps, hosts: Host[]): void {
  if (hosts.length <= maxInline) {
    put(configMaps, declarationOf({ records: asRecords(hosts) }));
    return;
  }
  configMaps.put('zone', { file: asZoneFile(hosts) });
  put(configMaps, declarationOf({ recordsFrom: [{ configMap: 'zone', key: 'file' }] }));
}

const put = (configMaps: ConfigMaps, declaration: Declaration) =>
  configMaps.put('declared', { [declarationKey]: JSON.stringify(declaration) });

/** Milliseconds until the server answers a name with this address, queried continuously. */
export async function answeredIn({ query }: Server, name: string, address: string): Promise<number> {
  const since = performance.now();
  while (performance.now() - since < deadlineMs) {
    const reply = await query(name).catch(() => undefined);
    if (reply?.answers.some(({ data }) => data === address)) return performance.now() - since;
    await sleep(intervalMs);
  }
  throw new Error(`${name} is not ${address} after ${deadlineMs / 1000} s`);
}
