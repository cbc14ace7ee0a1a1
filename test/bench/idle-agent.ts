/** Measures the CPU of the idle agent with few hosts, with the requests that ExternalDNS and kubelet send to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { declarationKey } from '../../functions/contract/declaration.ts';
import { loop, webhookAt } from '../agent/external-dns.ts';
import { endpoint } from '../agent/make.ts';
import { declarationWith } from '../contract/declared.ts';
import { freePort } from '../powerdns/server.ts';
import { answeredIn, probes, runBundle, startServer } from './agent.ts';
import { bundleAgent } from './bundle.ts';
import { serveConfigMaps } from './config-maps.ts';
import { zone } from './declared-zone.ts';
import type { ProcessUsage } from './process.ts';
import { printTable } from './table.ts';

const hosts = 10;
const settleMs = 10_000;
const windowMs = 60_000;

/** Answers the same requests at once, and does nothing else. */
const bareServer = `const { createServer } = require('node:http');
const portOf = (flag) => Number(process.argv.find((each) => each.startsWith(flag)).split(':').at(-1));
const type = 'application/external.dns.webhook+json;version=1';
const server = createServer((request, response) => {
  response.setHeader('Content-Type', type).setHeader('Connection', 'close');
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => response.end(request.method === 'POST' ? Buffer.concat(chunks) : '[]'));
});
for (const flag of ['--webhook=', '--probes=']) createServer(...server.listeners('request')).listen(portOf(flag));`;

type Running = Pick<ProcessUsage, 'cpu' | 'stop'>;

/** @param bundles more agents to compare with, such as one of an earlier version */
export async function benchIdleAgent(bundles: readonly string[] = []): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-idle-'));
  const bare = join(folder, 'bare.cjs');
  writeFileSync(bare, bareServer);
  const bundle = bundleAgent(folder);
  const candidates = [bundle, ...bundles].flatMap((file) => [2, 10].map((interval) => ({ file, interval })));
  const running: Running[] = [];
  try {
    for (const { file, interval } of candidates) running.push(await startDiscovering(file, interval));
    running.push(await startDiscovering(bare, 10, false));
    await sleep(settleMs);
    // All at the same time, so that they share what else the machine does.
    const before = running.map((each) => each.cpu());
    await sleep(windowMs);
    const millicores = running.map((each, index) => (((each.cpu() - before[index]!) / windowMs) * 1_000).toFixed(1));
    const names = candidates.map(
      ({ file, interval }) => `${file === bundle ? 'the agent' : file}, a loop every ${interval} s`,
    );
    printTable(
      `The idle agent with ${hosts} hosts, ${windowMs / 1_000} s`,
      ['', 'CPU millicores', 'n'],
      [...names, 'an HTTP server that only answers the same requests'].map((name, index) => [
        name,
        millicores[index]!,
        1,
      ]),
    );
  } finally {
    for (const each of running) await each.stop();
    rmSync(folder, { recursive: true });
  }
}

/** With its own PowerDNS and API server. */
async function startDiscovering(file: string, intervalSeconds: number, publishes = true): Promise<Running> {
  const server = await startServer();
  const configMaps = await serveConfigMaps();
  const declaration = declarationWith({
    name: 'bench',
    zones: [{ name: zone, nameServers: [] }],
    addresses: ['127.0.0.1'],
    discovery: { intervalSeconds },
  });
  configMaps.put('declared', { [declarationKey]: JSON.stringify(declaration) });
  configMaps.put('kept', {});
  const [webhook, probed] = [await freePort(), await freePort()];
  const agent = runBundle(file, server, configMaps, {
    webhook: `127.0.0.1:${webhook}`,
    probes: `127.0.0.1:${probed}`,
  });
  const external = webhookAt(`http://127.0.0.1:${webhook}`);
  const endpoints = Array.from({ length: hosts }, (_, index) =>
    endpoint(`ingress/a/h${index}`, `h${index}.${zone}`, 'A', `10.0.0.${index}`),
  );
  const probe = (path: string) =>
    http
      .get({ host: '127.0.0.1', port: probed, path, agent: false }, (response) => response.resume())
      .on('error', () => {});
  // Those of the pod.
  const timers = [
    ...probes.map(({ path, periodMs }) => setInterval(() => probe(path), periodMs)),
    // A loop that fails is repeated, as by ExternalDNS.
    setInterval(() => void loop(external, publishes ? endpoints : []).catch(() => {}), intervalSeconds * 1_000),
  ];
  if (publishes) await answeredIn(server, `h0.${zone}`, '10.0.0.0');
  return {
    cpu: agent.cpu,
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await agent.stop();
      configMaps.stop();
      await server.stop();
    },
  };
}

if (import.meta.main) await benchIdleAgent(process.argv.slice(2));
