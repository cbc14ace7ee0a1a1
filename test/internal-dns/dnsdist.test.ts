/**
 * dnsdist with the rendered configuration, between a real PowerDNS with own zones, another one for all other names, and
 * clients at several addresses of this machine.
 *
 * @module-tag PowerDNS
 * @module-tag dnsdist
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { encode } from 'dns-packet';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { luaContent } from '../../functions/agent/zones/lua.ts';
import { canaryZone } from '../../functions/contract/canary-zone.ts';
import type { Servers } from '../../functions/internal-dns/resolver/backends.ts';
import { dnsdistFilesFor } from '../../functions/internal-dns/resolver/dnsdist.ts';
import { powerdnsFilesFor } from '../../functions/internal-dns/server/powerdns.ts';
import { parseSpec, type Spec } from '../../functions/internal-dns/spec.ts';
import { Relay } from '../agent/self-test/relay.ts';
import { createZone } from '../connect/powerdns-zone.ts';
import { queryHTTPS, queryTLS } from '../dnsdist/encrypted-query.ts';
import {
  checkConfig,
  type DnsdistOptions,
  makeCertificate,
  type RunningDnsdist,
  startDnsdist,
} from '../dnsdist/server.ts';
import { examples } from '../examples.ts';
import { floodUDP, randomNames } from '../powerdns/flood.ts';
import { type Question, query } from '../powerdns/query.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { readComposite } from '../render.ts';
import { internalDNSOf } from './refusals.ts';

const [member, guest, outsider] = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;
const allowFrom = [`${member}/32`, `${guest}/32`];
const zones = [{ name: 'corp.internal' }, { name: 'secret.internal' }];
const [own, other, upstream, second] = ['198.18.0.53', '198.18.0.54', '192.0.2.53', '192.0.2.54'] as const;

const families = ['IPv4', 'IPv6'] as const;

const specOf = (resolver: object, more: object = {}): Spec & { resolver: NonNullable<Spec['resolver']> } =>
  parseSpec(internalDNSOf({ zones, resolver: { allowFrom, ...resolver }, ...more })) as never;

const dirs: string[] = [];
const stopped: (() => unknown)[] = [];
/** The server of own zones, of another InternalDNS, and of the rest of the world. */
let servers: Record<'own' | 'other' | 'world', RunningPowerDNS>;
/** Ways to the rest of the world. */
let relays: [Relay, Relay];

async function powerdns(): Promise<RunningPowerDNS> {
  const dir = mkdtempSync(join(tmpdir(), 'dnsdist-'));
  dirs.push(dir);
  return startPowerDNS({
    config: powerdnsFilesFor({ dynamic: true, dname: false, clientSubnet: true })['pdns.conf'],
    dir,
  });
}

