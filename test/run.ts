/**
 * `make run`: serves the InternalDNS in a file on this machine, with a real PowerDNS, the rendered configuration and the agent.
 *
 *     node test/run.ts XR
 *
 * Environment variables: PORT is the DNS port on 127.0.0.1; 0 is any free one. OBJECTS is a folder of manifests that the agent
 * takes for those of a cluster, and follows; KUBECONFIG_FROM is the kubeconfig of a cluster whose objects it reads instead, and
 * changes nothing there. Exits with 0 on Ctrl-C.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { requiredInCluster } from '../functions/agent/options.ts';
import type { KubernetesObject } from '../functions/cdk8s-function-xp/composition.ts';
import { type Declaration, declarationKey } from '../functions/contract/declaration.ts';
import { type WaysIn, waysInKey } from '../functions/contract/ways-in.ts';
import { startFunction } from './function.ts';
import { type ObjectSource, startCluster } from './local-cluster/cluster.ts';
import { startExternalDNS } from './local-cluster/external-dns.ts';
import { findPowerDNS, type PowerDNS } from './powerdns/install.ts';
import { query } from './powerdns/query.ts';
import { freePort, startPowerDNS } from './powerdns/server.ts';
import { find } from './programs.ts';
import { callFunction, type Example, readExample } from './render.ts';
import { waitTimeoutMs } from './timeouts.ts';

const host = '127.0.0.1';
const agentMain = join(import.meta.dirname, '../functions/agent/main.ts');
/** Flags of the agent that are useful only in its pod. */
const clusterFlags: readonly string[] = [...requiredInCluster, 'host-ips', 'memory-limit'];

/** The rendered files and arguments of the pod. */
interface Rendered {
  /** The text of pdns.conf. */
  config: string;
  declaration: string;
  waysIn: WaysIn;
  agentArgs: string[];
}

/** Where source objects come from; undefined without any. Throws if there are two. */
function objectSource({ OBJECTS: folder, KUBECONFIG_FROM: kubeconfig }: NodeJS.ProcessEnv): ObjectSource | undefined {
  if (folder && kubeconfig) throw new Error('OBJECTS and KUBECONFIG_FROM are both set: choose one of them');
  if (folder) return { folder };
  return kubeconfig ? { kubeconfig } : undefined;
}

/** Renders with the function twice: the second time with an observed Service that has the address of this machine. */
async function rendered(composite: KubernetesObject): Promise<Rendered> {
  const served = await startFunction();
  try {
    const first = await callFunction(served.address, composite);
    const [key, service] = Object.entries(first.desired?.resources ?? {})
      .map(([key, { resource }]) => [key, resource as KubernetesObject] as const)
      .find(([, { kind, spec }]) => kind === 'Service' && spec.ports.some((p: { port: number }) => p.port === 53))!;
    const here = {
      ...service,
      spec: { ...service.spec, clusterIPs: [host] },
      status: { loadBalancer: { ingress: [{ ip: host }] } },
    };
    const { desired } = await callFunction(served.address, composite, { [key]: here });
    const objects = Object.values(desired?.resources ?? {}).map(({ resource }) => resource as KubernetesObject);
    const text = (name: string): string => objects.find(({ data }) => data?.[name])!.data[name];
    const { initContainers, containers } = objects.find(({ kind }) => kind === 'StatefulSet')!.spec.template.spec;
    const agent = [...initContainers, ...containers].find(({ name }) => name === 'agent');
    return {
      config: text('pdns.conf'),
      declaration: text(declarationKey),
      waysIn: JSON.parse(text(waysInKey)),
      agentArgs: agent.args,
    };
  } finally {
    await served.stop();
  }
}

/** The pod's arguments with local addresses and paths, without the program and without flags for a cluster. */
function localArgs(args: string[], replaced: Record<string, string>): string[] {
  return args
    .map((arg) => arg.slice(2).split('=')[0] ?? '')
    .filter((flag) => !clusterFlags.includes(flag))
    .map((flag) => {
      const value = replaced[flag];
      if (value === undefined) throw new Error(`cannot run the agent here: no local value for --${flag}`);
      return `--${flag}=${value}`;
    });
}

interface LocalDNS {
  /** The version of PowerDNS. */
  version: string;
  port: number;
  /** The URL of the status page. */
  page: string;
  zones: string[];
  /** Rejects if the agent exits by itself. */
  ended: Promise<never>;
}

