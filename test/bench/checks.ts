/** The cost of health-checked answers for PowerDNS. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { encode } from 'dns-packet';
import { PowerDNS } from '../../functions/agent/powerdns/powerdns.ts';
import { luaContent } from '../../functions/agent/zones/lua.ts';
import { powerdnsFilesFor } from '../../functions/internal-dns/server/powerdns.ts';
import { startPowerDNS } from '../powerdns/server.ts';
import { median, printTable } from './table.ts';

const run = promisify(execFile);
const names = 200;
const rounds = 5;
const lengthMs = 2_000;

const addressesOf = (index: number, count: number) =>
  Array.from({ length: count }, (_, place) => `127.0.${place + 1}.${index + 1}`);

type Kind = 'plain' | 'checked' | 'unchecked';

/** Plain records, records with a health check, and the cheapest LUA record: a constant answer without a check. */
function contentOf(kind: Kind, values: string[], port: number): { type: string; records: string[] } {
  if (kind === 'plain') return { type: 'A', records: values };
  if (kind === 'checked') return { type: 'LUA', records: [luaContent('A', values, { check: { port } })] };
  return { type: 'LUA', records: [`A "{${values.map((value) => `'${value}'`)}}"`] };
}

/** Prints queries per second of names with a checked port, next to those of the same names with plain A records. */
export async function benchChecks(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-checks-'));
  const listener = createServer((socket) => void socket.on('error', () => {}).end()).listen(0, '0.0.0.0');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const server = await startPowerDNS({ config: powerdnsFilesFor({ dynamic: true, dname: false })['pdns.conf'], dir });
  try {
    const powerdns = new PowerDNS({ api: server.apiUrl, keyFile: join(dir, 'include/api.conf') });
    const rows: (string | number)[][] = [];
    for (const count of [1, 2, 8]) {
      const measured: Record<Kind, number[]> = { plain: [], checked: [], unchecked: [] };
      const kinds = Object.keys(measured) as Kind[];
      const zoneOf = (kind: Kind) => `${kind}${count}.internal.`;
      for (const kind of kinds) {
        const rrsets = Array.from({ length: names }, (_, index) => ({
          name: `h${index}.${zoneOf(kind)}`,
          ttl: 60,
          ...contentOf(kind, addressesOf(index, count), port),
        }));
        await powerdns.create(zoneOf(kind), rrsets);
      }
      for (let round = 0; round < rounds; round++) {
        for (const kind of kinds) measured[kind].push(await queriesPerSecond(zoneOf(kind), server.dnsPort, dir));
      }
      const [plain, checked, unchecked] = kinds.map((kind) => median(measured[kind])) as [number, number, number];
      const ratios = [checked, unchecked].map((rate) => (rate / plain).toFixed(2));
      rows.push([count, ...[checked, unchecked, plain].map((rate) => rate.toFixed(0)), ...ratios, rounds]);
    }
    printTable(
      `Health-checked answers (queries/s, ${names} names)`,
      ['values', 'checked', 'a LUA record without a check', 'plain', 'checked / plain', 'without a check / plain', 'n'],
      rows,
    );
  } finally {
    await server.stop();
    listener.close();
    rmSync(dir, { recursive: true });
  }
}

/** Uses dnsperf if it is installed, because it takes less CPU time from PowerDNS. */
async function queriesPerSecond(zone: string, port: number, dir: string): Promise<number> {
  const file = join(dir, 'queries');
  const queries = Array.from({ length: names }, (_, index) => `h${index}.${zone}`);
  writeFileSync(file, queries.map((name) => `${name} A\n`).join(''));
  const flags = ['-s', '127.0.0.1', '-p', `${port}`, '-d', file, '-l', `${lengthMs / 1000}`, '-c', '4', '-q', '200'];
  const perf = await run('dnsperf', flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!perf) return rateOf(queries, port);
  const [, rate] = /Queries per second:\s+([0-9.]+)/.exec(perf.stdout) ?? [];
  if (rate === undefined) throw new Error(`cannot read the output of dnsperf: ${perf.stdout}`);
  return Number(rate);
}

/** Queries from four sockets, each with 50 queries in flight. */
async function rateOf(names: string[], port: number): Promise<number> {
  const packets = names.map((name) => encode({ type: 'query', questions: [{ name: name.slice(0, -1), type: 'A' }] }));
  const sockets = Array.from({ length: 4 }, () => createSocket('udp4'));
  let [answers, next] = [0, 0];
  for (const socket of sockets) {
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const ask = () => socket.send(packets[next++ % packets.length]!);
    socket.on('message', () => {
      answers++;
      ask();
    });
    for (let i = 0; i < 50; i++) ask();
  }
  const since = performance.now();
  await new Promise((resolve) => setTimeout(resolve, lengthMs));
  const rate = (answers / (performance.now() - since)) * 1000;
  for (const socket of sockets) socket.close();
  return rate;
}