beforeAll(async () => {
  const [first, another, world] = await Promise.all([powerdns(), powerdns(), powerdns()]);
  servers = { own: first, other: another, world };
  const closest = luaContent('A', [member, guest], { answer: 'Closest' });
  for (const server of [first, another]) await createZone(server, canaryZone, {});
  await createZone(first, 'corp.internal.', {
    'www.corp.internal.': ['A', '10.1.2.3'],
    'near.corp.internal.': ['LUA', closest],
    'out.corp.internal.': ['CNAME', 'www.example.'],
  });
  await createZone(first, 'secret.internal.', { 'www.secret.internal.': ['A', '10.1.2.4'] });
  await createZone(another, 'corp.internal.', { 'www.corp.internal.': ['A', '10.9.9.9'] });
  await createZone(world, '.', { 'www.example.': ['A', '9.9.9.80'], 'sub.corp.internal.': ['A', '9.9.9.81'] });
  const relay = async () => {
    const made = new Relay(world.dnsPort);
    await made.listen();
    return made;
  };
  relays = [await relay(), await relay()];
});
afterEach(async () => {
  for (const stop of stopped.splice(0)) await stop();
  for (const relay of relays) [relay.udp, relay.tcp] = ['open', 'open'];
});
afterAll(async () => {
  for (const relay of relays ?? []) relay.close();
  for (const server of Object.values(servers ?? {})) await server.stop();
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

const backends = () => ({
  [`${own}:53`]: servers.own.dnsPort,
  [`${other}:53`]: servers.other.dnsPort,
  [`${upstream}:53`]: relays[0].server.port,
  [`${second}:53`]: relays[1].server.port,
});

interface Given extends Partial<DnsdistOptions> {
  /** Other fields of the spec. */
  more?: object;
  views?: Servers['views'];
  /** The addresses of the server's replicas. */
  replicas?: string[];
}

/** Whether dnsdist considers a backend to be up. */
const isUp = async (dnsdist: RunningDnsdist, name: string) =>
  Object.entries(await dnsdist.metrics()).find(([metric]) =>
    metric.startsWith(`dnsdist_server_status{server="${name}"`),
  )?.[1] === 1;

async function start(
  resolver: object,
  { views = new Map(), replicas = [own], more = {}, ...options }: Given = {},
): Promise<RunningDnsdist> {
  const spec = specOf(resolver, more);
  const files = dnsdistFilesFor(spec, spec.resolver, { own: replicas, views, families: ['IPv4'] });
  const running = await startDnsdist({
    files,
    probe: canaryZone.slice(0, -1),
    ...options,
    backends: { ...backends(), ...options.backends },
  });
  stopped.push(running.stop);
  return running;
}

const ask = ({ port }: { port: number }, name: string, how: Partial<Question> = {}) =>
  query({ name, port, from: member, ...how });
const addresses = async (...question: Parameters<typeof ask>) =>
  (await ask(...question)).answers.map(({ data }) => data);
const forward = { upstreams: [{ address: upstream }] };

describe('dnsdist accepts the configuration of', () => {
  const withResolver = Object.entries(examples).filter(([, file]) => readComposite(file).spec.resolver);

  test('every example', async () => {
    expect(withResolver.length).toBeGreaterThan(3);
    for (const [, file] of withResolver) {
      const spec = parseSpec(readComposite(file));
      const files = dnsdistFilesFor(spec, spec.resolver!, { own: [own, other], views: new Map(), families });
      expect(await checkConfig(files)).toContain('Configuration OK');
    }
  });

  test('every field at once, with every type that can be blocked, and with bounds of little memory', async () => {
    const { blockable } = await import('../../functions/internal-dns/resolver/settings.ts');
    const certificate = { secretRef: { name: 'tls' } };
    const spec = specOf(
      {
        ...{ outsiders: 'Drop', blockedTypes: blockable, queryLog: {}, rateLimit: { queriesPerSecond: 1 } },
        ...{ doT: { certificate }, doH: { certificate, path: '/a/b' } },
        views: [
          { name: 'a', from: ['10.0.0.0/8', 'fd00::/8'], zones: ['corp.internal'] },
          { name: 'b', from: ['192.0.2.0/24'], internalDNS: 'other' },
        ],
        forward: {
          upstreams: [
            { address: '192.0.2.1', protocol: 'TCP' },
            { address: '2001:db8::1', protocol: 'DoT' },
            { address: '[2001:db8::1]:8443', protocol: 'DoH', tlsName: 'dns.example.com', path: '/q' },
          ],
          zones: [{ name: 'sub.corp.internal', upstreams: [{ address: '192.0.2.1' }] }],
        },
      },
      {
        resources: { resolver: { limits: { memory: '32Mi' } } },
        zones: [
          ...zones,
          { name: '64/26.2.0.192.in-addr.arpa', nameServers: ['ns1.corp.internal'] },
          { name: '_x.test', nameServers: ['ns1.corp.internal'] },
        ],
      },
    );
    const files = dnsdistFilesFor(spec, spec.resolver, { own: [own], views: new Map([['b', [other]]]), families });
    expect(await checkConfig(files)).toContain('Configuration OK');
  });

  test('any spec', async () => {
    const network = fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 })).map((parts) => parts.join('/'));
    const upstream = fc.record({
      address: fc.oneof(
        fc.ipV4(),
        fc.ipV6().map((ip) => `[${ip}]:53`),
      ),
      protocol: fc.constantFrom('UDP', 'TCP', 'DoT', 'DoH'),
    });
    const label = fc.stringMatching(/^[a-z0-9_]([-a-z0-9_]{0,8}[a-z0-9_])?$/);
    const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => `${labels.join('.')}.test`);
    const distinct = { minLength: 1, maxLength: 4 };
    const resolver = fc.record(
      {
        allowFrom: fc.uniqueArray(network, distinct),
        outsiders: fc.constantFrom('Refuse', 'Drop'),
        forward: fc.record({
          upstreams: fc.array(upstream, distinct),
          zones: fc
            .uniqueArray(name, { maxLength: 4 })
            .map((names) => names.map((each) => ({ name: each, upstreams: [{ address: '192.0.2.1' }] }))),
        }),
        rateLimit: fc.record({ queriesPerSecond: fc.integer({ min: 1, max: 1_000_000 }) }),
        blockedTypes: fc.uniqueArray(fc.constantFrom('A', 'TXT', 'SVCB'), { maxLength: 3 }),
        queryLog: fc.record({ percent: fc.integer({ min: 1, max: 100 }) }),
        views: fc
          .uniqueArray(label, { maxLength: 2 })
          .map((names) =>
            names
              .filter((each) => !/_/.test(each))
              .map((each, index) => ({ name: each, from: [`10.${index}.0.0/16`], zones: ['corp.internal'] })),
          ),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(resolver, async (given) => {
        const spec = parseSpec(internalDNSOf({ zones, resolver: given }));
        const files = dnsdistFilesFor(spec, spec.resolver!, { own: [own], views: new Map(), families });
        expect(await checkConfig(files)).toContain('Configuration OK');
      }),
      { numRuns: 30 },
    );
  });

  test('no field that it does not know', async () => {
    await expect(checkConfig({ 'dnsdist.yml': 'no_such_section: {}\n' })).rejects.toThrow('no_such_section');
  });
});

