/** Measures what the SOA minimum costs, and what it spares a client that asks for a name before it exists. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PowerDNS } from '../../functions/agent/powerdns/powerdns.ts';
import { replacement } from '../../functions/agent/powerdns/rrset.ts';
import { soaContent } from '../../functions/dns/rdata/soa.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { query } from '../powerdns/query.ts';
import { startPowerDNS } from '../powerdns/server.ts';
import { startUnbound } from './answers.ts';
import { printTable, quantile, seconds } from './table.ts';

const zone = 'corp.internal';
const minimums = [30, 5];
const names = 10;
/** Between two questions of the client for each name. */
const everyMs = 200;
const windowMs = 60_000;

export async function benchTooEarly(): Promise<void> {
  printTable(
    `A client asks Unbound for ${names} names ${1_000 / everyMs} times a second, ${windowMs / 1_000} s before they exist and after`,
    [
      'SOA minimum',
      'queries that reach the server per name and minute',
      'created -> answered, p50 (s)',
      'slowest',
      'n',
    ],
    await Promise.all(minimums.map(measure)),
  );
}

async function measure(minimum: number): Promise<(string | number)[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-too-early-'));
  const server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: join(folder, 'pdns') });
  const powerdns = new PowerDNS({ api: server.apiUrl, keyFile: join(folder, 'pdns/include/api.conf') });
  const rrset = (name: string, type: string, content: string) => ({ name, type, ttl: 60, records: [content] });
  const { id } = await powerdns.create(`${zone}.`, [
    rrset(`${zone}.`, 'SOA', soaContent(`${zone}.`, `ns1.${zone}.`, { minimum })),
    rrset(`${zone}.`, 'NS', `ns1.${zone}.`),
  ]);
  const unbound = await startUnbound(join(folder, 'unbound'), server.dnsPort, zone);
  try {
    const hosts = Array.from({ length: names }, (_, index) => `h${index}.${zone}`);
    const ask = (name: string) => query({ name, port: unbound.port });
    const reached = async () => Number(/^pdns_auth_udp_queries (\d+)/m.exec(await powerdns.metrics())![1]);
    const before = await reached();
    const askUntil = async (name: string, isOver: () => boolean) => {
      for (; !isOver(); await sleep(everyMs)) await ask(name);
    };
    const end = performance.now() + windowMs;
    await Promise.all(hosts.map((name) => askUntil(name, () => performance.now() > end)));
    const queries = (await reached()) - before;
    const answered = await Promise.all(
      hosts.map(async (name, index) => {
        // At different moments of the cache.
        const due = performance.now() + (index / names) * minimum * 1_000;
        await askUntil(name, () => performance.now() > due);
        await powerdns.patch({ id }, [replacement(rrset(`${name}.`, 'A', '192.0.2.1'))]);
        const created = performance.now();
        while ((await ask(name)).answers.length === 0) await sleep(everyMs / 4);
        return (performance.now() - created) / 1_000;
      }),
    );
    const perMinute = queries / names / (windowMs / 60_000);
    return [
      `${minimum} s`,
      perMinute.toFixed(1),
      seconds(quantile(answered, 0.5)),
      seconds(Math.max(...answered)),
      names,
    ];
  } finally {
    await unbound.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) await benchTooEarly();
