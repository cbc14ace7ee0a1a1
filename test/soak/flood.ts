/** What floods of questions cost a real PowerDNS, and those who ask for something else meanwhile. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { PowerDNS } from '../../functions/agent/powerdns/powerdns.ts';
import { numberOf } from '../../functions/internal-dns/rules.ts';
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
/** Of these names clients ask for so many all the time. */
const known = 20;
/** Milliseconds after which a client has given up. */
const patience = 1000;

/** Questions a second, for so many seconds; over TCP as fast as they are answered. */
interface Attack {
  name: string;
  flood(port: number): Promise<Flood>;
}

const udp = (questions: () => Buffer, rate: number, seconds: number) => (port: number) =>
  floodUDP(port, questions, { rate, count: rate * seconds });

const attacks: Attack[] = [
  { name: 'none', flood: () => delay(4000).then(() => ({ sent: 0, answered: 0 })) },
  { name: 'one label, 5,000/s', flood: udp(randomNames(zone, 1, 12), 5000, 6) },
  { name: 'three labels of 63, 5,000/s', flood: udp(randomNames(zone, 3, 63), 5000, 6) },
  { name: '119 labels, 300/s', flood: udp(deepNames(zone), 300, 10) },
  { name: '119 labels, 2,000/s', flood: udp(deepNames(zone), 2000, 10) },
  { name: '119 labels, 8,000/s', flood: udp(deepNames(zone), 8000, 5) },
  { name: '64 KiB over TCP', flood: (port) => floodTCP(port, paddedQuestions(`h0.${zone}`), 6000) },
];

/** What others see: names that are asked for all the time, and such that nobody has asked for before. */
interface Others {
  known: Asked;
  new: Asked;
}

interface Asked {
  asked: number;
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

/** Asks every 20 ms, for a known name and a new one in turn, until it is told to stop. */
function askAround(port: number): () => Promise<Others> {
  const others: Others = { known: { asked: 0, answered: [] }, new: { asked: 0, answered: [] } };
  const stop = new AbortController();
  const ask = async (of: Asked, name: string) => {
    of.asked++;
    const since = performance.now();
    await query({ name, port, timeout: patience }).then(
      () => of.answered.push(performance.now() - since),
      () => {},
    );
  };
  const asking = (async () => {
    const questions: Promise<void>[] = [];
    for (let round = 0; !stop.signal.aborted; round++) {
      const [of, index] = round % 2 === 0 ? [others.known, (round / 2) % known] : [others.new, known + (round % names)];
      questions.push(ask(of, `h${index}.${zone}`));
      await delay(20);
    }
    await Promise.all(questions);
  })();
  return async () => {
    stop.abort();
    await asking;
    return others;
  };
}

/** How many of a client's connections are answered, and how long another client waits for an answer, in milliseconds. */
async function takeConnections(port: number): Promise<{ held: number; other: number }> {
  const questions = randomNames(zone, 1, 12);
  const connections: Connection[] = [];
  for (let index = 0; index < 400; index++) connections.push(await openTCP(port, '127.0.0.2'));
  // Those that wait for a place are answered when another one ends.
  const held = await Promise.race([
    Promise.all(connections.map((each) => each.ask(questions()))).then((all) => all.filter(Boolean).length),
    delay(4000).then(() => Number.NaN),
  ]);
  const since = performance.now();
  await query({ name: `h1.${zone}`, port, tcp: true, timeout: 60_000 });
  const other = performance.now() - since;
  for (const each of connections) each.close();
  return { held, other };
}

const milliseconds = (pid: number): number => {
  const [, , user, system] = /^\d+ \(.*\)( \S+){11} (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return (Number(user) + Number(system)) * 10;
};

const sharesOf = ({ asked, answered }: Asked) => [
  `${answered.length}/${asked}`,
  answered.length === 0 ? '' : quantile(answered, 0.95).toFixed(1),
];

/** Prints what each flood costs. Throws when PowerDNS has ended, or had more memory than its limit. */
export async function soakFloods(): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const { name, flood } of attacks) {
    const dir = mkdtempSync(join(tmpdir(), 'soak-flood-'));
    const server = await start(dir);
    const stop = askAround(server.dnsPort);
    const before = milliseconds(server.pid());
    const { sent, answered } = await flood(server.dnsPort);
    const used = milliseconds(server.pid()) - before;
    const others = await stop();
    const peak = server.peakMemory();
    await server.stop();
    rmSync(dir, { recursive: true });
    rows.push([name, sent, answered, used, ...sharesOf(others.known), ...sharesOf(others.new), mebibytes(peak)]);
    if (peak > numberOf(memory)) throw new Error(`PowerDNS had ${mebibytes(peak)} MiB of ${memory} in "${name}"`);
  }
  printTable(
    `Floods of a PowerDNS with ${memory}, and others who ask for known and for new names`,
    ['questions', 'sent', 'answered', 'CPU ms', 'known', 'p95 ms', 'new', 'p95 ms', 'peak MiB'],
    rows,
  );

  const dir = mkdtempSync(join(tmpdir(), 'soak-flood-'));
  const server = await start(dir);
  const { held, other } = await takeConnections(server.dnsPort);
  await server.stop();
  rmSync(dir, { recursive: true });
  printTable(
    'TCP: a client that opens 400 connections',
    ['of them answered', 'another client waits (ms)'],
    [[held, other.toFixed(1)]],
  );
}
