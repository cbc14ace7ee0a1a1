/**
 * Declared records, zone files and PTR records in a real PowerDNS.
 *
 * @module-tag PowerDNS
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { RecordType as QueryType } from 'dns-packet';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import { request } from '../../../functions/agent/powerdns/http-request.ts';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { writeCanary } from '../../../functions/agent/self-test/canary-record.ts';
import type { ZoneFiles } from '../../../functions/agent/zones/zone-file.ts';
import { canaryZone } from '../../../functions/contract/canary-zone.ts';
import type { Declaration } from '../../../functions/contract/declaration.ts';
import type { RecordType } from '../../../functions/dns/rdata/record-type.ts';
import type { DeclaredRecord } from '../../../functions/dns/record.ts';
import { powerdnsFilesFor } from '../../../functions/internal-dns/server/powerdns.ts';
import { rdataOf } from '../../dns/query-rdata.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { polling, waitTimeoutMs } from '../../timeouts.ts';
import { loop } from '../external-dns.ts';
import { corp, declare, endpoint, fileMark, fileOf, fileRef, makeAgent, record, zones, zoneWith } from '../make.ts';
import { apiAt } from '../powerdns/api.ts';
import { FaultyProxy } from '../powerdns/faulty-proxy.ts';
import { type Running, run } from '../run.ts';

const dir = mkdtempSync(join(tmpdir(), 'declared-'));
const keyFile = join(dir, 'pdns/include/api.conf');
let server: RunningPowerDNS;
let setup: ReturnType<typeof makeAgent>;
/** All requests, and those that write. */
let requests: string[] = [];
const writes = () => requests.filter((line) => !line.startsWith('GET '));

beforeAll(async () => {
  mkdirSync(join(dir, 'pdns'));
  const config = powerdnsFilesFor({ dynamic: true, dname: true })['pdns.conf'];
  server = await startPowerDNS({ config, dir: join(dir, 'pdns') });
});
afterAll(async () => {
  await server?.stop();
  rmSync(dir, { recursive: true });
});

beforeEach(() => {
  setup = agent();
});

/** A new agent, without the state of the previous one. */
function agent(api = server.apiUrl) {
  requests = [];
  const powerdns = new PowerDNS({
    api,
    keyFile,
    timeoutMs: waitTimeoutMs,
    request: (url, options) => {
      requests.push(`${options.method} ${new URL(url).pathname}`);
      return request(url, options);
    },
  });
  return makeAgent(new Database(powerdns) as never, { answers: async () => true });
}

afterEach(async () => {
  for (const { id } of (await api('GET', '/zones')) as { id: string }[]) await api('DELETE', `/zones/${id}`);
});

const api = (method: string, path: string, body?: object) => apiAt(server.apiUrl, keyFile)(method, path, body);
const byHand = (rrset: object, zone = 'corp.internal.') => api('PATCH', `/zones/${zone}`, { rrsets: [rrset] });
const putByHand = (name: string, type: string, ...contents: string[]) => {
  const records = contents.map((content) => ({ content }));
  return byHand({ name: `${name}.corp.internal.`, type, ttl: 60, changetype: 'REPLACE', records });
};

interface Stored {
  serial: number;
  rrsets: { name: string; type: string; records: { content: string }[] }[];
}
const stored = (zone = 'corp.internal.') => api('GET', `/zones/${zone}`) as Promise<Stored>;

async function reconciled(declaration: Declaration, files?: ZoneFiles) {
  setup.declare(declaration);
  if (files) setup.agent.setZoneFiles(files);
  await setup.agent.reconcile();
}
const withRecords = (...records: DeclaredRecord[]) => declare({ zones: [zoneWith('corp.internal', records)] });

/** `NOERROR 192.0.2.1 192.0.2.2`, or only the code. */
async function dig(name: string, type: QueryType = 'A'): Promise<string> {
  const { rcode, answers } = await server.query(name, type);
  const data = answers.filter((a) => a.type === type).map((a) => (a as { data: unknown }).data);
  return [rcode, ...data.map((d) => (typeof d === 'string' ? d : JSON.stringify(d))).sort()].join(' ');
}

