/**
 * The alerts and the queries of the dashboard on the series of a real dnsdist, and of an agent that watches it.
 *
 * @module-tag PowerDNS
 * @module-tag Prometheus
 * @module-tag dnsdist
 */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Metrics } from '../../functions/agent/http/metrics.ts';
import { canaryZone } from '../../functions/contract/canary-zone.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { type Resolver, startResolver, watchOf } from '../agent/dnsdist/resolver.ts';
import { Relay } from '../agent/self-test/relay.ts';
import { createZone } from '../connect/powerdns-zone.ts';
import { makeCertificate } from '../dnsdist/server.ts';
import { query } from '../powerdns/query.ts';
import { type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { polling, waitTimeoutMs } from '../timeouts.ts';
import { type RunningPrometheus, startPrometheus } from './prometheus.ts';
import { emptyQueries, matchingAlerts, queriesOf } from './queries.ts';
import { alertsIn, dashboardIn, rendered, watched } from './rendered.ts';
import { initialSources } from './sources.ts';

vi.setConfig({ testTimeout: 2 * waitTimeoutMs });

const [upstream, second] = ['192.0.2.53', '192.0.2.54'] as const;
const certificate = { secretRef: { name: 'dns-tls' } };
const fields = { forward: { upstreams: [{ address: upstream }, { address: second }] }, doT: { certificate } };

const dir = mkdtempSync(join(tmpdir(), 'resolver-'));
let [own, world] = [] as unknown as [RunningPowerDNS, RunningPowerDNS];
const relays: Relay[] = [];
let resolver: Resolver;
let agent: Server;
let prometheus: RunningPrometheus;
let [looking, working]: (Promise<unknown> | undefined)[] = [];
let isOver = false;

async function powerdns(name: string): Promise<RunningPowerDNS> {
  mkdirSync(join(dir, name));
  return startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: join(dir, name) });
}

