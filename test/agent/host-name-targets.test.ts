/**
 * Targets that are host names: a real PowerDNS answers with the addresses that another one has for them.
 *
 * @module-tag PowerDNS
 */
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Endpoint } from '../../functions/agent/discovery/endpoint.ts';
import { Database } from '../../functions/agent/powerdns/database.ts';
import { PowerDNS } from '../../functions/agent/powerdns/powerdns.ts';
import { deletion, type RRset, replacement } from '../../functions/agent/powerdns/rrset.ts';
import { addressLookup } from '../../functions/agent/resolver/address-lookup.ts';
import { HostNames } from '../../functions/agent/resolver/host-names.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { startPowerDNS } from '../powerdns/server.ts';
import { waitTimeoutMs } from '../timeouts.ts';
import { loop, type Webhook } from './external-dns.ts';
import { declare, endpoint, foreign, makeAgent, zones } from './make.ts';

const dirs: string[] = [];

/** A PowerDNS with a client of its API. */
async function start() {
  const dir = mkdtempSync(join(tmpdir(), 'host-names-'));
  dirs.push(dir);
  const server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir });
  const api = { api: server.apiUrl, keyFile: join(dir, 'include/api.conf'), timeoutMs: waitTimeoutMs };
  return { server, powerdns: new PowerDNS(api) };
}

/** The load balancers' own zone, and the server of the InternalDNS. */
let [cloud, own] = [] as unknown as [Awaited<ReturnType<typeof start>>, Awaited<ReturnType<typeof start>>];
const cloudZone = { name: 'elb.example.com.', id: 'elb.example.com.' };

beforeAll(async () => {
  [cloud, own] = await Promise.all([start(), start()]);
  await cloud.powerdns.create(cloudZone.name, [
    { ...foreign(cloudZone.name, 'SOA', 'ns.example.com. hostmaster.example.com. 1 3600 600 86400 5'), ttl: 5 },
    foreign(cloudZone.name, 'NS', 'ns.example.com.'),
  ]);
});