async function expectQuiet() {
  const before = writes().length;
  for (let i = 0; i < 5; i++) await setup.agent.reconcile();
  expect(writes().slice(before)).toEqual([]);
}

describe('every type', () => {
  const zone = '04636f7270 08696e7465726e616c 00';
  /** A declaration, and the RDATA of its answers. */
  const table: [Exclude<RecordType, 'ALIAS'>, string, string][] = [
    ['A', '192.0.2.1', 'c0000201'],
    ['AAAA', '2001:DB8:0::1', '20010db8 00000000 00000000 00000001'],
    ['CAA', '0 issue "ca.example; x=y"', '00 05 6973737565 63612e6578616d706c653b20783d79'],
    ['CNAME', 'a', `0161 ${zone}`],
    ['DNAME', 'new', `036e6577 ${zone}`],
    ['HTTPS', '1 . alpn="h2,h3" port=8443', '0001 00 0001 0006 026832 026833 0003 0002 20fb'],
    ['MX', '10 mail', `000a 046d61696c ${zone}`],
    [
      'NAPTR',
      '1 2 "u" "E2U+sip" "!^.*$!sip:a@b!" .',
      '0001 0002 0175 07 4532552b736970 0e 215e2e2a24217369703a61406221 00',
    ],
    ['PTR', 'a', `0161 ${zone}`],
    ['SRV', '0 5 5060 sip', `0000 0005 13c4 03736970 ${zone}`],
    [
      'SSHFP',
      '4 2 A87F1B687AC0E57D2A081A2F282672334D90ED316D2B818CA9580EA384D92401',
      '04 02 a87f1b687ac0e57d2a081a2f282672334d90ed316d2b818ca9580ea384d92401',
    ],
    ['SVCB', '0 a', `0000 0161 ${zone}`],
    ['TLSA', '3 0 0 00ff', '03 00 00 00ff'],
    ['TXT', 'quote " and \\\\ and ; and (x)', '1b 71756f7465202220616e64205c20616e64203b20616e6420287829'],
    ['NS', 'ns.t-ns', `026e73 04742d6e73 ${zone}`],
    [
      'DS',
      '60485 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A',
      'ec45 0d 02 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a',
    ],
  ];
  // DS and glue belong to the delegation.
  const owner = (type: string) => `t-${type === 'DS' ? 'ns' : type.toLowerCase()}`;
  const records = [
    ...table.map(([type, value]) => record(owner(type), type, value)),
    record('ns.t-ns', 'A', '192.0.2.53'),
    record('t-alias', 'ALIAS', 't-a'),
    { ...record('t-lua', 'A', '192.0.2.8', '192.0.2.9'), answer: 'Random' as const },
  ];

  test.each<[string, Declaration, ZoneFiles | undefined]>([
    ['declared in the composite', withRecords(...records), undefined],
    [
      'from a zone file',
      declare({
        zones: [
          zoneWith(
            'corp.internal',
            records.filter((r) => r.type === 'DNAME' || r.answer),
            { recordsFrom: [fileRef] },
          ),
        ],
      }),
      fileOf(
        ...records
          .filter((r) => r.type !== 'DNAME' && !r.answer)
          .map(({ name, type, values: [value = ''] }) => {
            const text = `"${value.replaceAll('"', '\\"')}"`;
            return `${name} 60 IN ${type} ${type === 'TXT' ? text : value}`;
          }),
      ),
    ],
  ])('%s is answered octet for octet, and is not written again', async (_, declaration, files) => {
    await reconciled(declaration, files);
    expect(setup.agent.report()?.zones).toEqual([{ name: 'corp.internal', state: 'Serving' }]);
    const answers = await Promise.all(
      table.map(([type]) => rdataOf({ port: server.dnsPort }, `${owner(type)}.corp.internal.`, type)),
    );
    expect(table.map(([type], index) => [type, answers[index]])).toEqual(
      table.map(([type, , octets]) => [type, octets.replaceAll(' ', '')]),
    );
    expect(await dig('t-lua.corp.internal')).toMatch(/^NOERROR 192\.0\.2\.[89]$/);
    expect(await dig('x.t-dname.corp.internal', 'CNAME')).toBe('NOERROR x.new.corp.internal');
    const { rrsets } = await stored();
    expect(rrsets.find(({ type }) => type === 'ALIAS')?.records).toEqual([
      { content: 't-a.corp.internal.', disabled: false },
    ]);
    await expectQuiet();
    // An agent that has just started finds nothing to do either.
    setup = agent();
    await reconciled(declaration, files);
    expect(writes()).toEqual([]);
  });

  test('is deleted when it is no longer declared', async () => {
    await reconciled(withRecords(...records));
    await reconciled(declare());
    const { rrsets } = await stored();
    expect(rrsets.map(({ name, type }) => `${name} ${type}`).sort()).toEqual([
      'corp.internal. NS',
      'corp.internal. SOA',
      'ns1.corp.internal. A',
    ]);
    await expectQuiet();
  });
});

