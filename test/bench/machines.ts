/** Measures the memory of the idle agent with many Machines, next to as many Ingresses and to neither. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { declarationKey } from '../../functions/contract/declaration.ts';
import { loop, webhookAt } from '../agent/external-dns.ts';
import { ApiServer, kubeconfigOf, type StoredObject } from '../agent/kubernetes/api-server.ts';
import { ownSources } from '../agent/machines/agent-with-machines.ts';
import { endpoint, zones } from '../agent/make.ts';
import { type DiscoveryChanges, declarationWith } from '../contract/declared.ts';
import { freePort } from '../powerdns/server.ts';
import { answeredIn, runBundle, startServer } from './agent.ts';
import { bundleAgent } from './bundle.ts';
import { zone } from './declared-zone.ts';
import type { ProcessUsage } from './process.ts';
import { mebibytes, printTable } from './table.ts';

const counts = { hosts: 5_000, claims: 100 };
const loopMs = 10_000;
const settleMs = 20_000;
const windowMs = 30_000;

const group = '/apis/dns.internal/v1alpha1';
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const addressOf = (i: number) => `10.0.${i >> 8}.${i & 255}`;
const object = (name: string, age: number, labels?: Record<string, string>) => ({
  metadata: {
    ...{ name, namespace: 'office', uid: `uid-${name}`, generation: 1, ...(labels && { labels }) },
    creationTimestamp: new Date(Date.UTC(2026, 0, 1) + age * 1_000).toISOString(),
  },
});
const machine = (i: number): StoredObject => ({
  ...object(`h${i}`, i, { role: `r${i % counts.claims}` }),
  spec: { addresses: [addressOf(i)] },
});
const claim = (i: number): StoredObject => ({
  ...object(`c${i}`, i),
  spec: { name: `c${i}.${zone}`, selector: { matchLabels: { role: `r${i}` } } },
});
const ingress = (i: number): StoredObject => ({
  ...object(`h${i}`, i),
  spec: { rules: [{ host: `h${i}.${zone}` }] },
  status: { loadBalancer: { ingress: [{ ip: addressOf(i) }] } },
});

interface Discovering {
  usage: ProcessUsage;
  /** Resolves when all is answered, and told in statuses. */
  settled: Promise<void>;
  stop(): Promise<void>;
}

export async function benchMachines(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-machines-'));
  const bundle = bundleAgent(folder);
  const hosts = counts.hosts.toLocaleString('en');
  const candidates: [name: string, start: () => Promise<Discovering>][] = [
    [`${hosts} Machines with PTR records, and ${counts.claims} claims`, () => withMachines(bundle, counts.hosts)],
    [`${hosts} Ingresses`, () => withIngresses(bundle)],
    ['no Machines', () => withMachines(bundle, 0)],
  ];
  const running: Discovering[] = [];
  try {
    for (const [, start] of candidates) running.push(await start());
    await Promise.all(running.map(({ settled }) => settled));
    await sleep(settleMs);
    // All at the same time, so that they share what else the machine does.
    const before = running.map(({ usage }) => usage.cpu());
    await sleep(windowMs);
    printTable(
      `The idle agent, ${windowMs / 1_000} s, with Node's heap as under the pod's limit`,
      ['', 'RSS MiB', 'of which anonymous', 'highest RSS MiB', 'CPU millicores', 'n'],
      running.map(({ usage }, index) => [
        candidates[index]![0],
        ...[usage.memory(), usage.anonymous(), usage.peak()].map(mebibytes),
        (((usage.cpu() - before[index]!) / windowMs) * 1_000).toFixed(1),
        1,
      ]),
    );
  } finally {
    for (const each of running) await each.stop();
    rmSync(folder, { recursive: true });
  }
}

async function withMachines(bundle: string, hosts: number): Promise<Discovering> {
  const { kubernetes, ...agent } = await startAgent(bundle, { sources: ownSources }, (server) => {
    server.resources.set(group, ['machines', 'nameclaims']);
    for (const i of range(hosts)) server.put(`${group}/machines`, machine(i));
    for (const i of range(Math.min(hosts, counts.claims))) server.put(`${group}/nameclaims`, claim(i));
  });
  const statuses = () =>
    new Set(kubernetes.writes.filter((line) => line.includes('/status?')).map((line) => line.split(' ')[1])).size;
  const settled = async () => {
    for (const i of range(hosts)) await answeredIn(agent.server, `h${i}.${zone}`, addressOf(i));
    // The agent writes twenty a second.
    while (statuses() < hosts + Math.min(hosts, counts.claims)) await sleep(1_000);
  };
  return { ...agent, settled: settled() };
}

/** With an ExternalDNS that asks for what the Ingresses have. */
async function withIngresses(bundle: string): Promise<Discovering> {
  const ingresses = '/apis/networking.k8s.io/v1/ingresses';
  const { webhook, ...agent } = await startAgent(bundle, { sources: [{ kind: 'Ingress' }] }, (server) => {
    for (const i of range(counts.hosts)) server.put(ingresses, ingress(i));
  });
  const external = webhookAt(`http://${webhook}`);
  const endpoints = range(counts.hosts).map((i) =>
    endpoint(`ingress/office/h${i}`, `h${i}.${zone}`, 'A', addressOf(i)),
  );
  // A loop that fails is repeated, as by ExternalDNS.
  const timer = setInterval(() => void loop(external, endpoints).catch(() => {}), loopMs);
  const settled = async () => {
    for (const i of range(counts.hosts)) await answeredIn(agent.server, `h${i}.${zone}`, addressOf(i));
  };
  const stop = async () => {
    clearInterval(timer);
    await agent.stop();
  };
  return { ...agent, settled: settled(), stop };
}

/** With its own PowerDNS and API server. */
async function startAgent(bundle: string, discovery: DiscoveryChanges, fill: (kubernetes: ApiServer) => void) {
  const server = await startServer();
  const kubernetes = new ApiServer();
  kubernetes.storesPatches = true;
  const config = { token: kubernetes.token, ...(await kubernetes.start()) };
  const declaration = declarationWith({
    name: 'bench',
    zones: zones(zone, '10.in-addr.arpa'),
    addresses: ['127.0.0.1'],
    discovery: { ...discovery, intervalSeconds: loopMs / 1_000, maxNamesPerNamespace: 10_000 },
  });
  const configMap = (name: string, data = {}) =>
    kubernetes.put('/api/v1/configmaps', { metadata: { name, namespace: 'bench', uid: name }, data });
  configMap('declared', { [declarationKey]: JSON.stringify(declaration) });
  for (const name of ['status', 'kept', 'tailnet']) configMap(name);
  fill(kubernetes);
  const webhook = `127.0.0.1:${await freePort()}`;
  const usage = runBundle(bundle, server, { kubeconfig: kubeconfigOf(config) }, { webhook });
  await answeredIn(server, `ns1.${zone}`, '127.0.0.1');
  const stop = async () => {
    await usage.stop();
    kubernetes.stop();
    await server.stop();
  };
  return { usage, server, kubernetes, webhook, stop };
}

if (import.meta.main) await benchMachines();
