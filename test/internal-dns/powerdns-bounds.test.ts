/** The limits of PowerDNS on memory, queue and TCP connections, so that no client can starve others. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { PowerDNS } from '../../functions/agent/powerdns/powerdns.ts';
import { replacement } from '../../functions/agent/powerdns/rrset.ts';
import { numberOf } from '../../functions/contract/rules.ts';
import { powerdnsFiles, powerdnsFilesFor } from '../../functions/internal-dns/server/powerdns.ts';
import { boundsOf } from '../../functions/internal-dns/server/powerdns-bounds.ts';
import {
  type Connection,
  deepNames,
  floodTCP,
  floodUDP,
  openTCP,
  paddedQuestions,
  randomNames,
} from '../powerdns/flood.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { waitTimeoutMs } from '../timeouts.ts';

const MiB = 2 ** 20;
const settingsOf = (config: string): Record<string, string> =>
  Object.fromEntries(
    config.split('\n').flatMap((line) => {
      const [name = '', value] = line.split('=');
      return value === undefined ? [] : [[name, value]];
    }),
  );
const rendered = (limits?: Record<string, string | number>) =>
  settingsOf(powerdnsFilesFor({ dynamic: false, dname: false }, limits && { limits })['pdns.conf']);

test.each([
  ['256Mi', 256 * MiB],
  ['1Gi', 1024 * MiB],
  ['1G', 1e9],
  ['1e9', 1e9],
  ['1E9', 1e9],
  ['1E', 1e18],
  ['+.5Gi', 512 * MiB],
  ['1.5Gi', 1536 * MiB],
  ['3.', 3],
  ['268435456000m', 256 * MiB],
  ['1048576Ki', 1024 * MiB],
  ['1k', 1000],
  ['2Ti', 2 * 1024 * 1024 * MiB],
  ['none', Number.NaN],
  ['1GB', Number.NaN],
  [268435456, 256 * MiB],
])('%s is %d', (quantity, value) => {
  expect(numberOf(quantity)).toBe(value);
});

describe('caches follow the memory limit', () => {
  test('in any notation', () => {
    const asDefault = rendered();
    for (const memory of ['256Mi', '268435456', 268435456, '262144Ki', '0.25Gi', '268435456000m', '268435456e0']) {
      expect(rendered({ memory })).toEqual(asDefault);
    }
    expect(rendered({ memory: '512Mi' })).not.toEqual(asDefault);
  });

  test('and have their defaults without one', () => {
    expect(rendered({ cpu: 1 })).toEqual(rendered());
  });

  test.each(['128Mi', '192Mi', '256Mi', '1Gi', '64Gi'])('and filled with the largest entries fit into %s', (memory) => {
    const bounds = boundsOf(numberOf(memory));
    const [question, name] = [64 * 1024, 256];
    const most =
      (bounds['max-packet-cache-entries'] ?? 0) * 2 * question +
      (bounds['max-cache-entries'] ?? 0) * 2 * name +
      (bounds['max-signature-cache-entries'] ?? 0) * name;
    expect(most).toBeLessThan(numberOf(memory) - 64 * MiB);
  });

  test('and have a minimum size', () => {
    expect(Math.min(...Object.values(boundsOf(1)).filter((value) => value !== 0))).toBeGreaterThan(0);
  });
});

describe('a real PowerDNS', { tags: ['PowerDNS'] }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bounds-'));
  const zone = 'corp.internal';
  const rrset = (name: string, type: string, content: string) => ({ name, type, ttl: 60, records: [content] });
  let server: RunningPowerDNS;
  const connections: Connection[] = [];
  afterEach(async () => {
    for (const each of connections.splice(0)) each.close();
    await server.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Starts PowerDNS with a rendered configuration and some replaced settings. */
  async function start(name: string, config: string, settings: Record<string, number> = {}): Promise<PowerDNS> {
    const dir = join(folder, name);
    const replaced = Object.entries(settings).map(([setting, value]) => `${setting}=${value}`);
    const kept = config.split('\n').filter((line) => !((line.split('=')[0] ?? '') in settings));
    server = await startPowerDNS({ config: [...kept, ...replaced, ''].join('\n'), dir });
    const powerdns = new PowerDNS({
      api: server.apiUrl,
      keyFile: join(dir, 'include/api.conf'),
      timeoutMs: waitTimeoutMs,
    });
    await powerdns.create(`${zone}.`, [
      rrset(`${zone}.`, 'SOA', `ns1.${zone}. hostmaster.${zone}. 0 3600 600 604800 30`),
      rrset(`${zone}.`, 'NS', `ns1.${zone}.`),
      rrset(`web.${zone}.`, 'A', '192.0.2.80'),
    ]);
    return powerdns;
  }
  const answer = async (name: string, tcp = false) => (await server.query(name, 'A', { tcp })).rcode;
  const statistic = async (name: string) => {
    const response = await fetch(`${server.apiUrl}/api/v1/servers/localhost/statistics?statistic=${name}`, {
      headers: { 'X-API-Key': server.apiKey },
    });
    return Number(((await response.json()) as { value: string }[])[0]?.value);
  };

  test('stays below its limit under any queries', async () => {
    const memory = 128 * MiB;
    await start('memory', powerdnsFilesFor({ dynamic: false, dname: false }, { limits: { memory } })['pdns.conf']);
    await floodUDP(server.dnsPort, deepNames(zone), { count: 1500 });
    await floodUDP(server.dnsPort, randomNames(zone, 3, 63), { count: 10_000 });
    await floodTCP(server.dnsPort, paddedQuestions(`web.${zone}`), 3000);
    expect(await answer(`web.${zone}`)).toBe('NOERROR');
    expect(server.peakMemory()).toBeLessThan(memory);
  });

  test('under overload answers from its cache and drops the rest', async () => {
    // The shortest queue, as if PowerDNS were slow.
    await start('queue', powerdnsFiles['pdns.conf'], { 'overload-queue-length': 1 });
    await answer(`web.${zone}`);
    const flood = floodUDP(server.dnsPort, deepNames(zone), { count: 3000, rate: 1e6 });
    const asked = Array.from({ length: 20 }, () => answer(`web.${zone}`));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['NOERROR']));
    await flood;
    expect(await statistic('overload-drops')).toBeGreaterThan(0);
  });

  test('accepts a burst of as many names as its socket buffer holds', async () => {
    await start('burst', powerdnsFiles['pdns.conf']);
    const { answered } = await floodUDP(server.dnsPort, randomNames(zone, 1, 12), { count: 100, rate: 1e6 });
    expect(answered).toBe(100);
  });

  test('does not exit because of the length of its queue', async () => {
    // A little above the length from which it drops queries, so that a short flood is enough.
    await start('end', powerdnsFiles['pdns.conf'], { 'max-queue-length': 300 });
    await floodUDP(server.dnsPort, deepNames(zone), { count: 3000, rate: 1e6 });
    expect(await answer(`web.${zone}`)).toBe('NOERROR');
  });

  test('limits the connections of one client', async () => {
    const long = waitTimeoutMs / 1000;
    const held = { 'tcp-idle-timeout': long, 'max-tcp-connection-duration': long };
    await start('connections', powerdnsFiles['pdns.conf'], held);
    const most = Number(rendered()['max-tcp-connections']);
    for (let index = 0; index < most; index++) connections.push(await openTCP(server.dnsPort, '127.0.0.2'));
    const questions = randomNames(zone, 1, 12);
    const answers = await Promise.all(connections.map((each) => each.ask(questions())));
    const share = answers.filter(Boolean).length;
    expect(share).toBe(Number(rendered()['max-tcp-connections-per-client']));
    expect(share).toBeLessThan(most / 2);
    expect(await answer(`web.${zone}`, true)).toBe('NOERROR');
  });

  test('closes a connection after a number of queries', async () => {
    await start('transactions', powerdnsFiles['pdns.conf'], { 'max-tcp-transactions-per-conn': 3 });
    const connection = await openTCP(server.dnsPort);
    connections.push(connection);
    const questions = randomNames(zone, 1, 12);
    const answers = [];
    for (let index = 0; index < 4; index++) answers.push(await connection.ask(questions()));
    expect(answers).toEqual([true, true, true, false]);
    expect(Number(rendered()['max-tcp-transactions-per-conn'])).toBeGreaterThan(0);
  });

  test('closes a connection after a time', async () => {
    await start('duration', powerdnsFiles['pdns.conf'], { 'max-tcp-connection-duration': 1 });
    const connection = await openTCP(server.dnsPort);
    connections.push(connection);
    const questions = randomNames(zone, 1, 12);
    await expect.poll(() => connection.ask(questions())).toBe(false);
    expect(Number(rendered()['max-tcp-connection-duration'])).toBeGreaterThan(0);
  });

  test('answers for a new name at once, even if it was queried before', async () => {
    const powerdns = await start('edits', powerdnsFiles['pdns.conf']);
    expect(await answer(`new.${zone}`)).toBe('NXDOMAIN');
    await powerdns.patch({ id: `${zone}.` }, [replacement(rrset(`new.${zone}.`, 'A', '192.0.2.81'))]);
    expect(await answer(`new.${zone}`)).toBe('NOERROR');
  });
});