test('a name changes from A to CNAME and back, and is answered all the time', async () => {
  const steps = [
    [record('www', 'A', '192.0.2.1'), record('www', 'TXT', 'x')],
    [record('www', 'CNAME', 'lb.example.')],
    [record('www', 'AAAA', '::1')],
    [{ ...record('www', 'A', '192.0.2.2'), answer: 'Random' as const }],
  ];
  await reconciled(withRecords(...steps[0]!));
  let isDone = false;
  const codes = new Map<string, number>();
  const client = async () => {
    while (!isDone) {
      const { rcode } = await server.query('www.corp.internal');
      codes.set(rcode, (codes.get(rcode) ?? 0) + 1);
      await setImmediate();
    }
  };
  const change = async () => {
    for (let i = 0; i < 24; i++) {
      const before = writes().length;
      await reconciled(withRecords(...steps[i % steps.length]!));
      expect(writes().slice(before)).toHaveLength(i === 0 ? 0 : 1);
    }
  };
  await Promise.all([client(), client(), change().finally(() => (isDone = true))]);
  expect([...codes.keys()]).toEqual(['NOERROR']);
  expect(codes.get('NOERROR')).toBeGreaterThan(100);
});

test('the serial increases with every change, also of the SOA, and only then', async () => {
  const zone = (more: object, ...records: DeclaredRecord[]) =>
    declare({ zones: [{ ...zoneWith('corp.internal', records), ...more }] });
  const steps = [
    zone({}),
    zone({}, record('www', 'A', '192.0.2.1')),
    zone({}, record('www', 'A', '192.0.2.2')),
    zone({ soa: { minimum: 60 } }, record('www', 'A', '192.0.2.2')),
    zone({ soa: { rname: 'first.last@corp.internal' } }),
    zone({ nameServers: ['ns.example.com'] }),
    zone({}),
  ];
  const serials: number[] = [];
  for (const step of steps) {
    await reconciled(step);
    serials.push((await stored()).serial);
    await expectQuiet();
    expect((await stored()).serial).toBe(serials.at(-1));
    const { answers } = await server.query('corp.internal', 'SOA');
    expect(answers).toMatchObject([{ data: { serial: serials.at(-1) } }]);
  }
  expect(serials).toEqual([...new Set(serials)].sort((a, b) => a - b));
});

test('an RNAME with dots in its local part is stable', async () => {
  await reconciled(declare({ zones: [{ ...corp, soa: { rname: 'first.last@corp.internal' } }] }));
  const { rrsets } = await stored();
  expect(rrsets.find(({ type }) => type === 'SOA')?.records[0]?.content).toMatch(
    / first\\\.last\.corp\.internal\. \d+ /,
  );
  await expectQuiet();
});

