/**
 * What an agent finds out about a real dnsdist with the rendered configuration.
 *
 * @module-tag PowerDNS
 * @module-tag dnsdist
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { canaryZone } from '../../../functions/contract/canary-zone.ts';
import { powerdnsFilesFor } from '../../../functions/internal-dns/server/powerdns.ts';
import { createZone } from '../../connect/powerdns-zone.ts';
import { makeCertificate } from '../../dnsdist/server.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { polling, waitTimeoutMs } from '../../timeouts.ts';
import { Relay } from '../self-test/relay.ts';
import { startResolver, watchOf } from './resolver.ts';

vi.setConfig({ testTimeout: 2 * waitTimeoutMs });

const [upstream, second, third] = ['192.0.2.53', '192.0.2.54', '192.0.2.55'] as const;
const stopped: (() => unknown)[] = [];
const dirs: string[] = [];
let [own, world] = [] as unknown as [RunningPowerDNS, RunningPowerDNS];
/** Ways to the rest of the world, by the address of each upstream. */
const relays: Record<string, Relay> = {};

async function powerdns(): Promise<RunningPowerDNS> {
  const dir = mkdtempSync(join(tmpdir(), 'dnsdist-watch-'));
  dirs.push(dir);
  return startPowerDNS({
    config: powerdnsFilesFor({ dynamic: false, dname: false, clientSubnet: false })['pdns.conf'],
    dir,
  });
}

