/**
 * The agent, through its webhook, with a real PowerDNS in the configuration of the pod.
 *
 * @module-tag PowerDNS
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { RecordType } from 'dns-packet';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { webhook } from '../../../functions/agent/http/webhook.ts';
import { FailureLog } from '../../../functions/agent/lib/failure-log.ts';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import { request } from '../../../functions/agent/powerdns/http-request.ts';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { replacement } from '../../../functions/agent/powerdns/rrset.ts';
import { noSources } from '../../../functions/agent/sources/source-object.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';
import { loop, type Webhook, webhookAt } from '../external-dns.ts';
import { corp, declare, endpoint, makeAgent, zones } from '../make.ts';
import { apiAt } from './api.ts';

const dir = mkdtempSync(join(tmpdir(), 'agent-'));
const keyFile = join(dir, 'include/api.conf');
let server: RunningPowerDNS;
let setup: ReturnType<typeof makeAgent>;
let external: Webhook;
let listener: Server;
/** Requests that write. */
let writes: string[] = [];

beforeAll(async () => {
  server = await startPowerDNS({ config: powerdnsFiles['pdns.conf'], dir });
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true });
});

beforeEach(async () => {
  writes = [];
  const powerdns = new PowerDNS({
    api: server.apiUrl,
    keyFile,
    timeoutMs: waitTimeoutMs,
    request: (url, options) => {
      if (options.method !== 'GET') writes.push(`${options.method} ${url}`);
      return request(url, options);
    },
  });
  const answers = (zone: string) =>
    server.query(zone, 'SOA').then(
      ({ answers }) => answers.length > 0,
      () => false,
    );
  setup = makeAgent(new Database(powerdns) as never, { answers });
  const failureLog = new FailureLog({ info() {}, warn() {} } as never);
  listener = webhook({ bodyLimit: 2 ** 24, agent: setup.agent, failureLog, timeoutMs: waitTimeoutMs });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  external = webhookAt(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
});

afterEach(async () => {
  listener.closeAllConnections();
  listener.close();
  for (const { id } of (await api('GET', '/zones')) as { id: string }[]) await api('DELETE', `/zones/${id}`);
});

const api = (method: string, path: string, body?: object) => apiAt(server.apiUrl, keyFile)(method, path, body);
const byHand = (rrset: object, zone = 'corp.internal.') => api('PATCH', `/zones/${zone}`, { rrsets: [rrset] });

async function reconciled(declaration = declare()) {
  setup.declare(declaration);
  await setup.agent.reconcile();
}

/** `NOERROR 192.0.2.1 192.0.2.2`, or only the code. */
async function dig(name: string, type: RecordType = 'A'): Promise<string> {
  const { rcode, answers } = await server.query(name, type);
  const data = answers.filter((a) => a.type === type).map((a) => (a as { data: unknown }).data);
  return [rcode, ...data.map((d) => (typeof d === 'string' ? d : JSON.stringify(d))).sort()].join(' ');
}

async function expectQuiet(endpoints: Parameters<typeof loop>[1]) {
  const before = writes.length;
  for (let i = 0; i < 5; i++) {
    await setup.agent.reconcile();
    expect(await loop(external, endpoints)).toBeUndefined();
  }
  expect(writes.slice(before)).toEqual([]);
}

test('a zone is the same object while nothing in it changes, including comments', async () => {
  await reconciled();
  const database = new Database(new PowerDNS({ api: server.apiUrl, keyFile, timeoutMs: waitTimeoutMs }), {
    maxAgeMs: 0,
  });
  const read = async () => (await database.zones())[0];
  const before = await read();
  expect(await read()).toBe(before);
  const comments = [{ account: 'a person', content: 'mine' }];
  await byHand({ name: 'ns1.corp.internal.', type: 'A', changetype: 'REPLACE', comments });
  const after = await read();
  expect(after).not.toBe(before);
  expect(after?.rrsets.find(({ type }) => type === 'A')?.mark).toEqual(comments[0]);
});

describe('a manual change just before a reconciliation is not lost', () => {
  /** Writes like pdnsutil, without incrementing the serial. */
  const run = (sql: string) => {
    const database = new DatabaseSync(join(dir, 'pdns.sqlite3'));
    database.exec(sql);
    database.close();
  };
  const [both, one] = [declare({ zones: [corp, ...zones('old.internal')] }), declare()];

  test('when its zone is deleted', async () => {
    await reconciled(both);
    run(
      "insert into records(domain_id,name,type,content,ttl,auth) select id,'hand.old.internal','A','198.51.100.9',60,1 from domains where name='old.internal'",
    );
    await reconciled(one);
    await setup.agent.reconcile();
    expect(await dig('hand.old.internal')).toBe('NOERROR 198.51.100.9');
    expect(setup.agent.report()?.zones).toContainEqual({
      name: 'old.internal',
      state: 'Retained',
      message: expect.stringContaining('such as hand.old.internal A'),
    });
  });

  test('when it is a manual zone with the name of a deleted one', async () => {
    await reconciled(both);
    const serial = async () => ((await api('GET', '/zones/old.internal.')) as { serial: number }).serial;
    const before = await serial();
    await api('DELETE', '/zones/old.internal.');
    const soa = `ns1.old.internal. hostmaster.old.internal. ${before} 3600 600 604800 30`;
    await api('POST', '/zones', {
      name: 'old.internal.',
      kind: 'Native',
      soa_edit_api: 'OFF',
      nameservers: [],
      rrsets: [{ name: 'old.internal.', type: 'SOA', ttl: 60, records: [{ content: soa }] }],
    });
    expect(await serial()).toBe(before);
    await reconciled(one);
    await setup.agent.reconcile();
    expect(await dig('old.internal', 'SOA')).toMatch(/^NOERROR /);
  });

  test('when it replaces a declared record that is deleted', async () => {
    const txt = { name: 'note', type: 'TXT' as const, values: ['declared'] };
    await reconciled(declare({ zones: [{ ...corp, records: [txt] }] }));
    run("delete from comments where name='note.corp.internal'");
    await reconciled(one);
    await setup.agent.reconcile();
    expect(await dig('note.corp.internal', 'TXT')).toMatch(/^NOERROR ./);
  });
});

const www = (...targets: string[]) => endpoint('ingress/a/web', 'www.corp.internal', 'A', ...targets);

describe('zones', () => {
  test('are created with SOA, NS and the name server, and answer at once for a name that was queried before', async () => {
    expect(await dig('ns1.corp.internal')).toBe('REFUSED');
    await reconciled(declare({ addresses: ['192.0.2.53', '2001:db8::53'] }));
    expect(await dig('ns1.corp.internal')).toBe('NOERROR 192.0.2.53');
    expect(await dig('ns1.corp.internal', 'AAAA')).toBe('NOERROR 2001:db8::53');
    expect(await dig('corp.internal', 'NS')).toBe('NOERROR ns1.corp.internal');
    const { rcode, authority } = await server.query('missing.corp.internal');
    expect(rcode).toBe('NXDOMAIN');
    const soa = { mname: 'ns1.corp.internal', rname: 'hostmaster.corp.internal', minimum: 5 };
    expect(authority).toMatchObject([{ type: 'SOA', data: soa }]);
    expect(setup.agent.report()?.zones).toEqual([{ name: 'corp.internal', state: 'Serving' }]);
    await expectQuiet([]);
  });

  test('are created and deleted with the declaration, at once', async () => {
    const both = [corp, ...zones('2.0.192.in-addr.arpa')];
    await reconciled();
    expect(await dig('ns1.2.0.192.in-addr.arpa')).toBe('REFUSED');
    await reconciled(declare({ zones: both }));
    expect(await dig('ns1.2.0.192.in-addr.arpa')).toBe('NOERROR 192.0.2.53');
    await reconciled();
    expect(await dig('ns1.2.0.192.in-addr.arpa')).toBe('REFUSED');
    expect(await dig('ns1.corp.internal')).toBe('NOERROR 192.0.2.53');
  });

  test('inside others take over their names without a gap, and return them', async () => {
    const inside = endpoint('o', 'www.dev.corp.internal', 'A', '192.0.2.1');
    const before = endpoint('o', 'late.dev.corp.internal', 'A', '192.0.2.2');
    await reconciled();
    await loop(external, [inside]);
    expect([await dig('www.dev.corp.internal'), await dig('late.dev.corp.internal')]).toEqual([
      'NOERROR 192.0.2.1',
      'NXDOMAIN',
    ]);
    for (const declaration of [declare({ zones: [corp, ...zones('dev.corp.internal')] }), declare()]) {
      await reconciled(declaration);
      expect(await dig('www.dev.corp.internal')).toBe('NOERROR 192.0.2.1');
      // The missing names move with their zone.
      expect(await loop(external, [inside])).toBeUndefined();
      await expectQuiet([inside]);
      await loop(external, [inside, before]);
      expect(await dig('late.dev.corp.internal')).toBe('NOERROR 192.0.2.2');
      await loop(external, [inside]);
    }
  });

  test('of other owners are left alone', async () => {
    const rrsets = [{ name: 'x.theirs.internal.', type: 'A', ttl: 60, records: [{ content: '192.0.2.9' }] }];
    await api('POST', '/zones', { name: 'theirs.internal.', kind: 'Native', nameservers: ['ns.example.com.'], rrsets });
    await reconciled();
    expect(await dig('x.theirs.internal')).toBe('NOERROR 192.0.2.9');
    expect(setup.agent.report()?.zones).toContainEqual({
      name: 'theirs.internal',
      state: 'Retained',
      message: 'not declared, and not made by this instance: left alone',
    });
    await expectQuiet([]);
  });

  test('are kept for unmanaged records', async () => {
    await reconciled(declare({ zones: [corp, ...zones('b.internal')] }));
    const hand = {
      name: 'x.b.internal.',
      type: 'A',
      ttl: 60,
      changetype: 'REPLACE',
      records: [{ content: '192.0.2.9' }],
    };
    await byHand(hand, 'b.internal.');
    await reconciled();
    expect(await dig('x.b.internal')).toBe('NOERROR 192.0.2.9');
    expect(setup.agent.report()?.zones[1]).toMatchObject({
      state: 'Retained',
      message: expect.stringContaining('x.b.internal A'),
    });
    await byHand({ ...hand, changetype: 'DELETE' }, 'b.internal.');
    await setup.agent.reconcile();
    expect(await dig('x.b.internal')).toBe('REFUSED');
  });
});

describe('a change by hand', () => {
  const records = { SOA: 'other.example. hostmaster.example. 1 2 3 4 5', NS: 'other.example.', A: '192.0.2.66' };
  test.each(['SOA', 'NS', 'A'] as const)('of a declared record is reverted: %s', async (type) => {
    await reconciled();
    const name = type === 'A' ? 'ns1.corp.internal' : 'corp.internal';
    const answer = async () => (await dig(name, type)).replace(/"serial":\d+/, '');
    const right = await answer();
    const rrset = { name: `${name}.`, type, ttl: 60 };
    const changes = [
      { changetype: 'REPLACE', records: [{ content: records[type] }] },
      { changetype: 'REPLACE', records: [{ content: records[type], disabled: true }] },
      { changetype: 'DELETE' },
    ];
    for (const change of changes) {
      await byHand({ ...rrset, ...change });
      expect(await answer()).not.toBe(right);
      await setup.agent.reconcile();
      expect(await answer()).toBe(right);
    }
    await expectQuiet([]);
  });

  test('that disables a declared record is reverted', async () => {
    await reconciled();
    const records = [{ content: '192.0.2.53', disabled: true }];
    const comments = [
      { account: 'a person', content: 'maintenance' },
      { account: 'internal-dns', content: '' },
    ];
    await byHand({ name: 'ns1.corp.internal.', type: 'A', ttl: 60, changetype: 'REPLACE', records, comments });
    expect(await dig('ns1.corp.internal')).toBe('NXDOMAIN');
    await setup.agent.reconcile();
    expect(await dig('ns1.corp.internal')).toBe('NOERROR 192.0.2.53');
  });

  test('that adds a comment leaves the mark', async () => {
    await reconciled();
    await loop(external, [www('192.0.2.1')]);
    const comments = [
      { account: 'a person', content: 'seen' },
      { account: 'external-dns/corp', content: 'ingress/a/web' },
    ];
    await byHand({ name: 'www.corp.internal.', type: 'A', changetype: 'REPLACE', comments });
    await loop(external, []);
    expect(await dig('www.corp.internal')).toBe('NXDOMAIN');
  });

  test('at an unmanaged name is left alone', async () => {
    await reconciled();
    const records = [{ content: '192.0.2.9' }];
    await byHand({ name: 'www.corp.internal.', type: 'A', ttl: 60, changetype: 'REPLACE', records });
    await loop(external, [www('192.0.2.1')]);
    await expectQuiet([www('192.0.2.1')]);
    await expectQuiet([]);
    expect(await dig('www.corp.internal')).toBe('NOERROR 192.0.2.9');
  });

  test.each([1, 30])(
    'is not overwritten by %d names that are requested just afterwards, even if it increments no serial',
    async (count) => {
      await reconciled();
      await loop(external, []);
      // Like pdnsutil, without the API.
      const database = new DatabaseSync(join(dir, 'pdns.sqlite3'));
      const zone = "(select id from domains where name = 'corp.internal')";
      database.exec(
        `insert into records (domain_id, name, type, content, ttl, disabled, auth)
       values (${zone}, 'www.corp.internal', 'A', '192.0.2.9', 60, 0, 1)`,
      );
      database.close();
      const others = Array.from({ length: count - 1 }, (_, n) =>
        endpoint('ingress/a/web', `w${n}.corp.internal`, 'A', '192.0.2.1'),
      );
      await loop(external, [www('192.0.2.1'), ...others]);
      expect(await dig('www.corp.internal')).toBe('NOERROR 192.0.2.9');
      if (count > 1) expect(await dig('w0.corp.internal')).toBe('NOERROR 192.0.2.1');
    },
  );

  test('of a discovered record is reverted', async () => {
    await reconciled();
    await loop(external, [www('192.0.2.1')]);
    await byHand({ name: 'www.corp.internal.', type: 'A', changetype: 'DELETE' });
    await loop(external, [www('192.0.2.1')]);
    expect(await dig('www.corp.internal')).toBe('NOERROR 192.0.2.1');
  });
});

describe('names', () => {
  beforeEach(() => reconciled());

  test('are created, changed and deleted at once, even if they were queried before', async () => {
    expect(await dig('www.corp.internal')).toBe('NXDOMAIN');
    for (const targets of [['192.0.2.1'], ['192.0.2.2', '192.0.2.3']]) {
      await loop(external, [www(...targets)]);
      expect(await dig('www.corp.internal')).toBe(`NOERROR ${targets.join(' ')}`);
      await expectQuiet([www(...targets)]);
    }
    await loop(external, []);
    expect(await dig('www.corp.internal')).toBe('NXDOMAIN');
    await expectQuiet([]);
  });

  test('change from A to CNAME and back in one request each', async () => {
    const cname = endpoint('ingress/a/web', 'www.corp.internal', 'CNAME', 'lb.example.com');
    await loop(external, [www('192.0.2.1')]);
    for (const desired of [cname, www('192.0.2.1')]) {
      writes = [];
      await loop(external, [desired]);
      expect(writes).toHaveLength(1);
      expect(await dig('www.corp.internal', desired.recordType as RecordType)).toBe(`NOERROR ${desired.targets[0]}`);
      await expectQuiet([desired]);
    }
  });

  test('may be a wildcard or the apex, and have both address families', async () => {
    const endpoints = [
      endpoint('o', '*.w.corp.internal', 'A', '192.0.2.1'),
      endpoint('o', 'corp.internal', 'A', '192.0.2.2'),
      endpoint('o', 'corp.internal', 'AAAA', '2001:DB8:0::2'),
      endpoint('o', 'a.b.c.corp.internal', 'AAAA', '::ffff:192.0.2.4', '2001:db8::1'),
    ];
    await loop(external, endpoints);
    expect(await dig('any.thing.w.corp.internal')).toBe('NOERROR 192.0.2.1');
    expect(await dig('corp.internal')).toBe('NOERROR 192.0.2.2');
    expect(await dig('corp.internal', 'AAAA')).toBe('NOERROR 2001:db8::2');
    expect(await dig('b.c.corp.internal')).toBe('NOERROR');
    await expectQuiet(endpoints);
  });

  test.each([
    ['double..dot.example.com', /empty label/],
    [`${'x'.repeat(64)}.example.com`, /63/],
  ])('that are invalid (a CNAME to %s) are reported, and block no others', async (target, message) => {
    const bad = endpoint('ingress/b/bad', 'bad.corp.internal', 'CNAME', target);
    const endpoints = [www('192.0.2.1'), bad, endpoint('o', 'zz.corp.internal', 'A', '192.0.2.2')];
    await loop(external, endpoints);
    expect([await dig('www.corp.internal'), await dig('zz.corp.internal')]).toEqual([
      'NOERROR 192.0.2.1',
      'NOERROR 192.0.2.2',
    ]);
    expect(await dig('bad.corp.internal')).toBe('NXDOMAIN');
    await expectQuiet(endpoints);
    expect(setup.problems()).toEqual([
      {
        name: 'bad.corp.internal',
        resource: 'ingress/b/bad',
        verdict: 'Refused',
        message: expect.stringMatching(message),
      },
    ]);
  });

  test.each([
    ['under_score.example.com', []],
    ['-x.example.com', []],
    ['*.example.com', []],
    ['sp$ecial.example.com', ['Refused']],
    ['a/b.example.com', ['Refused']],
    ['a;b.example.com', ['Refused']],
    ['what(ever.example.com', ['Refused']],
  ])('with an odd target that PowerDNS accepts (%s) are not written again', async (target, verdicts) => {
    const odd = endpoint('o', 'odd.corp.internal', 'CNAME', target);
    await loop(external, [odd]);
    await expectQuiet([odd]);
    expect(setup.problems()?.map(({ verdict }) => verdict)).toEqual(verdicts);
  });
});

describe('PowerDNS', () => {
  beforeEach(() => reconciled());
  const restart = async () => {
    server.kill('SIGKILL');
    await server.restart();
  };

  test('may be killed: ExternalDNS gets errors meanwhile, and nothing is lost', async () => {
    await loop(external, [www('192.0.2.1')]);
    const report = setup.agent.report();
    await server.stop();
    await expect(setup.agent.reconcile()).rejects.toThrow();
    await expect(loop(external, [])).rejects.toThrow(/^503 .*ECONNREFUSED/);
    expect(setup.agent.report()).toEqual(report);
    await restart();
    await expectQuiet([www('192.0.2.1')]);
    expect(await dig('www.corp.internal')).toBe('NOERROR 192.0.2.1');
  });

  test('may restart with another API key', async () => {
    await loop(external, [www('192.0.2.1')]);
    await server.stop();
    const { dnsPort: port, apiUrl } = server;
    const config = powerdnsFiles['pdns.conf'];
    server = await startPowerDNS({ config, dir, port, apiPort: Number(new URL(apiUrl).port), apiKey: 'another' });
    await expectQuiet([www('192.0.2.1')]);
    await loop(external, [www('192.0.2.2')]);
    expect(await dig('www.corp.internal')).toBe('NOERROR 192.0.2.2');
  });

  test('may lose its database', async () => {
    await loop(external, [www('192.0.2.1')]);
    server.kill('SIGKILL');
    await server.stop();
    server.wipe();
    await server.restart();
    expect(await dig('www.corp.internal')).toBe('REFUSED');
    await expect(loop(external, [www('192.0.2.1')])).rejects.toThrow('503');
    await setup.agent.reconcile();
    await loop(external, [www('192.0.2.1')]);
    expect(await dig('www.corp.internal')).toBe('NOERROR 192.0.2.1');
    await expectQuiet([www('192.0.2.1')]);
  });
});

describe('the state of the delete guard', () => {
  /** Another process with the same PowerDNS. */
  const another = async () => {
    const database = new Database(new PowerDNS({ api: server.apiUrl, keyFile, timeoutMs: waitTimeoutMs }));
    const other = makeAgent(database as never, { now: () => setup.clock.now });
    other.declare(declare());
    await other.agent.reconcile();
    return other.agent;
  };
  const hosts = Array.from({ length: 10 }, (_, i) =>
    endpoint(`ingress/a/${i}`, `h${i}.corp.internal`, 'A', '192.0.2.1'),
  );
  const count = async () =>
    (await Promise.all(hosts.map(({ dnsName }) => dig(dnsName)))).filter((answer) => answer !== 'NXDOMAIN').length;

  test('survives a restart of the agent and of PowerDNS', async () => {
    await reconciled();
    await loop(external, hosts);
    const { serial } = (await api('GET', '/zones/corp.internal.')) as { serial: number };
    for (const left of [6, 3, 2, 1]) {
      const agent = await another();
      await loop(agent, hosts.slice(-left));
      await loop(agent, hosts.slice(-left));
      // Four of ten may be deleted at once, including those deleted shortly before.
      expect(await count()).toBe(6);
    }
    await server.restart();
    await loop(await another(), []);
    expect(await count()).toBe(6);
    // Only published changes increment the serial: one change, of four names.
    expect(((await api('GET', '/zones/corp.internal.')) as { serial: number }).serial).toBe(serial + 1);
  });

  test('may be lost: every missing name is held', async () => {
    await reconciled();
    await loop(external, hosts);
    await api('DELETE', '/zones/corp.internal./metadata/X-INTERNAL-DNS-DELETE-GUARD');
    await loop(await another(), hosts.slice(1));
    expect(await count()).toBe(10);
    await loop(await another(), hosts.slice(1));
    expect(await count()).toBe(10);
  });
});

test('evaluates only what differs from the previous loop', async () => {
  let looks = 0;
  const look = () => {
    looks++;
    return [];
  };
  const lister = { ...noSources, version: 0, hasSynced: () => true, byHost: look };
  const database = new Database(new PowerDNS({ api: server.apiUrl, keyFile, timeoutMs: waitTimeoutMs }));
  const { agent, declare: take } = makeAgent(database as never, { lister });
  const other = webhook({ bodyLimit: 2 ** 24, agent, failureLog: new FailureLog({ info() {}, warn() {} } as never) });
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const external = webhookAt(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
  const [first, more] = [www('192.0.2.1'), endpoint('ingress/a/more', 'more.corp.internal', 'A', '192.0.2.2')];
  /** Reports whether a loop read the objects. */
  const looked = async (...endpoints: Endpoint[]) => {
    looks = 0;
    await loop(external, endpoints);
    return looks > 0;
  };
  try {
    take(declare());
    await agent.reconcile();
    expect(await looked(first, more)).toBe(true);
    // The records of the last loop are current now.
    expect(await looked(first, more)).toBe(true);
    expect(await looked(more, first)).toBe(false);
    lister.version++;
    expect(await looked(first, more)).toBe(true);
    expect(await looked(first, more)).toBe(false);
    await byHand({
      name: 'hand.corp.internal.',
      type: 'A',
      ttl: 60,
      changetype: 'REPLACE',
      records: [{ content: '192.0.2.9' }],
    });
    expect(await looked(first, more)).toBe(true);
    expect(await looked(first)).toBe(true);
    take(declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, minimumTTL: 300 } }));
    await agent.reconcile();
    expect(await looked(first)).toBe(true);
    expect((await external.records()).map(({ recordTTL }) => recordTTL)).toEqual([300]);
  } finally {
    other.closeAllConnections();
    other.close();
  }
});