test('own names are answered by the server, foreign ones refused', async () => {
  const dnsdist = await start({});
  expect(await addresses(dnsdist, 'www.corp.internal')).toEqual(['10.1.2.3']);
  expect(await addresses(dnsdist, 'www.corp.internal', { tcp: true })).toEqual(['10.1.2.3']);
  expect((await ask(dnsdist, 'nothing.corp.internal')).rcode).toBe('NXDOMAIN');
  expect((await ask(dnsdist, 'www.example')).rcode).toBe('REFUSED');
});

test('a CNAME of an own zone is not followed: docs/resolver.md recommends ALIAS', async () => {
  const dnsdist = await start({ forward });
  expect((await ask(dnsdist, 'out.corp.internal')).answers).toMatchObject([{ type: 'CNAME', data: 'www.example' }]);
});

test('a replica that is silent is out within two seconds, and back when it answers', async () => {
  const relay = new Relay(servers.own.dnsPort);
  stopped.push(() => relay.close());
  const { port } = await relay.listen();
  const replicas = [own, '198.18.0.55'];
  const dnsdist = await start({}, { more: { replicas: 2 }, replicas, backends: { '198.18.0.55:53': port } });
  expect(await isUp(dnsdist, 'own-1')).toBe(true);
  [relay.udp, relay.tcp] = ['blocked', 'blocked'];
  const before = relay.datagrams;
  await expect.poll(() => isUp(dnsdist, 'own-1')).toBe(false);
  // One check a second, of which the first or second that is lost counts; on a busy machine this test looks late.
  expect(relay.datagrams - before).toBeLessThan(5);
  for (let time = 0; time < 20; time++)
    expect(await addresses(dnsdist, 'www.corp.internal', { timeout: 1000 })).toEqual(['10.1.2.3']);
  relay.udp = 'open';
  await expect.poll(() => isUp(dnsdist, 'own-1')).toBe(true);
});

test('foreign names are forwarded and cached, own ones never', async () => {
  const dnsdist = await start({
    forward: { ...forward, zones: [{ name: 'sub.corp.internal', upstreams: [{ address: second }] }] },
  });
  expect(await addresses(dnsdist, 'www.example')).toEqual(['9.9.9.80']);
  await addresses(dnsdist, 'www.example');
  expect((await dnsdist.metrics()).dnsdist_cache_hits).toBe(1);
  for (let time = 0; time < 2; time++) expect(await addresses(dnsdist, 'www.corp.internal')).toEqual(['10.1.2.3']);
  expect((await dnsdist.metrics()).dnsdist_cache_hits).toBe(1);
  // A zone of others below an own one.
  expect(await addresses(dnsdist, 'sub.corp.internal')).toEqual(['9.9.9.81']);
  expect((await ask(dnsdist, 'nothing.example')).rcode).toBe('NXDOMAIN');
});