beforeAll(async () => {
  [own, world] = await Promise.all([powerdns(), powerdns()]);
  await createZone(own, canaryZone, {});
  await createZone(world, '.', { 'www.example.': ['A', '9.9.9.80'] });
  for (const address of [upstream, second, third]) {
    const relay = new Relay(world.dnsPort);
    await relay.listen();
    relays[address] = relay;
  }
});
afterEach(async () => {
  for (const stop of stopped.splice(0)) await stop();
  for (const relay of Object.values(relays)) {
    [relay.udp, relay.tcp, relay.targets] = ['open', 'open', [world.dnsPort]];
  }
});
afterAll(async () => {
  for (const relay of Object.values(relays)) relay.close();
  for (const server of [own, world]) await server?.stop();
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

/** @param address of the server that it asks, which is what makes it another resolver */
async function start(fields: object, certificates: Record<string, string> = {}, address = '198.18.0.53') {
  const upstreams = Object.entries(relays).map(([ip, { server }]) => [ip, server.port] as const);
  const ports = { [address]: own.dnsPort, ...Object.fromEntries(upstreams) };
  const started = await startResolver({ fields, ports, certificates });
  stopped.push(started.dnsdist.stop);
  return started;
}

const forward = { upstreams: [{ address: upstream }, { address: second }] };

test('tells which upstreams are down, of all names and of some zones', async () => {
  const zones = [{ name: 'a.test', upstreams: [{ address: third }] }];
  const { poll, watched } = watchOf(await start({ forward: { ...forward, zones } }));
  const states = async () =>
    Object.fromEntries(((await poll())?.upstreams ?? []).map((each) => [each.address, each.state]));
  expect(await states()).toEqual({ [`${upstream}:53`]: 'Up', [`${second}:53`]: 'Up', [`${third}:53`]: 'Up' });
  for (const address of [second, third]) [relays[address]!.udp, relays[address]!.tcp] = ['blocked', 'blocked'];
  await expect
    .poll(states, polling)
    .toEqual({ [`${upstream}:53`]: 'Up', [`${second}:53`]: 'Down', [`${third}:53`]: 'Down' });
  const state = await poll();
  expect(state).not.toHaveProperty('unforwarded');
  expect(watched.isForwarding).toBe(true);
});

test('says why names elsewhere are not answered, once it has seen it twice', async () => {
  const { poll, watched } = watchOf(await start({ forward: { ...forward, cache: { serveStale: '1s' } } }));
  expect((await poll())?.unforwarded).toBeUndefined();
  expect(watched.isForwarding).toBe(true);
  for (const relay of Object.values(relays)) [relay.udp, relay.tcp] = ['failing', 'blocked'];
  await expect.poll(async () => (await poll())?.unforwarded, polling).toBe('SERVFAIL');
  expect(watched.isForwarding).toBe(false);
  for (const relay of Object.values(relays)) [relay.udp, relay.tcp] = ['open', 'open'];
  await expect.poll(async () => (await poll())?.unforwarded, polling).toBeUndefined();
});

test('takes an upstream that knows no such name for one that answers, and one that refuses for none', async () => {
  const check = { name: 'nothing.example', type: 'A' };
  const answers = watchOf(await start({ forward: { ...forward, check } }));
  await answers.poll();
  expect((await answers.poll())?.unforwarded).toBeUndefined();
  // It has none of these zones.
  for (const relay of Object.values(relays)) relay.targets = [own.dnsPort];
  const refuses = watchOf(await start({ forward: { ...forward, check } }));
  expect((await refuses.poll())?.unforwarded).toBeUndefined();
  expect(await refuses.poll()).toMatchObject({ unforwarded: 'REFUSED', upstreams: [{ state: 'Up' }, { state: 'Up' }] });
});

test('finds an upstream that leads back to the resolver through another server, and that it no longer does', async () => {
  const started = await start({ forward });
  expect(await watchOf(started).poll()).not.toHaveProperty('circles');
  relays[second]!.targets = [started.dnsdist.ports.dns];
  const { poll } = watchOf(started);
  expect((await poll())?.circles).toEqual([`${second}:53`]);
  relays[second]!.targets = [world.dnsPort];
  await expect.poll(async () => (await poll())?.circles, polling).toBeUndefined();
});

test('finds two resolvers that forward to each other, and not one that forwards to another', async () => {
  const other = await start({ forward: { upstreams: [{ address: second }] } }, {}, '198.18.0.99');
  relays[upstream]!.targets = [other.dnsdist.ports.dns];
  const one = await start({ forward: { upstreams: [{ address: upstream }] } });
  expect(await watchOf(one).poll()).not.toHaveProperty('circles');
  relays[second]!.targets = [one.dnsdist.ports.dns];
  expect((await watchOf(one).poll())?.circles).toEqual([`${upstream}:53`]);
  expect((await watchOf(other).poll())?.circles).toEqual([`${second}:53`]);
});

test('a question of a circle goes round once, whatever the number of clients', async () => {
  const started = await start({ forward: { upstreams: [{ address: upstream }] } });
  relays[upstream]!.targets = [started.dnsdist.ports.dns];
  const { circle } = started.declared.upstreams[0]!;
  const rules = async () => (await started.dnsdist.metrics())['dnsdist_rule_hits{id="circle"}'] ?? 0;
  const before = await rules();
  await watchOf(started).poll();
  expect(circle?.domain).toMatch(/^upstream-0\.[0-9a-f]{16}\.circle\.internal-dns$/);
  expect((await rules()) - before).toBe(1);
});

test('tells when certificates expire, and which cannot be used', async () => {
  const certificate = { secretRef: { name: 'tls' } };
  const { cert, key } = await makeCertificate('dns.internal', 30);
  const files = { 'doT/tls.crt': cert, 'doT/tls.key': key, 'doH/tls.crt': 'broken', 'doH/tls.key': 'broken' };
  const started = await start({ doT: { certificate }, doH: { certificate } }, files);
  const at = async (days: number) => {
    const { poll, watched } = watchOf(started, { days });
    const certificates = (await poll())?.certificates;
    expect([...watched.expiries]).toContainEqual(['doH', undefined]);
    return [certificates, watched.expiries.get('doT')] as const;
  };
  const [fresh, expiry] = await at(0);
  expect(fresh).toMatchObject([
    { field: 'doT', state: 'Valid' },
    { field: 'doH', state: 'Missing' },
  ]);
  const days = (expiry! * 1000 - Date.now()) / (24 * 60 * 60 * 1000);
  expect(days).toBeGreaterThan(29.9);
  expect(days).toBeLessThan(30);
  expect(Date.parse(fresh![0]!.notAfter!)).toBe(expiry! * 1000);
  expect((await at(22))[0]?.[0]?.state).toBe('Valid');
  expect((await at(24))[0]?.[0]?.state).toBe('Expiring');
  expect((await at(31))[0]?.[0]?.state).toBe('Expired');
});

test('leaves a pod out whose metrics cannot be read, and says which', async () => {
  const { poll, failures } = watchOf(await start({ forward }), { ips: ['127.0.0.9', '127.0.0.1'] });
  expect((await poll())?.upstreams).toHaveLength(2);
  expect(failures.get('look at the pods of the resolver')).toMatch(/^127\.0\.0\.9: .*ECONNREFUSED/);
  const nobody = watchOf(await start({ forward }), { ips: [] });
  expect(await nobody.poll()).toEqual({ upstreams: [] });
  expect(nobody.watched.isForwarding).toBeUndefined();
});