describe('a change by hand', () => {
  beforeEach(() => reconciled(withRecords(record('www', 'A', '192.0.2.1'), record('mail', 'MX', '10 www'))));

  test.each<[string, () => Promise<unknown>]>([
    ['another value', () => putByHand('www', 'A', '192.0.2.66')],
    ['one more value', () => putByHand('www', 'A', '192.0.2.1', '192.0.2.66')],
    ['no record', () => byHand({ name: 'www.corp.internal.', type: 'A', changetype: 'DELETE' })],
    [
      'a disabled record',
      () =>
        byHand({
          name: 'www.corp.internal.',
          type: 'A',
          ttl: 60,
          changetype: 'REPLACE',
          records: [{ content: '192.0.2.1', disabled: true }],
        }),
    ],
  ])('is reverted by the next reconciliation: %s', async (_, change) => {
    await change();
    expect(await dig('www.corp.internal')).not.toBe('NOERROR 192.0.2.1');
    await setup.agent.reconcile();
    expect(await dig('www.corp.internal')).toBe('NOERROR 192.0.2.1');
    await expectQuiet();
  });

  test('of an undeclared record stays, also when declared records are deleted', async () => {
    await putByHand('theirs', 'A', '192.0.2.9');
    await putByHand('www', 'TXT', '"note"');
    await reconciled(declare());
    expect([await dig('theirs.corp.internal'), await dig('www.corp.internal', 'A')]).toEqual([
      'NOERROR 192.0.2.9',
      'NOERROR',
    ]);
    expect((await server.query('www.corp.internal', 'TXT')).answers).toHaveLength(1);
    await expectQuiet();
  });

  test('that conflicts with a declared type is reported, blocks nothing else, and recovers when it is removed', async () => {
    await putByHand('other', 'CNAME', 'x.example.');
    const declaration = withRecords(record('other', 'A', '192.0.2.2'), record('www', 'A', '192.0.2.3'));
    await reconciled(declaration);
    expect(setup.agent.report()?.zones[0]).toMatchObject({
      state: 'Failed',
      message: expect.stringMatching(/other\.corp\.internal.*(Conflict|CNAME)/i),
    });
    expect(await dig('www.corp.internal')).toBe('NOERROR 192.0.2.3');
    await byHand({ name: 'other.corp.internal.', type: 'CNAME', changetype: 'DELETE' });
    await setup.agent.reconcile();
    expect(setup.agent.report()?.zones[0]?.state).toBe('Serving');
    expect(await dig('other.corp.internal')).toBe('NOERROR 192.0.2.2');
  });
});

test('a zone is created without the record that PowerDNS refuses', async () => {
  // The function rejects this: below a part of a /24 there are no host names.
  const part = '64/26.2.0.192.in-addr.arpa';
  const above = zoneWith('2.0.192.in-addr.arpa', [record('1', 'PTR', 'www.corp.internal.')]);
  await reconciled(declare({ zones: [above, ...zones(part)] }));
  expect(await dig('1.2.0.192.in-addr.arpa', 'PTR')).toBe('NOERROR www.corp.internal');
  const message = expect.stringContaining('non-hostname content ns1.64/26.2.0.192.in-addr.arpa.');
  expect(setup.agent.report()?.zones).toEqual([
    { name: '2.0.192.in-addr.arpa', state: 'Failed', message },
    { name: part, state: 'Failed', message },
  ]);
  await reconciled(declare({ zones: [above] }));
  expect(setup.agent.report()?.zones).toEqual([{ name: '2.0.192.in-addr.arpa', state: 'Serving' }]);
});