describe('all other clients', () => {
  test('are refused, for own and for foreign names, over UDP and TCP', async () => {
    const dnsdist = await start({ forward });
    for (const name of ['www.corp.internal', 'www.example']) {
      for (const tcp of [false, true])
        expect((await ask(dnsdist, name, { from: outsider, tcp })).rcode).toBe('REFUSED');
    }
  });

  test('get no answer with Drop', async () => {
    const dnsdist = await start({ forward, outsiders: 'Drop' });
    await expect(ask(dnsdist, 'www.corp.internal', { from: outsider, timeout: 500 })).rejects.toThrow('no answer');
    await expect(ask(dnsdist, 'www.corp.internal', { from: outsider, tcp: true })).rejects.toThrow();
    expect(await addresses(dnsdist, 'www.corp.internal')).toEqual(['10.1.2.3']);
  });

  test('are no agents, which may always ask at their port', async () => {
    const { ports } = await start({ forward, rateLimit: { queriesPerSecond: 1 } });
    for (let time = 0; time < 5; time++) {
      const how = { port: ports.agents, from: outsider };
      expect(await addresses({ port: 0 }, 'www.corp.internal', how)).toEqual(['10.1.2.3']);
      expect((await ask({ port: 0 }, canaryZone.slice(0, -1), { ...how, type: 'SOA' })).answers).toHaveLength(1);
    }
  });
});

describe('views', () => {
  const views = (view: object) => [{ name: 'guests', from: [`${guest}/32`], ...view }];

  test('hide zones', async () => {
    const dnsdist = await start({ views: views({ zones: ['corp.internal'] }) });
    expect(await addresses(dnsdist, 'www.corp.internal', { from: guest })).toEqual(['10.1.2.3']);
    expect((await ask(dnsdist, 'www.secret.internal', { from: guest })).rcode).toBe('REFUSED');
    expect(await addresses(dnsdist, 'www.secret.internal')).toEqual(['10.1.2.4']);
  });

  test('give a name two answers, and SERVFAIL while the other InternalDNS is missing', async () => {
    const resolver = { views: views({ internalDNS: 'other' }) };
    const dnsdist = await start(resolver, { views: new Map([['guests', [other]]]) });
    expect(await addresses(dnsdist, 'www.corp.internal', { from: guest })).toEqual(['10.9.9.9']);
    expect(await addresses(dnsdist, 'www.corp.internal')).toEqual(['10.1.2.3']);
    const alone = await start(resolver, { views: new Map([['guests', []]]) });
    expect((await ask(alone, 'www.corp.internal', { from: guest })).rcode).toBe('SERVFAIL');
    expect(await addresses(alone, 'www.corp.internal')).toEqual(['10.1.2.3']);
  });

  test('do not apply to agents', async () => {
    const { ports } = await start(
      { views: views({ internalDNS: 'other' }) },
      { views: new Map([['guests', [other]]]) },
    );
    expect(await addresses({ port: ports.agents }, 'www.corp.internal', { from: guest })).toEqual(['10.1.2.3']);
  });
});

test('the server knows the client, whatever that says of its network', async () => {
  const records = [{ name: 'near', type: 'A', values: [member, guest], answer: 'Closest' }];
  const dnsdist = await start({}, { more: { zones: [{ name: 'corp.internal', records }] } });
  for (const from of [member, guest]) expect(await addresses(dnsdist, 'near.corp.internal', { from })).toEqual([from]);
  // EDNS Client Subnet of 127.0.0.3/32 (RFC 7871 section 6).
  const claim = Buffer.from([0, 1, 32, 0, 127, 0, 0, 3]);
  const claims = { options: [{ code: 8, data: claim }] };
  expect(await addresses(dnsdist, 'near.corp.internal', { from: member, ...claims })).toEqual([member]);
  expect(await addresses({ port: servers.own.dnsPort }, 'near.corp.internal', { from: member, ...claims })).toEqual([
    guest,
  ]);
});

