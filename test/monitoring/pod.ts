/** A pod to scrape: a real agent beside a real PowerDNS, with simulated objects and clients. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { Endpoint } from '../../functions/agent/discovery/endpoint.ts';
import { Metrics } from '../../functions/agent/http/metrics.ts';
import { transports } from '../../functions/agent/self-test/dns-query.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { loop } from '../agent/external-dns.ts';
import { declare, endpoint, zones } from '../agent/make.ts';
import { run } from '../agent/run.ts';
import { startPowerDNS } from '../powerdns/server.ts';
import type { ScrapedTarget } from './prometheus.ts';
import { initialSources } from './sources.ts';

const zone = 'watched.internal';
const outsideZones = endpoint('ingress/shop/old', 'shop.example', 'A', '192.0.2.9');
const nameServer = endpoint('ingress/shop/thief', `ns1.${zone}`, 'A', '192.0.2.9');
const maxObjects = 40;

export interface WatchedPod {
  targets: ScrapedTarget[];
  /** One loop of ExternalDNS, with a changed object in some rounds, and the queries of clients meanwhile. */
  serve(round: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startPod(dir: string): Promise<WatchedPod> {
  const [database, declaration] = [join(dir, 'pdns'), join(dir, 'declaration.json')];
  mkdirSync(database, { recursive: true });
  writeFileSync(declaration, JSON.stringify(declare({ name: 'watched', zones: zones(zone) })));
  const powerdns = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir: database });
  const agent = await run({
    declaration,
    'powerdns-api': powerdns.apiUrl,
    'powerdns-key': join(database, 'include/api.conf'),
    dns: `127.0.0.1:${powerdns.dnsPort}`,
  });
  const cluster = await startCluster();
  const web: Endpoint[] = [];
  const publish = async () => {
    // Until the agent listens and has created the zone.
    while (!(await loop(agent.external, [...web, outsideZones, nameServer]).then(succeeded, failed))) await delay(100);
  };
  /** Adds an object or changes an address, and waits until it is answered. */
  const change = async (round: number) => {
    const started = performance.now();
    const index = web.length < maxObjects ? web.length : round % maxObjects;
    const name = `web-${index}.${zone}`;
    const address = `192.0.2.${1 + (round % 200)}`;
    web[index] = endpoint(`ingress/shop/web-${index}`, name, 'A', address);
    await publish();
    while ((await powerdns.query(name)).answers[0]?.data !== address) await delay(20);
    cluster.metrics.observePropagation((performance.now() - started) / 1000);
  };

  return {
    targets: [
      { address: agent.http, labels },
      { address: cluster.address, labels },
    ],
    async serve(round) {
      await (round % 4 === 0 ? change(round) : publish());
      for (const transport of transports) {
        const started = performance.now();
        await powerdns.query(zone, 'SOA', { tcp: transport === 'TCP' });
        cluster.metrics.observeCanary(transport, (performance.now() - started) / 1000, 'service');
      }
      for (let query = 0; query < 20; query++) {
        const name = query % 9 === 0 ? `typo-${query}.${zone}` : `web-${(round + query) % web.length}.${zone}`;
        await powerdns.query(name, 'A', { tcp: query % 10 === 0 });
      }
      await powerdns.query('elsewhere.example');
      cluster.countEvent();
    },
    async stop() {
      await Promise.all([agent.kill('SIGTERM'), cluster.stop()]);
      await powerdns.stop();
    },
  };
}

/** The target labels that the Prometheus operator and the PodMonitor add. */
const labels = {
  internaldns: 'watched',
  namespace: 'internal-dns',
  pod: 'idns-watched-0',
  container: 'agent',
  endpoint: 'http',
};

const succeeded = () => true;
const failed = () => false;

/** Metrics that an agent outside a cluster has no data for: ages of objects, its Service, Events. */
const clusterMetrics = ['internal_dns_propagation_seconds', 'internal_dns_canary_seconds', 'internal_dns_events_total'];

async function startCluster() {
  const registry = new Registry();
  let events = 0;
  const metrics = new Metrics(registry, { ...initialSources, events: () => ({ created: events }) });
  const http = createServer(async (_, response) => {
    const texts = await Promise.all(clusterMetrics.map((name) => registry.getSingleMetricAsString(name)));
    response.setHeader('Content-Type', registry.contentType).end(`${texts.join('\n')}\n`);
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    address: `127.0.0.1:${(http.address() as AddressInfo).port}`,
    metrics,
    countEvent: () => void events++,
    async stop() {
      http.closeAllConnections();
      await once(http.close(), 'close');
    },
  };
}