test('a declared record replaces that of an Ingress, which returns afterwards', async () => {
  const desired = [endpoint('ingress/a/web', 'www.corp.internal', 'A', '192.0.2.1')];
  const declared = withRecords(record('www', 'CNAME', 'lb.example.'));
  const quiet = async () => {
    const before = writes().length;
    for (let i = 0; i < 5; i++) {
      await setup.agent.reconcile();
      expect(await loop(setup.agent, desired)).toBeUndefined();
    }
    expect(writes().slice(before)).toEqual([]);
  };
  for (let round = 0; round < 2; round++) {
    await reconciled(declare());
    await loop(setup.agent, desired);
    expect(await dig('www.corp.internal')).toBe('NOERROR 192.0.2.1');
    expect(setup.problems()).toEqual([]);
    await quiet();

    await reconciled(declared);
    expect(await dig('www.corp.internal', 'CNAME')).toBe('NOERROR lb.example');
    await quiet();
    expect(setup.problems()).toEqual([
      {
        name: 'www.corp.internal',
        resource: 'ingress/a/web',
        verdict: 'DeclaredElsewhere',
        message: expect.stringMatching(/^the InternalDNS declares CNAME at this name: /),
      },
    ]);
  }
});

test('a delegation removes discovered names below it, and they return afterwards', async () => {
  const desired = ['dev', 'x.dev', 'www'].map((name) => endpoint('o', `${name}.corp.internal`, 'A', '192.0.2.1'));
  const delegated = withRecords(record('dev', 'NS', 'ns.dev'), record('ns.dev', 'A', '192.0.2.53'));
  const loops = async () => {
    await loop(setup.agent, desired);
    for (let i = 0; i < 5; i++) {
      await setup.agent.reconcile();
      expect(await loop(setup.agent, desired)).toBeUndefined();
    }
  };
  await reconciled(declare());
  await loops();
  await reconciled(delegated);
  await loops();
  const { answers, authority } = await server.query('x.dev.corp.internal');
  expect([answers, authority]).toMatchObject([[], [{ type: 'NS', data: 'ns.dev.corp.internal' }]]);
  const message = expect.stringMatching(/^dev\.corp\.internal is delegated: its own servers answer for it: /);
  expect(setup.problems()).toMatchObject([
    { name: 'dev.corp.internal', verdict: 'DeclaredElsewhere', message },
    { name: 'x.dev.corp.internal', verdict: 'DeclaredElsewhere', message },
  ]);
  await reconciled(declare());
  await loops();
  expect([await dig('dev.corp.internal'), await dig('x.dev.corp.internal')]).toEqual(
    Array(2).fill('NOERROR 192.0.2.1'),
  );
  expect(setup.problems()).toEqual([]);
});

describe('a zone that is no longer declared', () => {
  const before = declare({
    zones: [corp, zoneWith('b.internal', [record('www', 'A', '192.0.2.1'), record('@', 'MX', '10 www')])],
  });

  test('is deleted with all of its declared records', async () => {
    await reconciled(before);
    expect(await dig('www.b.internal')).toBe('NOERROR 192.0.2.1');
    await reconciled(declare());
    expect(await dig('www.b.internal')).toBe('REFUSED');
    await expectQuiet();
  });

  test('is kept for its unmanaged records only, and deleted with the last of them', async () => {
    await reconciled(before);
    const hand = { name: 'x.b.internal.', type: 'A', ttl: 60 };
    await byHand({ ...hand, changetype: 'REPLACE', records: [{ content: '192.0.2.9' }] }, 'b.internal.');
    await reconciled(declare());
    expect([await dig('x.b.internal'), await dig('www.b.internal'), await dig('b.internal', 'MX')]).toEqual([
      'NOERROR 192.0.2.9',
      'NXDOMAIN',
      'NOERROR',
    ]);
    expect(setup.agent.report()?.zones[1]).toEqual({
      name: 'b.internal',
      state: 'Retained',
      message: "no longer declared, but kept for records that are not this instance's, such as x.b.internal A",
    });
    await expectQuiet();
    await byHand({ ...hand, changetype: 'DELETE' }, 'b.internal.');
    await setup.agent.reconcile();
    expect(await dig('x.b.internal')).toBe('REFUSED');
  });
});