afterAll(async () => {
  for (const each of [cloud, own]) await each?.server.stop();
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const setCloud = (...rrsets: RRset[]) => cloud.powerdns.patch(cloudZone, rrsets.map(replacement));
const removeFromCloud = (name: string, type: string) => cloud.powerdns.patch(cloudZone, [deletion({ name, type })]);

/** An agent that asks the server of the load balancers, and an ExternalDNS that wants these endpoints. */
async function serve(wanted: Endpoint[], discovery: object = {}) {
  const resolver = new Resolver({ timeout: 500, tries: 2 });
  resolver.setServers([`127.0.0.1:${cloud.server.dnsPort}`]);
  const clock = { now: 0 };
  const pending = new Set<Promise<unknown>>();
  const lookUp = addressLookup({ resolver });
  const hostNames = new HostNames({
    now: () => clock.now,
    lookUp: (name) => {
      const answer = lookUp(name);
      pending.add(answer);
      return answer.finally(() => pending.delete(answer));
    },
  });
  const database = new Database(own.powerdns, { maxAgeMs: 0 });
  const { agent, declare: take } = makeAgent(undefined, { database, now: Date.now, hostNames });
  take(declare({ name: 'corp', zones: zones('corp.internal', '2.0.192.in-addr.arpa'), discovery }));
  await agent.reconcile();
  const webhook: Webhook = {
    records: () => agent.records(),
    adjustEndpoints: (endpoints) => agent.adjustEndpoints(endpoints),
    applyChanges: (changes) => agent.applyChanges(changes),
  };
  const sync = () => loop(webhook, wanted);
  return {
    sync,
    /** Lets the TTLs of the load balancers pass a number of times. */
    async pass(count = 1) {
      for (let i = 0; i < count; i++) {
        clock.now += 15_000;
        hostNames.resolveDue();
        while (pending.size > 0) await Promise.all(pending);
        await new Promise((resolve) => setImmediate(resolve));
        await sync();
      }
    },
    verdict: () => {
      agent.explain();
      return agent.names.list?.map(({ verdict, message }) => `${verdict}: ${message}`).join();
    },
  };
}

const answers = async (name: string, type: 'A' | 'AAAA' | 'CNAME' | 'PTR' = 'A') => {
  const reply = await own.server.query(name, type);
  return reply.answers.map((each) => String((each as { data: unknown }).data)).sort();
};

const web = endpoint('ingress/shop/web', 'web.corp.internal', 'CNAME', 'lb.elb.example.com');
const apex = endpoint('ingress/shop/apex', 'corp.internal', 'CNAME', 'lb.elb.example.com');

test('a host follows a load balancer that is a name, through its outages, and over a restart', async () => {
  const lb = (...addresses: string[]) => ({ ...foreign('lb.elb.example.com.', 'A', ...addresses), ttl: 5 });
  await setCloud(lb('192.0.2.1', '192.0.2.2'));
  const first = await serve([web, apex], { reverse: true });
  expect(await first.sync()).toBeUndefined();
  expect(await answers('web.corp.internal')).toEqual([]);
  await first.pass();
  expect(await answers('web.corp.internal')).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(await answers('web.corp.internal', 'CNAME')).toEqual([]);
  expect(await answers('corp.internal')).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(await answers('1.2.0.192.in-addr.arpa', 'PTR')).toEqual(['corp.internal']);
  for (let i = 0; i < 5; i++) expect(await first.sync()).toBeUndefined();

  // Its answer is now one behind a CNAME, with IPv6.
  await cloud.powerdns.patch(cloudZone, [
    deletion(lb()),
    replacement({ ...foreign('lb.elb.example.com.', 'CNAME', 'node.elb.example.com.'), ttl: 5 }),
    replacement({ ...foreign('node.elb.example.com.', 'A', '192.0.2.3'), ttl: 5 }),
    replacement({ ...foreign('node.elb.example.com.', 'AAAA', '2001:db8::3'), ttl: 5 }),
  ]);
  await first.pass();
  expect(await answers('web.corp.internal')).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3']);
  expect(await answers('web.corp.internal', 'AAAA')).toEqual(['2001:db8::3']);
  await first.pass(2);
  expect(await answers('web.corp.internal')).toEqual(['192.0.2.3']);

  cloud.server.kill('SIGSTOP');
  await first.pass(2);
  expect(await answers('web.corp.internal')).toEqual(['192.0.2.3']);
  expect(first.verdict()).toContain(
    "Resolved: resolves to 192.0.2.3, 2001:db8::3; the last known addresses, as the pod's resolver does not resolve the target lb.elb.example.com (no answer): ",
  );

  const second = await serve([web, apex], { reverse: true });
  expect(await second.sync()).toBeUndefined();
  await second.pass(2);
  expect(await answers('web.corp.internal')).toEqual(['192.0.2.3']);
  cloud.server.kill('SIGCONT');
  await second.pass(6);
  expect(second.verdict()).toContain('Resolved: resolves to 192.0.2.3, 2001:db8::3,');

  await removeFromCloud('lb.elb.example.com.', 'CNAME');
  await second.pass(2);
  expect(await answers('web.corp.internal')).toEqual(['192.0.2.3']);
  await second.pass(4);
  expect(await answers('web.corp.internal')).toEqual([]);
  expect((await own.server.query('web.corp.internal')).rcode).toBe('NXDOMAIN');
  expect(second.verdict()).toContain(
    "NoAddress: the pod's resolver cannot find the target lb.elb.example.com (NXDOMAIN): ",
  );
});

test('with CNAME the host is an alias, without an address', async () => {
  await setCloud({ ...foreign('lb.elb.example.com.', 'A', '192.0.2.1'), ttl: 5 });
  const { pass, verdict } = await serve([web], { targets: { hostNames: 'CNAME' } });
  await pass(2);
  expect(await answers('web.corp.internal')).toEqual(['lb.elb.example.com']);
  expect(verdict()).toBe(
    'Resolved: resolves to lb.elb.example.com; clients whose resolver queries this server for nothing but its zones get no address for lb.elb.example.com: set discovery.targets.hostNames: Addresses',
  );
});
