/** The agent as the pod runs it, beside a PowerDNS of its own. */
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
import { background, type Vitals } from './process.ts';

const everyMs = 3;
const deadlineMs = 60_000;
/** More records do not fit into a declaration. */
const mostInline = 1_000;

/** What the pod's container has in its environment, whatever pod it is. */
const { env = [] } = container({
  names: namesOf('bench', 1),
  sidecar: false,
  image: undefined,
  pullPolicy: 'IfNotPresent',
  resources: undefined,
});
const environment = Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));

/** PowerDNS with the pod's configuration, empty. */
export interface Server extends RunningPowerDNS {
  /** With its key in `include/api.conf`. */
  dir: string;
}

export interface BenchedAgent extends Vitals {
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

/** Runs the agent's bundle, with its declaration in a ConfigMap. Resolves when it has made a zone. */
export async function startAgent(bundle: string): Promise<BenchedAgent> {
  const server = await startServer();
  const configMaps = await serveConfigMaps();
  const empty = { ...declarationOf({}), zones: [{ name: 'empty.internal', nameServers: [] }] };
  put(configMaps, empty);
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
    'kept-config-map': 'kept',
    pod: 'bench-0',
    namespace: 'bench',
    claim: 'data-bench-0',
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const agent = background(bundle, args, { ...environment, KUBECONFIG: kubeconfig });
  const stop = async () => {
    await agent.stop();
    configMaps.stop();
    await server.stop();
  };
  await answeredIn(server, 'ns1.empty.internal', '127.0.0.1');
  return { ...agent, server, declare: (hosts) => declareHosts(configMaps, hosts), stop };
}

/** Small zones in the declaration itself, large ones as a zone file. */
function declareHosts(configMaps: ConfigMaps, hosts: Host[]): void {
  if (hosts.length <= mostInline) {
    put(configMaps, declarationOf({ records: asRecords(hosts) }));
    return;
  }
  configMaps.put('zone', { file: asZoneFile(hosts) });
  put(configMaps, declarationOf({ recordsFrom: [{ configMap: 'zone', key: 'file' }] }));
}

const put = (configMaps: ConfigMaps, declaration: Declaration) =>
  configMaps.put('declared', { [declarationKey]: JSON.stringify(declaration) });

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
