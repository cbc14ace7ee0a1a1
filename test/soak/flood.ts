/** Floods a real PowerDNS with queries, and measures it and its other clients. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { PowerDNS } from '../../functions/agent/powerdns/powerdns.ts';
import { numberOf } from '../../functions/contract/rules.ts';
import { powerdnsFilesFor } from '../../functions/internal-dns/server/powerdns.ts';
import { mebibytes, printTable, quantile } from '../bench/table.ts';
import {
  type Connection,
  deepNames,
  type Flood,
  floodTCP,
  floodUDP,
  openTCP,
  paddedQuestions,
  randomNames,
} from '../powerdns/flood.ts';
import { query } from '../powerdns/query.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';

const zone = 'corp.internal';
const memory = '256Mi';
const names = 2000;
/** The number of these names that clients query all the time. */
const known = 20;
/** The timeout of a client. */
const timeoutMs = 1000;

/** Queries at a fixed rate over UDP, or as fast as they are answered over TCP. */
interface FloodCase {
  name: string;
  flood(port: number): Promise<Flood>;
}

const udp = (queries: () => Buffer, rate: number, seconds: number) => (port: number) =>
  floodUDP(port, queries, { rate, count: rate * seconds });

const floods: FloodCase[] = [
  { name: 'none', flood: () => delay(4000).then(() => ({ sent: 0, answered: 0 })) },
  { name: 'one label, 5,000/s', flood: udp(randomNames(zone, 1, 12), 5000, 6) },
  { name: 'three labels of 63 octets, 5,000/s', flood: udp(randomNames(zone, 3, 63), 5000, 6) },
  { name: '119 labels, 300/s', flood: udp(deepNames(zone), 300, 10) },
  { name: '119 labels, 2,000/s', flood: udp(deepNames(zone), 2000, 10) },
  { name: '119 labels, 8,000/s', flood: udp(deepNames(zone), 8000, 5) },
  { name: '64 KiB each, over TCP', flood: (port) => floodTCP(port, paddedQuestions(`h0.${zone}`), 6000) },
];

/** Queries of other clients: for names that are queried all the time, and for names that were never queried before. */
interface OtherClients {
  known: Queries;
  new: Queries;
}

interface Queries {
  sent: number;
  /** Milliseconds of each answer. */
  answered: number[];
}

async function start(dir: string): Promise<RunningPowerDNS> {
  const config = powerdnsFilesFor({ dynamic: false, dname: false }, { limits: { memory } })['pdns.conf'];
  const server = await startPowerDNS({ config, dir });
  const powerdns = new PowerDNS({ api: server.apiUrl, keyFile: join(dir, 'include/api.conf') });
  const rrset = (name: string, type: string, content: string) => ({ name, type, ttl: 60, records: [content] });
  await powerdns.create(`${zone}.`, [
    rrset(`${zone}.`, 'SOA', `ns1.${zone}. hostmaster.${zone}. 0 3600 600 604800 30`),
    rrset(`${zone}.`, 'NS', `ns1.${zone}.`),
    ...Array.from({ length: names }, (_, index) => rrset(`h${index}.${zone}.`, 'A', `192.0.2.${index % 250}`)),
  ]);
  return server;
}

/** Sends a query every 20 ms, for a known and a new name in turn. Returns a function that stops it. */
function queryContinuously(port: number): () => Promise<OtherClients> {
  const others: OtherClients = { known: { sent: 0, answered: [] }, new: { sent: 0, answered: [] } };
  const stop = new AbortController();
  const send = async (of: Queries, name: string) => {
    of.sent++;
    const since = performance.now();
    await query({ name, port, timeout: timeoutMs }).then(
      () => of.answered.push(performance.now() - since),
      () => {},
    );
  };
  const sending = (async () => {
    const queries: Promise<void>[] = [];
    for (let round = 0; !stop.signal.aborted; round++) {
      const [of, index] = round % 2 === 0 ? [others.known, (round / 2) % known] : [others.new, known + (round % names)];
      queries.push(send(of, `h${index}.${zone}`));
      await delay(20);
    }
    await Promise.all(queries);
  })();
  return async () => {
    stop.abort();
    await sending;
    return others;
  };
}

/** How many connections of a client are answered, and the milliseconds that another client waits for an answer. */
async function exhaustConnections(port: number): Promise<{ answered: number; other: number }> {
  const queries = randomNames(zone, 1, 12);
  const connections: Connection[] = [];
  for (let index = 0; index < 400; index++) connections.push(await openTCP(port, '127.0.0.2'));
  // Connections over the limit are answered only when another one is closed.
  const answered = await Promise.race([
    Promise.all(connections.map((each) => each.ask(queries()))).then((all) => all.filter(Boolean).length),
    delay(4000).then(() => Number.NaN),
  ]);
  const since = performance.now();
  await query({ name: `h1.${zone}`, port, tcp: true, timeout: 60_000 });
  const other = performance.now() - since;
  for (const each of connections) each.close();
  return { answered, other };
}

const cpuTimeOf = (pid: number): number => {
  const [, , user, system] = /^\d+ \(.*\)( \S+){11} (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return (Number(user) + Number(system)) * 10;
};

const cellsOf = ({ sent, answered }: Queries) => [
  `${answered.length} of ${sent}`,
  answered.length === 0 ? '' : quantile(answered, 0.95).toFixed(1),
];

/** Prints the cost of each flood. Throws if PowerDNS has exited or exceeded its memory limit. */
export async function soakFloods(): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const { name, flood } of floods) {
    const dir = mkdtempSync(join(tmpdir(), 'soak-flood-'));
    const server = await start(dir);
    const stop = queryContinuously(server.dnsPort);
    const before = cpuTimeOf(server.pid());
    const { sent, answered } = await flood(server.dnsPort);
    const used = cpuTimeOf(server.pid()) - before;
    const others = await stop();
    const peak = server.peakMemory();
    await server.stop();
    rmSync(dir, { recursive: true });
    rows.push([name, sent, answered, used, ...cellsOf(others.known), ...cellsOf(others.new), mebibytes(peak)]);
    if (peak > numberOf(memory))
      throw new Error(`PowerDNS used ${mebibytes(peak)} MiB of ${memory} in the flood "${name}"`);
  }
  printTable(
    `Floods of a PowerDNS with ${memory}, while other clients query known and new names`,
    ['flood', 'sent', 'answered', 'CPU ms', 'known, answered', 'p95 ms', 'new, answered', 'p95 ms', 'peak MiB'],
    rows,
  );

  const dir = mkdtempSync(join(tmpdir(), 'soak-flood-'));
  const server = await start(dir);
  const { answered, other } = await exhaustConnections(server.dnsPort);
  await server.stop();
  rmSync(dir, { recursive: true });
  printTable(
    '400 TCP connections of one client',
    ['answered', 'another client waits (ms)'],
    [[answered, other.toFixed(1)]],
  );
}