describe('questions', () => {
  test('of blocked types have no answer, and ANY a minimal one', async () => {
    const dnsdist = await start({ forward, blockedTypes: ['A', 'HTTPS'] });
    for (const name of ['www.corp.internal', 'www.example'])
      expect(await ask(dnsdist, name)).toMatchObject({ rcode: 'NOERROR', answers: [] });
    expect(await ask(dnsdist, 'corp.internal', { type: 'SOA' })).toMatchObject({ answers: [{ type: 'SOA' }] });
    const { answers } = await ask(dnsdist, 'corp.internal', { type: 'ANY' as never });
    expect(answers).toMatchObject([{ type: 'HINFO', ttl: 3600 }]);
  });

  test('for whole zones are refused', async () => {
    const dnsdist = await start({ forward });
    expect((await ask(dnsdist, 'corp.internal', { type: 'AXFR', tcp: true })).rcode).toBe('REFUSED');
  });

  test('are logged with their client if the spec says so', async () => {
    const dnsdist = await start({ queryLog: { percent: 100 } });
    await ask(dnsdist, 'www.corp.internal');
    await expect
      .poll(() => dnsdist.log())
      .toMatch(/dns\.question\.name="www\.corp\.internal".*source\.address="127\.0\.0\.2:/);
    const silent = await start({});
    await ask(silent, 'www.corp.internal');
    expect(silent.log()).not.toContain('www.corp.internal');
  });
});

describe('a client that asks too much', () => {
  const many = (dnsdist: RunningDnsdist, how: Partial<Question>) =>
    Promise.all(Array.from({ length: 30 }, () => ask(dnsdist, 'www.corp.internal', how)));

  test('is sent to TCP and refused there, while others are answered', async () => {
    const dnsdist = await start({ rateLimit: { queriesPerSecond: 5, burst: 10 } });
    const replies = await many(dnsdist, { from: guest });
    const answered = replies.filter(({ flags }) => !flags.includes('tc')).length;
    expect(answered).toBeGreaterThanOrEqual(10);
    expect(answered).toBeLessThan(25);
    const overTCP = await many(dnsdist, { from: guest, tcp: true });
    expect(overTCP.filter(({ rcode }) => rcode === 'REFUSED').length).toBeGreaterThan(10);
    expect(await addresses(dnsdist, 'www.corp.internal')).toEqual(['10.1.2.3']);
  });

  test('for names that do not exist is sent to TCP for a while', async () => {
    const dnsdist = await start({ rateLimit: { queriesPerSecond: 10, burst: 1000 } });
    const flood = async () => {
      const names = Array.from({ length: 30 }, (_, index) => `x${index}.corp.internal`);
      await Promise.all(names.map((name) => ask(dnsdist, name, { from: guest })));
      return (await dnsdist.metrics()).dnsdist_dyn_blocked ?? 0;
    };
    await expect.poll(flood).toBeGreaterThan(0);
    expect((await ask(dnsdist, 'www.corp.internal', { from: guest })).flags).toContain('tc');
    expect(await addresses(dnsdist, 'www.corp.internal', { from: guest, tcp: true })).toEqual(['10.1.2.3']);
    expect(await addresses(dnsdist, 'www.corp.internal')).toEqual(['10.1.2.3']);
  });
});

describe('an upstream that is dead', () => {
  const asking = { name: 'www.corp.internal', from: member, timeout: 1000 };

  test.for(['UDP', 'TCP'])('delays no own name, and the other one answers: %s', async (protocol) => {
    const upstreams = [upstream, second].map((address) => ({ address, protocol }));
    const dnsdist = await start({ forward: { upstreams } });
    const msOfTwenty = async () => {
      const began = performance.now();
      for (let time = 0; time < 20; time++) await query({ ...asking, port: dnsdist.port, tcp: time % 2 === 1 });
      return performance.now() - began;
    };
    const before = await msOfTwenty();
    [relays[0].udp, relays[0].tcp] = ['blocked', 'blocked'];
    const foreign = Array.from({ length: 50 }, (_, index) => ask(dnsdist, `n${index}.example`).catch(() => undefined));
    // The foreign ones wait for seconds.
    expect((await msOfTwenty()) / before).toBeLessThan(50);
    await Promise.all(foreign);
    await expect.poll(() => isUp(dnsdist, 'upstream-0')).toBe(false);
    // On a busy machine the checks of the other one can have been late, too.
    await expect.poll(() => addresses(dnsdist, 'www.example')).toEqual(['9.9.9.80']);
  });

  test('leaves what it has answered, for as long as the spec says', async () => {
    const dnsdist = await start({ forward: { ...forward, cache: { serveStale: '10s' } } });
    await createZone(servers.world, 'brief.', { 'www.brief.': ['A', '9.9.9.82'] });
    await setTTL(servers.world, 'brief.', 'www.brief.', '9.9.9.82');
    expect(await addresses(dnsdist, 'www.brief')).toEqual(['9.9.9.82']);
    [relays[0].udp, relays[0].tcp] = ['blocked', 'blocked'];
    await delay(2000);
    await expect.poll(async () => (await ask(dnsdist, 'www.other')).rcode).toBe('SERVFAIL');
    const { answers } = await ask(dnsdist, 'www.brief');
    expect(answers).toMatchObject([{ data: '9.9.9.82', ttl: 30 }]);
    await expect.poll(async () => (await ask(dnsdist, 'www.brief')).rcode).toBe('SERVFAIL');
    expect(await addresses(dnsdist, 'www.corp.internal')).toEqual(['10.1.2.3']);
  });
});

async function setTTL({ apiUrl, apiKey }: RunningPowerDNS, zone: string, name: string, content: string): Promise<void> {
  const rrset = { name, type: 'A', ttl: 1, changetype: 'REPLACE', records: [{ content }] };
  const response = await fetch(`${apiUrl}/api/v1/servers/localhost/zones/${zone}`, {
    method: 'PATCH',
    headers: { 'X-API-Key': apiKey },
    body: JSON.stringify({ rrsets: [rrset] }),
  });
  expect(response.ok).toBe(true);
}

describe('over TLS and HTTPS', () => {
  const certificate = { secretRef: { name: 'tls' } };
  const resolver = { allowFrom: ['127.0.0.1/32'], doT: { certificate }, doH: { certificate, path: '/q' } };
  const filesOf = ({ cert, key }: { cert: string; key: string }) => ({
    ...{ 'doT/tls.crt': cert, 'doT/tls.key': key, 'doH/tls.crt': cert, 'doH/tls.key': key },
  });

  test('own names are answered, and a renewed certificate is used without a restart', async () => {
    const [before, after] = [await makeCertificate(), await makeCertificate()];
    const dnsdist = await start(resolver, { certificates: filesOf(before) });
    const { dot, doh } = dnsdist.ports;
    const old = { ca: before.cert };
    expect(await queryTLS('www.corp.internal', { port: dot, ...old })).toEqual(['10.1.2.3']);
    expect(await queryHTTPS('www.corp.internal', { port: doh, path: '/q', ...old })).toEqual({
      status: 200,
      addresses: ['10.1.2.3'],
    });
    expect((await queryHTTPS('www.corp.internal', { port: doh, path: '/other', ...old })).status).toBe(404);
    for (const [path, text] of Object.entries(filesOf(after)).reverse()) dnsdist.renew(path, text);
    const renewed = () => queryTLS('www.corp.internal', { port: dot, ca: after.cert }).catch(() => []);
    await expect.poll(renewed).toEqual(['10.1.2.3']);
    const { status } = await queryHTTPS('www.corp.internal', { port: doh, path: '/q', ca: after.cert });
    expect(status).toBe(200);
    // One that cannot be read leaves the one that is in use.
    dnsdist.renew('doT/tls.crt', 'no certificate');
    await delay(7000);
    expect(await renewed()).toEqual(['10.1.2.3']);
  });

  test('all other clients get nothing', async () => {
    const made = await makeCertificate();
    const dnsdist = await start({ ...resolver, allowFrom: ['10.0.0.0/8'] }, { certificates: filesOf(made) });
    expect(await queryTLS('www.corp.internal', { port: dnsdist.ports.dot, ca: made.cert })).toEqual([]);
  });

  test('a broken certificate does not take plain DNS away', async () => {
    const dnsdist = await start(resolver, { certificates: filesOf({ cert: 'broken', key: 'broken' }) });
    expect(await addresses(dnsdist, 'www.corp.internal', { from: '127.0.0.1' })).toEqual(['10.1.2.3']);
  });

  test('upstreams are asked, if their certificate has the right name', async () => {
    const made = await makeCertificate('upstream.example');
    // With servers of its own: one with the same would be this resolver itself.
    const world = await start({ ...resolver, forward }, { certificates: filesOf(made), replicas: [other] });
    const from = (protocol: string, tlsName: string | undefined) => ({
      forward: {
        upstreams: [{ address: '192.0.2.99', protocol, tlsName, ...(protocol === 'DoH' && { path: '/q' }) }],
        check: { name: 'www.example', type: 'A' },
      },
    });
    const port = { DoT: world.ports.dot, DoH: world.ports.doh };
    for (const protocol of ['DoT', 'DoH'] as const) {
      const backends = { [`192.0.2.99:${protocol === 'DoT' ? 853 : 443}`]: port[protocol] };
      const options = { backends, authority: made.cert };
      const good = await start(from(protocol, 'upstream.example'), options);
      await expect.poll(() => addresses(good, 'www.example'), { message: protocol }).toEqual(['9.9.9.80']);
      const bad = await start(from(protocol, 'other.example'), options);
      await delay(1500);
      expect((await ask(bad, 'www.example')).rcode, protocol).toBe('SERVFAIL');
    }
  });
});

describe('an upstream that leads back', () => {
  const toRelay = { forward: { upstreams: [{ address: upstream }], check: { name: 'www.example', type: 'A' } } };
  const everybody = { allowFrom: ['127.0.0.0/8'] };
  const backendsOf = (relay: Relay) => ({ [`${upstream}:53`]: relay.server.port });
  const relayTo = async (port: number) => {
    const relay = new Relay(port);
    await relay.listen();
    stopped.push(() => relay.close());
    return relay;
  };

  test('gets each question once, and the client SERVFAIL', async () => {
    const relay = await relayTo(servers.world.dnsPort);
    const dnsdist = await start({ ...everybody, ...toRelay }, { backends: backendsOf(relay) });
    expect(await addresses(dnsdist, 'www.example')).toEqual(['9.9.9.80']);
    relay.targets = [dnsdist.port];
    const before = relay.datagrams;
    expect((await ask(dnsdist, 'x.example', { timeout: 2000 })).rcode).toBe('SERVFAIL');
    await delay(1000);
    // With those of the checks.
    expect(relay.datagrams - before).toBeLessThan(20);
    expect(await addresses(dnsdist, 'www.corp.internal')).toEqual(['10.1.2.3']);
  });

  test('is none if it is another resolver that asks elsewhere', async () => {
    const second = await start({ ...everybody, ...toRelay }, { replicas: [other] });
    const first = await start({ ...everybody, ...toRelay }, { backends: { [`${upstream}:53`]: second.port } });
    expect(await addresses(first, 'www.example')).toEqual(['9.9.9.80']);
    expect((await ask(first, 'x.example')).rcode).toBe('NXDOMAIN');
  });
});

test('many clients over TCP at once are all answered, although the server limits the connections of each', async () => {
  const froms = Array.from({ length: 24 }, (_, index) => `127.0.1.${index + 1}`);
  const dnsdist = await start({ allowFrom: ['127.0.1.0/24'] });
  for (let round = 0; round < 10; round++) {
    const replies = await Promise.all(
      froms.flatMap((from) => Array.from({ length: 10 }, () => ask(dnsdist, 'www.corp.internal', { tcp: true, from }))),
    );
    expect(replies.map(({ rcode }) => rcode).filter((rcode) => rcode !== 'NOERROR')).toEqual([]);
  }
});

test('malformed packets and random names leave it answering', async () => {
  const dnsdist = await start({ allowFrom: ['127.0.0.0/8'], forward });
  const latency = async () => {
    const times: number[] = [];
    for (let time = 0; time < 200; time++) {
      const began = performance.now();
      await ask(dnsdist, 'www.corp.internal');
      times.push(performance.now() - began);
    }
    return times.sort((a, b) => a - b)[100] as number;
  };
  const before = await latency();
  const question = encode({ type: 'query', questions: [{ name: 'www.corp.internal', type: 'A' }] });
  const malformed = () => {
    const packet = Buffer.from(question).subarray(0, randomInt(1, question.length + 1));
    for (let bytes = randomInt(4); bytes > 0; bytes--) packet[randomInt(packet.length)] = randomInt(256);
    return packet;
  };
  await floodUDP(dnsdist.port, malformed, { count: 100_000, rate: 50_000 });
  await floodUDP(dnsdist.port, randomNames('corp.internal', 1, 20), { count: 20_000 });
  expect(await addresses(dnsdist, 'www.corp.internal', { attempts: 5 })).toEqual(['10.1.2.3']);
  const after = await latency();
  expect(after).toBeLessThan(Math.max(10 * before, 20));
});

test('metrics need no password, and nothing else is to be had', async () => {
  const { ports } = await start({ forward });
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${ports.metrics}${path}`)).status;
  expect(await status('/metrics')).toBe(200);
  for (const path of [
    '/',
    '/api/v1/servers/localhost',
    '/api/v1/servers/localhost/config',
    '/api/v1/servers/localhost/rings',
  ])
    expect(await status(path), path).toBe(401);
});
