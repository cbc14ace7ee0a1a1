/** Zones as declared state, which need no cluster: the agent beside DNSControl, which does the same with one command. */
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
const absent = 'not available';

/** Milliseconds, of each first sync and of each change. */
interface Times {
  first: number[];
  change: number[];
}

/** Measures the agent's bundle and DNSControl, each with servers of its own; prints the tables. */
export async function benchRecords(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-records-'));
  try {
    const bundle = bundleAgent(folder);
    const version = await dnscontrolVersion();
    const ours: Times[] = [];
    const theirs: (Times | undefined)[] = [];
    for (const size of sizes) {
      ours.push(await timesOf(size, () => startOurs(bundle)));
      theirs.push(version === undefined ? undefined : await timesOf(size, startTheirs));
    }
    printTimes(ours, theirs, version ?? absent);
    await benchMemory(bundle, sizes.at(-1)!);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Something that serves a zone. */
interface Server {
  /** Brings the zone to these hosts; the milliseconds until this one of them is answered. */
  bring(hosts: Host[], host: Host): Promise<number>;
  /** Ends at a moment for the next change. */
  pause(): Promise<void>;
  stop(): Promise<void>;
}

/** Each round begins with an empty server; the changes are shared out among the rounds. */
async function timesOf(size: number, start: () => Promise<Server>): Promise<Times> {
  const times: Times = { first: [], change: [] };
  for (let round = 0; round < rounds; round++) {
    const server = await start();
    try {
      const hosts = hostsOf(size);
      times.first.push(await server.bring(hosts, hosts.at(-1)!));
      while (times.change.length < (changes * (round + 1)) / rounds) {
        await server.pause();
        const change = times.change.length;
        const next = changed(hosts, change);
        times.change.push(await server.bring(next, next[change % size]!));
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
    async bring(hosts, [name, address]) {
      agent.declare(hosts);
      return answeredIn(agent.server, `${name}.${zone}`, address);
    },
    // Any moment of its loop, but not while it still looks at what it has written.
    pause: () => sleep(1_000 + Math.random() * 4_000),
    stop: agent.stop,
  };
}

/** What a person waits for is the command. */
async function startTheirs(): Promise<Server> {
  const server = await startServer();
  return {
    async bring(hosts, [name, address]) {
      const time = await push(server, hosts);
      await answeredIn(server, `${name}.${zone}`, address);
      return time;
    },
    pause: async () => {},
    stop: server.stop,
  };
}

function printTimes(ours: Times[], theirs: (Times | undefined)[], version: string): void {
  const rows = (cells: (ours: Times, theirs: Times | undefined, size: number) => (string | number)[]) =>
    sizes.map((size, index) => [size, ...cells(ours[index]!, theirs[index], size)]);
  const spread = (times: Times | undefined) =>
    [0.5, 0.95].map((share) => (times ? seconds(quantile(times.change, share) / 1_000) : absent));
  const rate = (size: number, times: Times | undefined) =>
    times ? ((size / median(times.first)) * 1_000).toFixed(0) : absent;
  const ratio = (kind: keyof Times, ours: Times, theirs: Times | undefined) =>
    theirs ? (median(theirs[kind]) / median(ours[kind])).toFixed(1) : absent;
  const command = `baseline: \`dnscontrol push\` (${version})`;
  printTable(
    'One record of a zone changed -> answered (s; InternalDNS from the ConfigMap on, the baseline the whole command)',
    ['records', 'InternalDNS, p50', 'p95', `${command}, p50`, 'p95', 'times as long, p50', 'n'],
    rows((ours, theirs) => [...spread(ours), ...spread(theirs), ratio('change', ours, theirs), changes]),
  );
  printTable(
    'First sync of a zone (records/s, median)',
    ['records', 'InternalDNS', command, 'times as long', 'n'],
    rows((ours, theirs, size) => [rate(size, ours), rate(size, theirs), ratio('first', ours, theirs), rounds]),
  );
}

if (import.meta.main) await benchRecords();
