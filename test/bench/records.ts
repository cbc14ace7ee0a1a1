/** Measures declared zones without a cluster: the agent next to DNSControl, which does the same with one command. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answeredIn, startAgent, startServer } from './agent.ts';
import { bundleAgent } from './bundle.ts';
import { changed, type Host, hostsOf, zone } from './declared-zone.ts';
import { dnscontrolVersion, push } from './dnscontrol.ts';
import { benchMemory } from './memory.ts';
import { median, printTable, quantile, seconds } from './table.ts';

const sizes = [10, 1_000, 10_000];
const rounds = 3;
const changes = 20;
const unavailable = 'not available';

/** Milliseconds of each first sync and of each change. */
interface Times {
  first: number[];
  change: number[];
}

/** Measures the agent's bundle and DNSControl, each with its own servers, and prints the tables. */
export async function benchRecords(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-records-'));
  try {
    const bundle = bundleAgent(folder);
    const version = await dnscontrolVersion();
    const ours: Times[] = [];
    const baseline: (Times | undefined)[] = [];
    for (const size of sizes) {
      ours.push(await timesOf(size, () => startOurs(bundle)));
      baseline.push(version === undefined ? undefined : await timesOf(size, startBaseline));
    }
    printTimes(ours, baseline, version ?? unavailable);
    await benchMemory(bundle, sizes.at(-1)!);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A server of the zone and the program that writes it. */
interface Server {
  /** Sets the hosts of the zone; returns the milliseconds until `host` is answered. */
  sync(hosts: Host[], host: Host): Promise<number>;
  /** Waits before the next change. */
  pause(): Promise<void>;
  stop(): Promise<void>;
}

/** Each round begins with an empty server; the changes are spread over the rounds. */
async function timesOf(size: number, start: () => Promise<Server>): Promise<Times> {
  const times: Times = { first: [], change: [] };
  for (let round = 0; round < rounds; round++) {
    const server = await start();
    try {
      const hosts = hostsOf(size);
      times.first.push(await server.sync(hosts, hosts.at(-1)!));
      while (times.change.length < (changes * (round + 1)) / rounds) {
        await server.pause();
        const change = times.change.length;
        const next = changed(hosts, change);
        times.change.push(await server.sync(next, next[change % size]!));
      }
    } finally {
      await server.stop();
    }
  }
  return times;
}

async function startOurs(bundle: string): Promise<Server> {
  const agent = await startAgent(bundle);
  return {
    async sync(hosts, [name, address]) {
      agent.declare(hosts);
      return answeredIn(agent.server, `${name}.${zone}`, address);
    },
    // A random moment of its loop, but not while it still verifies its last write.
    pause: () => sleep(1_000 + Math.random() * 4_000),
    stop: agent.stop,
  };
}

/** Measures only the command, because that is what a person waits for. */
async function startBaseline(): Promise<Server> {
  const server = await startServer();
  return {
    async sync(hosts, [name, address]) {
      const time = await push(server, hosts);
      await answeredIn(server, `${name}.${zone}`, address);
      return time;
    },
    pause: async () => {},
    stop: server.stop,
  };
}

function printTimes(ours: Times[], baseline: (Times | undefined)[], version: string): void {
  const rows = (cells: (ours: Times, baseline: Times | undefined, size: number) => (string | number)[]) =>
    sizes.map((size, index) => [size, ...cells(ours[index]!, baseline[index], size)]);
  const spread = (times: Times | undefined) =>
    [0.5, 0.95].map((fraction) => (times ? seconds(quantile(times.change, fraction) / 1_000) : unavailable));
  const rate = (size: number, times: Times | undefined) =>
    times ? ((size / median(times.first)) * 1_000).toFixed(0) : unavailable;
  const ratio = (kind: keyof Times, ours: Times, baseline: Times | undefined) =>
    baseline ? (median(baseline[kind]) / median(ours[kind])).toFixed(1) : unavailable;
  const command = `\`dnscontrol push\` (${version})`;
  printTable(
    'One of the records changed -> answered (s; from the write of the ConfigMap, or the complete command)',
    ['records', 'one changed -> answered, p50', 'p95', `${command}, p50`, 'p95', 'ratio, p50', 'n'],
    rows((ours, baseline) => [...spread(ours), ...spread(baseline), ratio('change', ours, baseline), changes]),
  );
  printTable(
    'First sync (records/s, median)',
    ['records', 'first sync', command, 'ratio', 'n'],
    rows((ours, baseline, size) => [rate(size, ours), rate(size, baseline), ratio('first', ours, baseline), rounds]),
  );
}

if (import.meta.main) await benchRecords();
