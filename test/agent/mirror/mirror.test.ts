/**
 * The record mirror, with a real PowerDNS at each replica.
 *
 * @module-tag PowerDNS
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import type { RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { createCanaryZone } from '../../../functions/agent/self-test/canary-record.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import type { DeclarationChanges } from '../../contract/declared.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { corp, declare, endpoint, zones } from '../make.ts';
import { MemoryConfigMap } from './memory-config-map.ts';
import { lineOf, PowerDNSDatabase, Replica, settle } from './replica.ts';
import { history, mostReplicas, World } from './world.ts';

interface Server {
  dir: string;
  running: RunningPowerDNS;
}

const servers: Server[] = [];
const zone = 'corp.internal.';
let configMap: MemoryConfigMap;
let clock: { now: number };
let replicas: Replica<PowerDNSDatabase>[];
let endpoints: Endpoint[];

beforeAll(async () => {
  for (let index = 0; index < mostReplicas; index++) {
    const dir = mkdtempSync(join(tmpdir(), 'mirror-'));
    servers.push({ dir, running: await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir }) });
  }
});
afterAll(async () => {
  for (const { running, dir } of servers) {
    await running.stop();
    rmSync(dir, { recursive: true });
  }
});
beforeEach(() => {
  configMap = new MemoryConfigMap();
  clock = { now: 1_000_000 };
  replicas = [];
  endpoints = [];
});

const databaseOf = ({ running, dir }: Server) => new PowerDNSDatabase(running, join(dir, 'include/api.conf'));

/** Replicas with empty databases. */
async function start(count: number, declaration: DeclarationChanges, mostBytes?: number): Promise<void> {
  for (let index = 0; index < count; index++) await add(declaration, mostBytes);
  await settled();
}

async function add(declaration: DeclarationChanges, mostBytes?: number): Promise<void> {
  const database = databaseOf(servers[replicas.length] as Server);
  await database.lose();
  const options = { configMap, clock, declaration: declare({ replicas: 2, ...declaration }) };
  replicas.push(new Replica(database, { ...options, ...(mostBytes !== undefined && { mostBytes }) }));
}

const settled = () =>
  settle(replicas, { configMap, clock, stepMs: 20_000, ...(endpoints.length > 0 && { endpoints }) }).then(async () => {
    const all = await Promise.all(replicas.map((replica) => replica.records()));
    for (const records of all) expect(records).toEqual(all[0]);
  });

const at = (index: number) => replicas[index] as Replica<PowerDNSDatabase>;
const rrset = (name: string, type: string, ...records: string[]): RRset => ({ name, type, ttl: 77, records });
const records = (index = 0) => at(index).records();

const byHand = [
  rrset('*.w.corp.internal.', 'AAAA', '2001:db8::1'),
  rrset('_sip._tcp.corp.internal.', 'SRV', '0 5 5060 www.corp.internal.'),
  rrset('corp.internal.', 'MX', '10 mail.corp.internal.', '20 mail2.example.com.'),
  rrset('t.corp.internal.', 'TXT', '"a;b \\"quoted\\" \\\\ and \\200"'),
  rrset('alias.corp.internal.', 'CNAME', 'www.example.com.'),
];
const off = { discovery: undefined };

test('a record added by hand at one replica reaches the other, as do its change and its deletion', async () => {
  await start(2, off);
  for (const each of byHand) await at(0).database.edit(zone, each);
  await settled();
  expect(await records(1)).toEqual(byHand.map(lineOf).sort());
  expect((await at(1).database.zones())[0]?.rrsets.find(({ type }) => type === 'TXT')).toMatchObject({ ttl: 77 });

  await at(1).database.edit(zone, rrset('alias.corp.internal.', 'CNAME', 'other.example.com.'));
  await at(1).database.edit(zone, rrset('corp.internal.', 'MX'));
  await settled();
  expect(await records(0)).toContain('alias.corp.internal. CNAME other.example.com.');
  expect((await records(0)).join()).not.toContain(' MX ');
  expect(Object.keys(configMap.entries)).not.toContain('corp.internal..MX..');
});