/** The metrics of an agent that watches the resolver. */
async function startAgent(): Promise<Server> {
  const { watched, poll } = watchOf(resolver);
  looking = (async () => {
    for (; !isOver; await delay(100)) await poll();
  })();
  const registry = new Registry();
  new Metrics(registry, {
    ...initialSources,
    certificates: () => watched.expiries,
    isForwarding: () => watched.isForwarding,
  });
  const server = createServer(async (_, response) => {
    response.setHeader('Content-Type', registry.contentType).end(await registry.metrics());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Clients, until the last test has ended. */
async function ask(): Promise<void> {
  for (let round = 0; !isOver; round++) {
    for (const name of [`x${round}.example`, 'www.example', 'corp.internal'])
      await query({ name, port: resolver.dnsdist.ports.dns, timeout: 500 }).catch(() => {});
    await delay(20);
  }
}

beforeAll(async () => {
  [own, world] = await Promise.all([powerdns('own'), powerdns('world')]);
  await createZone(own, canaryZone, {});
  await createZone(own, 'corp.internal.', {});
  await createZone(world, '.', { 'www.example.': ['A', '9.9.9.80'] });
  for (let each = 0; each < 2; each++) {
    const relay = new Relay(world.dnsPort);
    await relay.listen();
    relays.push(relay);
  }
  const { cert, key } = await makeCertificate('dns.internal', 30);
  const ports = { '198.18.0.53': own.dnsPort, [upstream]: relays[0]!.server.port, [second]: relays[1]!.server.port };
  resolver = await startResolver({ fields, ports, certificates: { 'doT/tls.crt': cert, 'doT/tls.key': key } });
  agent = await startAgent();
  const labels = { internaldns: 'watched', namespace: 'internal-dns' };
  const address = ({ port }: { port: number }) => `127.0.0.1:${port}`;
  prometheus = await startPrometheus(join(dir, 'prometheus'), [
    {
      address: address({ port: resolver.dnsdist.ports.metrics }),
      labels: { ...labels, pod: 'idns-watched-resolver-a', endpoint: 'metrics' },
    },
    {
      address: address(agent.address() as AddressInfo),
      labels: { ...labels, pod: 'idns-watched-0', endpoint: 'http' },
    },
  ]);
  working = ask();
});
afterAll(async () => {
  isOver = true;
  await Promise.all([looking, working]);
  await prometheus?.stop();
  agent?.closeAllConnections();
  agent?.close();
  await resolver?.dnsdist.stop();
  for (const relay of relays) relay.close();
  for (const server of [own, world]) await server?.stop();
  rmSync(dir, { recursive: true });
});

const [, rendering] = rendered(watched({ resolver: fields }));
const ofResolver = /^InternalDNS(NotForwarding|UpstreamDown|ResolverDrops|CertificateExpires|CertificateMissing)$/;
/** With rates over seconds, so that what is over is soon forgotten. */
const alerts = alertsIn(rendering)
  .filter(({ alert }) => ofResolver.test(alert))
  .map(({ alert, expr }) => ({ alert, expr: expr.replaceAll('[5m]', '[10s]') }));
const matching = () => matchingAlerts(prometheus.api, alerts);

test('every query of the dashboard’s row returns data', async () => {
  const panels = queriesOf(dashboardIn(rendering).dashboard, { internaldns: 'watched', rateInterval: '10s' });
  const asked = panels.filter(({ expr }) => expr.includes('dnsdist_'));
  expect(asked.length).toBeGreaterThan(5);
  await vi.waitFor(async () => expect(await emptyQueries(prometheus.api, asked)).toEqual([]), polling);
});

test('no alert matches while all is well, and the series that they read exist', async () => {
  const series = [
    'dnsdist_server_status{server="upstream-0",address="192.0.2.53:53"}',
    'dnsdist_server_drops',
    'dnsdist_queries',
    'internal_dns_resolver_forwarding == 1',
    'internal_dns_resolver_certificate_expiry_timestamp_seconds{certificate="doT"}',
    'internal_dns_resolver_certificate_shown{certificate="doT"} == 1',
  ].map((each) => each.replace(/address="192.0.2.53:53"/, `address="127.0.0.1:${relays[0]!.server.port}"`));
  for (const each of series)
    await vi.waitFor(async () => expect(await prometheus.api.query(each), each).not.toEqual([]), polling);
  expect(alerts).toHaveLength(5);
  await vi.waitFor(async () => expect(await matching()).toEqual({}), polling);
});

test('questions to an upstream that falls silent are dropped, until the resolver has noticed', async () => {
  [relays[1]!.udp, relays[1]!.tcp] = ['blocked', 'blocked'];
  const port = resolver.dnsdist.ports.dns;
  const many = Array.from({ length: 300 }, (_, index) => query({ name: `y${index}.example`, port, timeout: 500 }));
  await Promise.allSettled(many);
  const pod = { pod: 'idns-watched-resolver-a' };
  await vi.waitFor(async () => expect(await matching()).toHaveProperty('InternalDNSResolverDrops', [pod]), polling);
  const address = `127.0.0.1:${relays[1]!.server.port}`;
  await vi.waitFor(async () => expect(await matching()).toEqual({ InternalDNSUpstreamDown: [{ address }] }), polling);
});

test('names elsewhere are not answered without any upstream', async () => {
  for (const relay of relays) [relay.udp, relay.tcp] = ['blocked', 'blocked'];
  const pod = { pod: 'idns-watched-0' };
  await vi.waitFor(async () => expect(await matching()).toHaveProperty('InternalDNSNotForwarding', [pod]), polling);
  for (const relay of relays) [relay.udp, relay.tcp] = ['open', 'open'];
  await vi.waitFor(async () => expect(await matching()).toEqual({}), polling);
});

test('a certificate that expires within a week is noticed', async () => {
  const { cert, key } = await makeCertificate('dns.internal', 6);
  for (const [path, text] of Object.entries({ 'doT/tls.key': key, 'doT/tls.crt': cert }))
    resolver.dnsdist.renew(path, text);
  await vi.waitFor(
    async () => expect(await matching()).toEqual({ InternalDNSCertificateExpires: [{ certificate: 'doT' }] }),
    polling,
  );
});