test('addresses have PTR records, also in a delegated part of a /24 (RFC 2317)', async () => {
  const network = '2.0.192.in-addr.arpa';
  const declaration = declare({
    zones: [
      zoneWith('corp.internal', [{ ...record('printer', 'A', '192.0.2.70'), ptr: true }]),
      zoneWith(network, [record('128/26', 'NS', 'ns.tenant.example.')]),
      { name: `64/26.${network}`, nameServers: ['ns1.corp.internal'] },
    ],
    discovery: { ownerID: 'corp', intervalSeconds: 2, reverse: true },
  });
  await reconciled(declaration);
  await loop(setup.agent, [endpoint('o', 'www.corp.internal', 'A', '192.0.2.7')]);
  expect(await dig(`7.${network}`, 'PTR')).toBe('NOERROR www.corp.internal');
  // A resolver that follows the CNAME of RFC 2317 finds it here as well.
  const { answers } = await server.query(`70.${network}`, 'PTR');
  expect(answers.map((a) => `${a.name} ${a.type} ${(a as { data: string }).data}`)).toEqual([
    `70.${network} CNAME 70.64/26.${network}`,
    `70.64/26.${network} PTR printer.corp.internal`,
  ]);
  expect(await dig(`130.${network}`, 'CNAME')).toBe(`NOERROR 130.128/26.${network}`);
  expect(setup.agent.report()?.zones.map(({ state }) => state)).toEqual(['Serving', 'Serving', 'Serving']);
  await expectQuiet();
  await loop(setup.agent, []);
  expect(await dig(`7.${network}`, 'PTR')).toBe('NXDOMAIN');
});

/** A zone file of `count` records, one of which can differ. */
const manyLines = (count: number, changed?: number) =>
  Array.from({ length: count }, (_, i) => `h${i} A 10.${i === changed ? 255 : i >> 16}.${(i >> 8) & 255}.${i & 255}`);
const fromFile = declare({ zones: [zoneWith('corp.internal', [], { recordsFrom: [fileRef] })] });
const countOf = async () => (await stored()).rrsets.filter(({ name }) => /^h\d/.test(name)).length;

test('ten thousand records of a zone file are served after one reconciliation, a changed line after the next', async () => {
  const timed = async (work: () => Promise<void>) => {
    const since = performance.now();
    await work();
    return performance.now() - since;
  };
  const first = await timed(() => reconciled(fromFile, fileOf(...manyLines(10_000))));
  expect(writes()).toEqual([
    'POST /api/v1/servers/localhost/zones',
    'PUT /api/v1/servers/localhost/zones/corp.internal./metadata/X-INTERNAL-DNS-DELETE-GUARD',
    'PATCH /api/v1/servers/localhost/zones/corp.internal.',
  ]);
  expect([await dig('h9999.corp.internal'), await countOf()]).toEqual(['NOERROR 10.0.39.15', 10_000]);
  await expectQuiet();
  const again = requests.length;
  await setup.agent.reconcile();
  expect(requests.slice(again)).toEqual(['GET /api/v1/servers/localhost/zones']);

  const before = writes().length;
  const change = await timed(async () => {
    setup.agent.setZoneFiles(fileOf(...manyLines(10_000, 5_000)));
    await setup.agent.reconcile();
  });
  expect(await dig('h5000.corp.internal')).toBe('NOERROR 10.255.19.136');
  expect(writes().slice(before)).toHaveLength(1);
  console.log(`10,000 records: first sync ${first.toFixed(0)} ms, one change ${change.toFixed(0)} ms`);

  // An invalid line changes nothing, and is in the report.
  setup.agent.setZoneFiles(fileOf(...manyLines(10_000), 'bad A 192.0.2.256'));
  await setup.agent.reconcile();
  expect(writes().slice(before)).toHaveLength(1);
  expect(setup.agent.report()?.zones).toEqual([
    {
      name: 'corp.internal',
      state: 'Failed',
      message: `${fileMark.content}, line 10001: not an IPv4 address: 192.0.2.256`,
    },
  ]);
});

