/** Measures targets that are host names, such as load balancers of AWS, next to targets that are addresses. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../../functions/agent/discovery/endpoint.ts';
import { declarationKey } from '../../functions/contract/declaration.ts';
import { loop, webhookAt } from '../agent/external-dns.ts';
import { endpoint } from '../agent/make.ts';
import { writeDeclaration } from '../agent/run.ts';
import { declarationWith } from '../contract/declared.ts';
import { freePort } from '../powerdns/server.ts';
import { answeredIn, environment, type Server, startServer } from './agent.ts';
import { bundleAgent } from './bundle.ts';
import { zone } from './declared-zone.ts';
import { background, heapFlags, type ProcessUsage } from './process.ts';
import { queriesOnly, type Resolver, startResolver } from './resolver.ts';
import { mebibytes, printTable, quantile, seconds } from './table.ts';

const changes = 20;
const hosts = 1_000;
const intervalMs = 2_000;
const settleMs = 10_000;
const windowMs = 30_000;

/** Seconds. The shorter one is also the shortest that the agent follows; that of load balancers of AWS is the longer one. */
const ttls = { short: 5, usual: 60 };

interface Discovering extends ProcessUsage {
  server: Server;
  /** What the objects want. */
  endpoints: Endpoint[];
}

export async function benchHostNames(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-host-names-'));
  try {
    const bundle = bundleAgent(folder);
    await benchChange(bundle);
    await benchMemory(bundle);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The address of a load balancer's name and that of an object change at the same moment. */
async function benchChange(bundle: string): Promise<void> {
  let current = '192.0.2.1';
  const resolver = await startResolver(() => current, ttls.short);
  const agent = await startDiscovering(bundle, resolver);
  const endpointsAt = (address: string) => [
    endpoint('ingress/a/named', `named.${zone}`, 'CNAME', 'lb.example.net'),
    endpoint('ingress/a/plain', `plain.${zone}`, 'A', address),
  ];
  const answered = (address: string) =>
    Promise.all(['named', 'plain'].map((name) => answeredIn(agent.server, `${name}.${zone}`, address)));
  const times: number[][] = [];
  try {
    agent.endpoints = endpointsAt(current);
    await answered(current);
    for (let change = 0; change < changes; change++) {
      // A random moment of both loops.
      await sleep(Math.random() * ttls.short * 1_000);
      current = `192.0.2.${10 + change}`;
      agent.endpoints = endpointsAt(current);
      times.push(await answered(current));
    }
  } finally {
    await agent.stop();
    resolver.stop();
  }
  const row = (what: string, index: number) => {
    const values = times.map((each) => each[index]! / 1_000);
    return [what, ...[0.5, 0.95].map((fraction) => seconds(quantile(values, fraction))), changes];
  };
  printTable(
    'Address of a target changed -> answered (s, with loops of ExternalDNS every 2 s)',
    ['', 'p50', 'p95', 'n'],
    [row(`of its host name, with a TTL of ${ttls.short} s`, 0), row('in the object', 1)],
  );
}

async function benchMemory(bundle: string): Promise<void> {
  const address = (index: number) => `10.0.${index >> 8}.${index & 255}`;
  const resolver = await startResolver((name) => address(Number.parseInt(name.slice(2), 10)), ttls.usual);
  const ofType = (type: 'A' | 'CNAME') =>
    Array.from({ length: hosts }, (_, index) => {
      const target = type === 'A' ? address(index) : `lb${index}.example.net`;
      return endpoint(`ingress/a/h${index}`, `h${index}.${zone}`, type, target);
    });
  const usageOf = async (endpoints: Endpoint[]) => {
    const agent = await startDiscovering(bundle, resolver);
    try {
      agent.endpoints = endpoints;
      for (let index = 0; index < hosts; index++) await answeredIn(agent.server, `h${index}.${zone}`, address(index));
      await sleep(settleMs);
      const before = agent.cpu();
      await sleep(windowMs);
      const millicores = ((agent.cpu() - before) / windowMs) * 1_000;
      return [mebibytes(agent.memory()), mebibytes(agent.anonymous()), millicores.toFixed(1), 1];
    } finally {
      await agent.stop();
    }
  };
  try {
    const count = hosts.toLocaleString('en');
    printTable(
      `The idle agent with ${count} hosts, ${windowMs / 1_000} s, with Node's heap as under the pod's limit`,
      ['', 'RSS MiB', 'of which anonymous', 'CPU millicores', 'n'],
      [
        [`${count} host names as targets, with a TTL of ${ttls.usual} s`, ...(await usageOf(ofType('CNAME')))],
        [`${count} addresses`, ...(await usageOf(ofType('A')))],
      ],
    );
  } finally {
    resolver.stop();
  }
}

/** Runs the agent's bundle with its own PowerDNS, and with an ExternalDNS whose objects are `endpoints`. */
async function startDiscovering(bundle: string, resolver: Resolver): Promise<Discovering> {
  const server = await startServer();
  const declaration = join(server.dir, declarationKey);
  writeDeclaration(
    declaration,
    declarationWith({
      name: 'bench',
      zones: [{ name: zone, nameServers: [] }],
      addresses: ['127.0.0.1'],
      discovery: { deleteGuard: { percent: 100 }, maxNamesPerNamespace: 10_000 },
    }),
  );
  const webhook = `127.0.0.1:${await freePort()}`;
  const flags = {
    declaration,
    'powerdns-api': server.apiUrl,
    'powerdns-key': join(server.dir, 'include/api.conf'),
    dns: `127.0.0.1:${server.dnsPort}`,
    webhook,
    http: '127.0.0.1:0',
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const preloaded = queriesOnly(resolver.address);
  const agent = background(bundle, args, { ...environment, ...preloaded.env }, [...heapFlags, ...preloaded.flags]);
  await answeredIn(server, `ns1.${zone}`, '127.0.0.1');
  let isOver = false;
  const discovering: Discovering = {
    ...agent,
    server,
    endpoints: [],
    stop: async () => {
      isOver = true;
      await looping;
      await agent.stop();
      await server.stop();
    },
  };
  const external = webhookAt(`http://${webhook}`);
  const looping = (async () => {
    while (!isOver) {
      // A loop that fails is repeated, as by ExternalDNS.
      await loop(external, discovering.endpoints).catch(() => undefined);
      await sleep(intervalMs);
    }
  })();
  return discovering;
}

if (import.meta.main) await benchHostNames();