/** Serves until the `stops` are called in reverse order. Resolves when every zone answers. */
async function start(
  { composite, configMaps }: Example,
  port: number | undefined,
  objects: ObjectSource | undefined,
  stops: (() => unknown)[],
): Promise<LocalDNS> {
  const { config, declaration, waysIn, agentArgs } = await rendered(composite);
  if (port !== undefined) await expectFree(port);
  const dir = mkdtempSync(join(tmpdir(), 'internal-dns-'));
  stops.push(() => rmSync(dir, { recursive: true, force: true }));
  const program = await find('PowerDNS').catch(olderPowerDNS);
  const powerdns = await startPowerDNS({ config, dir, powerdns: program, ...(port !== undefined && { port }) });
  stops.push(powerdns.stop);

  const declared = join(dir, declarationKey);
  writeFileSync(declared, declaration);
  writeFileSync(join(dir, waysInKey), JSON.stringify(here(waysIn, powerdns.dnsPort)));
  const parsed: Declaration = JSON.parse(declaration);
  const cluster =
    objects &&
    (await startCluster({
      declaration: parsed,
      declared: { [declarationKey]: declaration, [waysInKey]: readFileSync(join(dir, waysInKey), 'utf8') },
      ...{ configMaps, objects, dir },
      onNotice: (notice) => process.stderr.write(`${notice}\n`),
    }));
  if (cluster) stops.push(cluster.stop);
  const log = join(dir, 'agent.log');
  const http = `${host}:${await freePort()}`;
  const webhook = `${host}:${await freePort()}`;
  const args = localArgs(agentArgs, {
    declaration: declared,
    'powerdns-api': powerdns.apiUrl,
    'powerdns-key': join(dir, 'include', 'api.conf'),
    dns: `${host}:${powerdns.dnsPort}`,
    webhook,
    http,
    probes: `${host}:0`,
  });
  const more = cluster
    ? Object.entries(cluster.flags).map(([flag, value]) => `--${flag}=${value}`)
    : zoneFiles(configMaps, join(dir, 'zone-files'));
  const agent = startAgent([...args, ...more], log, cluster?.kubeconfig);
  stops.push(() => agent.kill('SIGTERM'));
  const ended = once(agent, 'exit').then(([code]): never => {
    throw new Error(
      `the agent exited with ${code}: ${readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n')}`,
    );
  });
  const { discovery } = parsed;
  if (cluster && discovery)
    stops.push(await startExternalDNS({ kubeconfig: cluster.kubeconfig, discovery, webhook: `http://${webhook}` }));
  const zones = parsed.zones.map(({ name }) => name);
  await Promise.race([ended, Promise.all(zones.map((zone) => answered(zone, powerdns.dnsPort)))]);
  return { version: program.version, port: powerdns.dnsPort, page: `http://${http}/`, zones, ended };
}

/** The one way in of this machine. */
const here = ({ ways }: WaysIn, port: number): WaysIn => ({
  ways: ways.slice(0, 1).map((way) => ({ ...way, servers: [{ address: host, port }] })),
  notes: [],
});

/** Older versions of distributions have most features. Throws `otherwise` if there is none. */
function olderPowerDNS(otherwise: Error): PowerDNS {
  try {
    return findPowerDNS();
  } catch {
    throw otherwise;
  }
}

/** Writes the ConfigMaps to the folder where the agent reads zone files without a cluster; returns its flag. */
function zoneFiles(configMaps: KubernetesObject[], folder: string): string[] {
  for (const { metadata, data } of configMaps) {
    mkdirSync(join(folder, metadata.name), { recursive: true });
    for (const [key, text] of Object.entries(data ?? {})) {
      writeFileSync(join(folder, metadata.name, key), text as string);
    }
  }
  return configMaps.length > 0 ? [`--zone-files=${folder}`] : [];
}

function startAgent(args: string[], log: string, kubeconfig?: string): ChildProcess {
  const output = openSync(log, 'w');
  // In its own process group: otherwise Ctrl-C in a terminal would kill it before it is stopped in order.
  const agent = spawn(process.execPath, [agentMain, ...args], {
    stdio: ['ignore', output, output],
    detached: true,
    ...(kubeconfig && { env: { ...process.env, KUBECONFIG: kubeconfig } }),
  });
  closeSync(output);
  return agent;
}

async function answered(zone: string, port: number): Promise<void> {
  const deadline = performance.now() + waitTimeoutMs;
  while (performance.now() < deadline) {
    const reply = await query({ name: zone, type: 'SOA', port }).catch(() => undefined);
    if (reply?.rcode === 'NOERROR' && reply.answers.length > 0) return;
    await delay(100);
  }
  throw new Error(`${zone} does not answer on ${host}:${port}`);
}

/** Throws if the port is in use, which PowerDNS would only log. */
async function expectFree(port: number): Promise<void> {
  const tcp = createServer();
  const udp = createSocket('udp4');
  try {
    await once(tcp.listen(port, host), 'listening');
    await once(udp.bind(port, host), 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'the port is in use' : code;
    throw new Error(`cannot listen on ${host}:${port}: ${reason}; choose another port with PORT=`);
  } finally {
    await Promise.all([tcp, udp].map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }
}

async function main(file = 'examples/minimal.yaml', portText = process.env.PORT || '1053'): Promise<void> {
  const stops: (() => unknown)[] = [];
  let stopping = false;
  const stop = async (code: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    for (const each of stops.reverse()) await each();
    process.exit(code);
  };
  process.once('SIGINT', () => void stop(0));
  process.once('SIGTERM', () => void stop(0));
  try {
    const port = Number(portText);
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`PORT=${portText} is not a port`);
    const dns = await start(readExample(file), port || undefined, objectSource(process.env), stops);
    const questions = dns.zones.map((zone) => `  dig @${host} -p ${dns.port} ${zone} SOA`);
    const tries = [...questions, `  ${dns.page}`].join('\n');
    process.stdout.write(
      `${file} is served on ${host}:${dns.port}, by PowerDNS ${dns.version}. Try:\n\n${tries}\n\nPress Ctrl-C to stop.\n`,
    );
    await dns.ended;
  } catch (error) {
    // An agent that exits during a stop is not a failure.
    if (!stopping) process.stderr.write(`cannot run ${file}: ${(error as Error).message}\n`);
    await stop(1);
  }
}

if (import.meta.main) void main(process.argv[2]);