test('the records of a batch that PowerDNS rejects are reported with its message, and the rest is published', async () => {
  await reconciled();
  const database = new Database(new PowerDNS({ api: server.apiUrl, keyFile, timeoutMs: waitTimeoutMs }));
  const [zone] = await database.zones();
  const address = (name: string) =>
    replacement({ name: `${name}.corp.internal.`, type: 'A', ttl: 60, records: ['192.0.2.1'] });
  const good = Array.from({ length: 20 }, (_, index) => address(`h${index}`));
  const bad = address('sp$ecial');
  expect(await database.apply(zone!, good.toSpliced(13, 0, bad))).toEqual([
    { change: bad, message: expect.stringMatching(/sp\$ecial.*unsupported characters/) },
  ]);
  for (const index of good.keys()) expect(await dig(`h${index}.corp.internal`)).toBe('NOERROR 192.0.2.1');
});

test('five thousand names are published in one loop, and an invalid one among them is reported', async () => {
  await reconciled();
  const endpoints = Array.from({ length: 5000 }, (_, i) =>
    endpoint('o', `h${i}.corp.internal`, 'A', `10.0.${i >> 8}.${i & 255}`),
  );
  endpoints.splice(1234, 0, endpoint('bad', 'bad.corp.internal', 'CNAME', 'a..b'));
  const since = performance.now();
  await loop(external, endpoints);
  console.log(`5,000 names: ${(performance.now() - since).toFixed(0)} ms, ${writes.length} requests`);
  expect(await dig('h4999.corp.internal')).toBe('NOERROR 10.0.19.135');
  await expectQuiet(endpoints);
});
