/** Measures how long a name takes to appear to clients of a CoreDNS that forwards its zone and caches, as that of a cluster. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../functions/agent/lib/error-message.ts';
import { declarationKey } from '../../functions/contract/declaration.ts';
import type { ApiServer } from '../agent/kubernetes/api-server.ts';
import { declarationWith } from '../contract/declared.ts';
import { type DNSProcess, startDNSProcess } from '../dns-process.ts';
import { clientAt } from '../e2e/cluster/names.ts';
import { startExternalDNS } from '../local-cluster/external-dns.ts';
import { findOnPath } from '../path.ts';
import { freePort } from '../powerdns/server.ts';
import { runBundle, startServer } from './agent.ts';
import { bundleAgent } from './bundle.ts';
import { putIngress, removeIngress, startApiServer } from './ingresses.ts';
import { startGateway } from './k8s-gateway.ts';
import { firstAnswerAt } from './latency.ts';
import { printTable, quantile, seconds } from './table.ts';

const trials = 20;
/** Between their starts. */
const betweenMs = 1_000;
const address = '192.0.2.1';
const cacheSeconds = 30;
/** Each is queried only once, so no negative answer is cached for it. */
const freshNames = 50;

interface Running {
  port: number;
  stop(): Promise<void>;
}

interface Contender {
  what: string;
  zone: string;
  start(): Promise<Running>;
}

interface Measured {
  asked: number[];
  fresh: number[];
  gone: number[];
}

export async function benchThroughCoreDNS(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-through-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const api = await startApiServer(kubeconfig);
  const contenders: Contender[] = [
    { what: 'InternalDNS', zone: 'corp.internal', start: () => startOurs(api, kubeconfig, folder) },
    {
      what: 'k8s_gateway',
      zone: 'gateway.internal',
      start: () => startGateway({ zone: 'gateway.internal', kubeconfig, folder: join(folder, 'gateway') }),
    },
  ];
  const stops: (() => Promise<void>)[] = [async () => api.stop()];
  try {
    const ways: { what: string; zone: string; port: number }[] = [];
    const missing: string[] = [];
    for (const { what, zone, start } of contenders) {
      try {
        const server = await start();
        stops.push(server.stop);
        ways.push({ what, zone, port: server.port });
        const cache = await startForwarder(join(folder, `coredns-${zone}`), zone, server.port);
        stops.push(cache.stop);
        ways.push({ what: `${what} through CoreDNS`, zone, port: cache.port });
      } catch (error) {
        // A program that this machine does not have.
        missing.push(`${what}: ${messageOf(error).slice(0, 100)}`);
      }
    }
    // Those that ask before do so for another time each, so that they meet every moment of the cache.
    const waits = Array.from(
      { length: trials },
      (_, trial) => (((trial * 7) % trials) / trials) * cacheSeconds * 1_000,
    );
    const times = await Promise.all(
      waits.map(async (waitMs, trial) => {
        await sleep(trial * betweenMs);
        return measure(api, ways, trial, waitMs);
      }),
    );
    const cells = (index: number, kind: keyof Measured) => {
      const values = times.map((each) => each[kind][index]!);
      return [0.5, 0.95].map((fraction) => seconds(quantile(values, fraction))).join(' / ');
    };
    printTable(
      `An Ingress changes -> the right answer, also through a CoreDNS with \`cache ${cacheSeconds}\` (s, p50 / p95)`,
      ['', 'gets its address, asked before', 'the same, never asked before', 'deleted', 'n'],
      [
        ...ways.map(({ what }, index) => [
          what,
          cells(index, 'asked'),
          cells(index, 'fresh'),
          cells(index, 'gone'),
          trials,
        ]),
        ...missing.map((what) => [what, '', '', '', '']),
      ],
    );
  } finally {
    for (const stop of stops.toReversed()) await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The seconds until each way gives the right answers. */
async function measure(
  api: ApiServer,
  ways: readonly { zone: string; port: number }[],
  trial: number,
  waitMs: number,
): Promise<Measured> {
  const zones = [...new Set(ways.map(({ zone }) => zone))];
  const hosts = (names: string[]) => zones.flatMap((zone) => names.map((name) => `${name}.${zone}`));
  const watch = (names: string[], expected: string) =>
    ways.map(({ zone, port }) =>
      firstAnswerAt(
        clientAt('127.0.0.1', port),
        names.map((name) => `${name}.${zone}`),
        expected,
      ),
    );
  const since = async (began: number, answers: Promise<number>[]) =>
    (await Promise.all(answers)).map((at) => Math.max(0, at - began) / 1_000);

  const asked = [`asked-${trial}`];
  putIngress(api, `asked-${trial}`, hosts(asked));
  const appears = watch(asked, address);
  await sleep(1_000 + waitMs);
  const given = performance.now();
  putIngress(api, `asked-${trial}`, hosts(asked), address);
  const askedTimes = await since(given, appears);

  const fresh = Array.from({ length: freshNames }, (_, index) => `fresh-${trial}-${index}`);
  putIngress(api, `fresh-${trial}`, hosts(fresh));
  await sleep(500);
  const freshGiven = performance.now();
  putIngress(api, `fresh-${trial}`, hosts(fresh), address);
  const freshTimes = await since(freshGiven, watch(fresh, address));

  const goes = watch(asked, 'NXDOMAIN');
  const removed = performance.now();
  removeIngress(api, `asked-${trial}`);
  return { asked: askedTimes, fresh: freshTimes, gone: await since(removed, goes) };
}

/** PowerDNS, the agent, and what ExternalDNS asks it for. */
async function startOurs(api: ApiServer, kubeconfig: string, folder: string): Promise<Running> {
  const declaration = declarationWith({
    name: 'bench',
    zones: [{ name: 'corp.internal', nameServers: [] }],
    addresses: ['127.0.0.1'],
    discovery: {
      intervalSeconds: 10,
      sources: [{ kind: 'Ingress', isAnticipated: true }],
      maxNamesPerNamespace: 10_000,
      deleteGuard: { percent: 100 },
    },
  });
  const put = (name: string, data?: Record<string, string>) =>
    api.put('/api/v1/configmaps', { metadata: { name, namespace: 'bench', uid: name }, ...(data && { data }) });
  for (const name of ['status', 'kept', 'tailnet']) put(name);
  put('declared', { [declarationKey]: JSON.stringify(declaration) });
  const server = await startServer();
  const webhook = `127.0.0.1:${await freePort()}`;
  const agent = runBundle(bundleAgent(folder), server, { kubeconfig: readFileSync(kubeconfig, 'utf8') }, { webhook });
  const synced = Promise.withResolvers<void>();
  const stopExternalDNS = await startExternalDNS({
    kubeconfig,
    discovery: declaration.discovery!,
    webhook: `http://${webhook}`,
    onLoop: (failure) => failure === undefined && synced.resolve(),
  });
  await synced.promise;
  return {
    port: server.dnsPort,
    async stop() {
      stopExternalDNS();
      await agent.stop();
      await server.stop();
    },
  };
}

async function startForwarder(folder: string, zone: string, upstream: number): Promise<DNSProcess> {
  const program = findOnPath('coredns');
  const port = await freePort();
  mkdirSync(folder);
  const file = join(folder, 'Corefile');
  const plugins = [`forward . 127.0.0.1:${upstream}`, `cache ${cacheSeconds}`];
  writeFileSync(file, `${zone}:${port} {\n  ${plugins.join('\n  ')}\n}\n`);
  return startDNSProcess({ command: [program, '-conf', file], folder, port, probe: { name: zone, type: 'SOA' } });
}

if (import.meta.main) await benchThroughCoreDNS();