test('a lost volume gets its manual records back, with their comments', async () => {
  await start(1, off);
  const comment = { account: 'ann', content: 'ask her' };
  await at(0).database.edit(zone, { ...rrset('printer.corp.internal.', 'A', '192.0.2.9'), mark: comment });
  for (const each of byHand) await at(0).database.edit(zone, each);
  await settled();
  const before = await records();
  const { writes } = configMap;

  await at(0).database.lose();
  at(0).restart();
  await settled();
  expect(await records()).toEqual(before);
  const [stored] = await at(0).database.zones();
  expect(stored?.rrsets.find(({ name }) => name.startsWith('printer'))?.mark).toEqual(comment);
  expect(configMap.writes).toBe(writes);
});

test('a volume can be lost while the agent runs', async () => {
  await start(1, off);
  await at(0).database.edit(zone, rrset('printer.corp.internal.', 'A', '192.0.2.9'));
  await settled();
  await at(0).database.lose();
  await settled();
  expect(await records()).toEqual(['printer.corp.internal. A 192.0.2.9']);
});

test('a volume can be lost while the mirror is written', async () => {
  await start(1, off);
  const { database } = at(0);
  await database.edit(zone, rrset('printer.corp.internal.', 'A', '192.0.2.9'));
  configMap.onWrite = async () => {
    configMap.onWrite = async () => {};
    await database.lose();
    await createCanaryZone(database.powerdns);
  };
  await settled();
  expect(await records()).toEqual(['printer.corp.internal. A 192.0.2.9']);
});

test('manual zones, and zones kept for manual records, are restored and deleted', async () => {
  const declared = { ...off, zones: zones('corp.internal', 'old.internal') };
  await start(2, declared);
  await at(0).database.edit('old.internal.', rrset('kept.old.internal.', 'A', '192.0.2.1'));
  const soa = rrset('lab.internal.', 'SOA', 'ns.lab.internal. ann.lab.internal. 1 3600 600 604800 30');
  const inLab = [soa, rrset('lab.internal.', 'NS', 'ns.lab.internal.'), rrset('ns.lab.internal.', 'A', '192.0.2.2')];
  await at(1).database.powerdns.create('lab.internal.', inLab, 'ann');
  for (const replica of replicas) replica.declare(declare({ ...off, zones: [corp], replicas: 2 }));
  await settled();

  for (const index of [0, 1]) {
    await at(index).database.lose();
    await settled();
    const stored = await at(index).database.zones();
    const known = stored.map(({ name, account }) => `${name} ${account}`);
    expect(known.sort()).toEqual(['corp.internal. internal-dns', 'lab.internal. ann', 'old.internal. internal-dns']);
    expect(await records(index)).toContain('kept.old.internal. A 192.0.2.1');
    expect(await records(index)).toContain('ns.lab.internal. A 192.0.2.2');
  }

  const [lab] = (await at(0).database.zones()).filter(({ name }) => name === 'lab.internal.');
  await at(0).database.remove(lab as never);
  await at(1).database.edit('old.internal.', rrset('kept.old.internal.', 'A'));
  await settled();
  for (const { database } of replicas) expect((await database.zones()).map(({ name }) => name)).toEqual([zone]);
  expect(configMap.entries).toEqual({});
});

test.each(['UpsertOnly', 'CreateOnly', 'Preview'] as const)('records that %s keeps are restored', async (policy) => {
  const discovery = { ownerID: 'corp', intervalSeconds: 2 };
  const [before, after] = ['192.0.2.1', '192.0.2.2'].map((address) => [
    endpoint('ingress/shop/web', 'web.corp.internal', 'A', address),
    endpoint('ingress/shop/stays', 'stays.corp.internal', 'A', '192.0.2.7'),
  ]);
  endpoints = [...(before ?? []), endpoint('ingress/shop/gone', 'gone.corp.internal', 'A', '192.0.2.3')];
  await start(1, { discovery });
  at(0).declare(declare({ discovery: { ...discovery, policy }, replicas: 2 }));
  endpoints = after ?? [];
  await settled();
  const right = await records();
  expect(right).toContain('gone.corp.internal. A 192.0.2.3');

  await at(0).database.lose();
  await settled();
  await add({ discovery: { ...discovery, policy } });
  await settled();
  for (const index of [0, 1]) expect(await records(index)).toEqual(right);
  const kept = { UpsertOnly: ['gone'], CreateOnly: ['gone', 'web'], Preview: ['gone', 'stays', 'web'] }[policy];
  expect(Object.keys(configMap.entries).sort()).toEqual(kept.map((name) => `corp.internal..A..${name}`));
  const [stored] = await at(1).database.zones();
  expect(stored?.rrsets.find(({ name }) => name.startsWith('gone'))?.mark?.content).toBe('ingress/shop/gone');

  // No record outlives its object any more.
  for (const replica of replicas) replica.declare(declare({ discovery, replicas: 2 }));
  await settled();
  expect(await records()).toEqual(['stays.corp.internal. A 192.0.2.7', 'web.corp.internal. A 192.0.2.2']);
  expect(configMap.entries).toEqual({});
});

