/** Names that a discovered wildcard never answers for, in a real PowerDNS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import type { DiscoveryChanges } from '../../contract/declared.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';
import { loop } from '../external-dns.ts';
import { declare, endpoint, makeAgent, record, zoneWith } from '../make.ts';

let dir: string;
let server: RunningPowerDNS;
let database: Database;

const wildcard = endpoint('ingress/apps/lb', '*.corp.internal', 'A', '10.6.6.6');
const types = ['A', 'AAAA', 'CNAME', 'TXT'];

/** An agent with these settings that has synced the endpoints and sends nothing more. */
async function publish(endpoints: Endpoint[], more: DiscoveryChanges = {}) {
  const { agent, declare: take } = makeAgent(undefined, { database, now: Date.now });
  const discovery = { ownerID: 'corp', intervalSeconds: 2, recordTypes: types, ...more };
  const zones = [zoneWith('corp.internal', [record('a.held', 'A', '192.0.2.3'), record('*.own', 'A', '192.0.2.4')])];
  take(declare({ zones: [...zones, zoneWith('dev.corp.internal', [])], discovery }));
  await agent.reconcile();
  const webhook = {
    records: () => agent.records(),
    adjustEndpoints: (all: Endpoint[]) => agent.adjustEndpoints(all),
    applyChanges: (changes: Parameters<typeof agent.applyChanges>[0]) => agent.applyChanges(changes),
  };
  while (await loop(webhook, endpoints));
  const serial = async () => (await server.query('corp.internal', 'SOA')).answers;
  const before = await serial();
  for (let i = 0; i < 5; i++) {
    await agent.reconcile();
    expect(await loop(webhook, endpoints)).toBeUndefined();
  }
  expect(await serial()).toEqual(before);
  agent.explain();
  return agent;
}

const answer = async (name: string, type: 'A' | 'TXT' = 'A') => {
  const { rcode, answers } = await server.query(`${name}.corp.internal`, type);
  return answers.length > 0 ? answers.map((a) => String((a as { data: unknown }).data)).join() : rcode;
};

describe('a discovered wildcard', { tags: 'PowerDNS' }, () => {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'denials-'));
    server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir });
    const api = { api: server.apiUrl, keyFile: join(dir, 'include/api.conf'), timeoutMs: waitTimeoutMs };
    database = new Database(new PowerDNS(api), { maxAgeMs: 0 });
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('answers for any name except reserved ones', async () => {
    const agent = await publish([wildcard], {
      reservedNames: ['vpn.corp.internal', '*.infra.corp.internal', 'x.own.corp.internal', 'y.held.corp.internal'],
    });
    expect(await answer('anything')).toBe('10.6.6.6');
    expect(await answer('_x.anything')).toBe('10.6.6.6');
    for (const name of ['wpad', 'isatap', '_acme-challenge', 'vpn', 'a.infra', 'b.a.infra']) {
      expect(`${name}: ${await answer(name)}`).toBe(`${name}: NOERROR`);
      expect(`${name}: ${await answer(name, 'TXT')}`).toBe(`${name}: NOERROR`);
    }
    expect(await answer('below.wpad')).toBe('NXDOMAIN');
    // A declared record is answered as declared.
    expect(await answer('x.own')).toBe('192.0.2.4');
    expect(await answer('a.held')).toBe('192.0.2.3');
    expect(agent.report()?.names).toMatchObject({ total: 1, resolved: 1, problems: [] });
  });

  test('answers for names that are no longer reserved; without it the blocks are deleted', async () => {
    await publish([wildcard], { reservedNames: [] });
    expect(await answer('vpn')).toBe('10.6.6.6');
    await publish([endpoint('ingress/apps/lb', 'www.corp.internal', 'A', '10.6.6.6')]);
    expect(await answer('wpad')).toBe('NXDOMAIN');
    const zones = await database.zones();
    expect(zones.flatMap(({ rrsets }) => rrsets).filter(({ type }) => type === 'HINFO')).toEqual([]);
  });

  test('is one that is an alias, or deeper, too; and a challenge can still be published', async () => {
    const alias = endpoint('ingress/apps/lb', '*.apps.corp.internal', 'CNAME', 'lb.example.com');
    const challenge = endpoint('crd/apps/c', '_acme-challenge.apps.corp.internal', 'TXT', 'token');
    await publish([alias, challenge]);
    expect(await answer('a.apps')).toBe('lb.example.com');
    expect(await answer('wpad.apps')).toBe('NOERROR');
    expect(await answer('wpad')).toBe('NXDOMAIN');
    expect(await answer('_acme-challenge.apps', 'TXT')).toBe('token');
  });
});