test('a transaction of a killed PowerDNS is applied completely or not at all, and completed afterwards', async () => {
  await reconciled(fromFile, fileOf(''));
  const counts: number[] = [];
  for (const share of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    // The duration without a kill.
    setup.agent.setZoneFiles(fileOf(...manyLines(8_000)));
    const since = performance.now();
    await setup.agent.reconcile();
    const duration = performance.now() - since;
    setup.agent.setZoneFiles(fileOf(''));
    await setup.agent.reconcile();

    setup.agent.setZoneFiles(fileOf(...manyLines(8_000)));
    const killed = setTimeout(() => server.kill('SIGKILL'), duration * share);
    const failure = await setup.agent.reconcile().then(
      () => 'none',
      () => 'failed',
    );
    clearTimeout(killed);
    server.kill('SIGKILL');
    await server.restart();
    counts.push(await countOf());
    expect([0, 8_000]).toContain(counts.at(-1));
    if (failure === 'none') expect(counts.at(-1)).toBe(8_000);
    await setup.agent.reconcile();
    expect(await countOf()).toBe(8_000);
    await expectQuiet();
    setup.agent.setZoneFiles(fileOf(''));
    await setup.agent.reconcile();
  }
  // Otherwise no transaction was interrupted.
  expect(counts).toContain(0);
});

describe('a killed process', () => {
  const running = new Set<Running>();
  const proxies = new Set<FaultyProxy>();
  const folder = join(dir, 'files');
  const file = join(dir, 'declaration.json');
  const declaration = { ...fromFile, discovery: undefined };
  writeFileSync(file, JSON.stringify(declaration));
  mkdirSync(join(folder, fileRef.configMap), { recursive: true });
  writeFileSync(join(folder, fileRef.configMap, fileRef.key), manyLines(10_000).join('\n'));

  afterEach(async () => {
    for (const agent of running) await agent.kill();
    for (const proxy of proxies) proxy.close();
  });

  async function start(url: string) {
    const agent = await run({
      declaration: file,
      'zone-files': folder,
      'powerdns-api': url,
      'powerdns-key': keyFile,
      dns: `127.0.0.1:${server.dnsPort}`,
    });
    running.add(agent);
    return agent;
  }

  test.each(['POST', 'PATCH'])('in the middle of a %s is completed by the next one', async (method) => {
    if (method === 'PATCH') await reconciled(declaration, fileOf('gone A 192.0.2.1'));
    // The self-test writes to its own zone, which does not count.
    await writeCanary(new PowerDNS({ api: server.apiUrl, keyFile, timeoutMs: waitTimeoutMs }), 0);
    const proxy = new FaultyProxy(server.apiUrl);
    proxies.add(proxy);
    const sent = new Promise<void>((resolve) => {
      proxy.onPass = (line) => line.startsWith(method) && !line.includes(canaryZone) && resolve();
    });
    const first = await start(await proxy.listen());
    await sent;
    await first.kill();
    expect(first.reports().flatMap((report) => report.zones)).toEqual([]);
    const second = await start(proxy.url);
    const serving = [{ name: 'corp.internal', state: 'Serving' }];
    await vi.waitFor(() => expect(second.reports().at(-1)?.zones).toEqual(serving), polling);
    const { rrsets } = await stored();
    expect(await countOf()).toBe(10_000);
    expect(rrsets.filter(({ name, records }) => /^h\d/.test(name) && records.length !== 1)).toEqual([]);
    expect(await dig('gone.corp.internal')).toBe('NXDOMAIN');
    const zones = (await api('GET', '/zones')) as { name: string }[];
    expect(zones.map(({ name }) => name).sort()).toEqual([canaryZone, 'corp.internal.']);
  });
});