test('a record that is declared leaves the mirror, and no replica loses it meanwhile', async () => {
  await start(2, off);
  await at(0).database.edit(zone, rrset('www.corp.internal.', 'A', '192.0.2.1'));
  await settled();
  const www = { name: 'www', type: 'A' as const, values: ['192.0.2.1'] };
  const declared = declare({ ...off, zones: [{ ...corp, records: [www] }], replicas: 2 });
  at(0).declare(declared);
  // The other replica is updated later.
  for (let sync = 0; sync < 8; sync++) {
    clock.now += 5_000;
    for (const replica of replicas) await replica.sync();
    expect((await servers[1]?.running.query('www.corp.internal'))?.answers).toHaveLength(1);
  }
  at(1).declare(declared);
  await settled();
  expect(configMap.entries).toEqual({});
  for (const { running } of servers.slice(0, 2)) {
    expect((await running.query('www.corp.internal')).answers).toHaveLength(1);
  }
});

test('writes are throttled, and none happens without a change', async () => {
  await start(2, off);
  for (let change = 1; change <= 30; change++) {
    await at(change % 2).database.edit(zone, rrset('busy.corp.internal.', 'A', `192.0.2.${change}`));
    clock.now += 2_000;
    for (const replica of replicas) await replica.sync();
  }
  // Of 60 seconds; two replicas have one in ten seconds together.
  expect(configMap.writes).toBeLessThanOrEqual(8);
  await settled();
  expect(await records(1)).toEqual(['busy.corp.internal. A 192.0.2.30']);
  const { writes } = configMap;
  await settled();
  expect(configMap.writes).toBe(writes);
});

test('a full mirror is reported, keeps its entries, and accepts the rest once it has space', async () => {
  await start(1, off, 700);
  for (let host = 1; host <= 9; host++) {
    await at(0).database.edit(zone, rrset(`h${host}.corp.internal.`, 'A', `192.0.2.${host}`));
    if (host === 1) await settled();
  }
  await settled();
  const kept = Object.keys(configMap.entries);
  expect(kept).toContain('corp.internal..A..h1');
  expect(kept.length).toBeLessThan(9);
  const others = 9 - kept.length - 1;
  const [warning] = at(0).agent.report()?.warnings ?? [];
  expect(warning).toMatch(
    new RegExp(
      `^ConfigMap idns-corp-kept is full: h\\d.corp.internal A and ${others} more would be lost with the volume: declare them, or remove what nobody needs$`,
    ),
  );
  expect(at(0).log.filter(({ msg }) => msg === 'cannot mirror every record')).toHaveLength(1);
  const { writes } = configMap;
  await settled();
  expect(configMap.writes).toBe(writes);
  expect(await records()).toHaveLength(9);

  for (const host of [1, 2, 3, 4, 5, 6, 7]) await at(0).database.edit(zone, rrset(`h${host}.corp.internal.`, 'A'));
  await settled();
  expect(Object.keys(configMap.entries).sort()).toEqual(['corp.internal..A..h8', 'corp.internal..A..h9']);
  expect(at(0).agent.report()?.warnings).toBeUndefined();
});

test('an edit of the mirror edits the zones, and invalid entries are left alone', async () => {
  await start(2, off);
  for (const name of ['a', 'b', 'c']) await at(0).database.edit(zone, rrset(`${name}.${zone}`, 'A', '192.0.2.1'));
  await settled();
  const entry = configMap.data['corp.internal..A..b'] ?? '';
  configMap.edit({
    'corp.internal..A..a': null,
    'corp.internal..A..b': entry.replace('192.0.2.1', '192.0.2.2'),
    'corp.internal..A..c': 'nonsense',
    'corp.internal..A..d': entry,
  });
  await settled();
  for (const index of [0, 1]) {
    expect(await records(index)).toEqual(['b.corp.internal. A 192.0.2.2', 'c.corp.internal. A 192.0.2.1']);
  }
});

test('of a CNAME and an address added at one name, every replica keeps the later one', async () => {
  await start(2, off);
  await at(0).database.edit(zone, rrset('x.corp.internal.', 'CNAME', 'a.example.com.'));
  await at(1).database.edit(zone, rrset('x.corp.internal.', 'A', '192.0.2.1'));
  await settled();
  expect(await records()).toHaveLength(1);
  expect(Object.keys(configMap.entries)).toHaveLength(1);
});

test.each([
  ['a CNAME', rrset('_acme-challenge.apps.corp.internal.', 'CNAME', 'acme.example.com.')],
  ['text', rrset('_acme-challenge.apps.corp.internal.', 'TXT', '"proof"')],
  ['a record of the same type', rrset('_acme-challenge.apps.corp.internal.', 'HINFO', '"a" "b"')],
])('%s that replaces a wildcard block stays at every replica, and so does its deletion', async (_, edited) => {
  endpoints = [endpoint('ingress/shop/web', '*.apps.corp.internal', 'A', '192.0.2.1')];
  await start(2, { discovery: { ownerID: 'corp', intervalSeconds: 2 } });
  const here = async (index: number) => {
    const [stored] = (await at(index).database.zones()).filter(({ name }) => name === zone);
    return stored?.rrsets.filter(({ name }) => name === edited.name).map(({ type, records }) => `${type} ${records}`);
  };
  const denial = (await here(0)) ?? [];
  expect(denial).toEqual([expect.stringMatching(/^HINFO "reserved"/)]);
  await at(0).database.edit(zone, rrset(edited.name, 'HINFO'));
  await at(0).database.edit(zone, edited);
  await settled();
  for (const index of [0, 1]) expect(await here(index)).toEqual([`${edited.type} ${edited.records}`]);
  expect(Object.keys(configMap.entries)).toHaveLength(1);
  await at(1).database.edit(zone, rrset(edited.name, edited.type));
  await settled();
  for (const index of [0, 1]) expect(await here(index)).toEqual(denial);
  expect(configMap.entries).toEqual({});
});

test('while the mirror cannot be read, zones are served, evaluation waits for half a minute, and the cause is reported', async () => {
  configMap.failure = 'configmaps "idns-corp-kept" is forbidden';
  endpoints = [endpoint('ingress/shop/web', 'web.corp.internal', 'A', '192.0.2.1')];
  await add({});
  await at(0).sync();
  await expect(at(0).sync(endpoints)).rejects.toThrow('what exists in the mirror only is not restored yet');
  expect(at(0).agent.isReady).toBe(false);
  clock.now += 30_000;
  await at(0).sync(endpoints);
  await at(0).sync(endpoints);
  expect(at(0).agent.isReady).toBe(true);
  expect(at(0).agent.report()?.warnings).toEqual([
    'cannot mirror records that exist on the volume only: ConfigMap idns-corp-kept: configmaps "idns-corp-kept" is forbidden',
  ]);
  expect(at(0).log.filter(({ msg }) => msg === 'cannot mirror records that exist on the volume only')).toHaveLength(1);
  configMap.failure = undefined;
  clock.now += 5_000;
  await at(0).sync(endpoints);
  expect(at(0).agent.report()?.warnings).toBeUndefined();
});

test(
  'after any history of replicas with a real PowerDNS, nothing is lost and nothing deleted returns',
  { tags: ['history'] },
  () =>
    fc.assert(
      fc.asyncProperty(history, async ([rounds, count]) => {
        for (const server of servers) await databaseOf(server).lose();
        const fresh = servers.values();
        const world = new World(() => databaseOf(fresh.next().value as Server), count, 20_000);
        await world.settle();
        for (const each of rounds.slice(0, 3)) await world.run(each);
      }),
      { numRuns: 4 },
    ),
);
