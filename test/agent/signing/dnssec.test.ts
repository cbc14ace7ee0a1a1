/**
 * Zones that are signed by a real PowerDNS, validated by a real resolver.
 *
 * @module-tag PowerDNS
 * @module-tag delv
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, decode, encode } from 'dns-packet';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import { request } from '../../../functions/agent/powerdns/http-request.ts';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import type { RRset } from '../../../functions/agent/powerdns/rrset.ts';
import { dsOf, SigningKey } from '../../../functions/agent/signing/key.ts';
import { type Signature, Signer, type Signing } from '../../../functions/agent/signing/signer.ts';
import type { DeclaredZone } from '../../../functions/contract/declaration.ts';
import { powerdnsFiles } from '../../../functions/internal-dns/server/powerdns.ts';
import { delv } from '../../powerdns/delv.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { waitTimeoutMs } from '../../timeouts.ts';
import { declare, makeAgent } from '../make.ts';
import { MemoryKeys } from './memory-keys.ts';

const config = `${powerdnsFiles['pdns.conf']}enable-lua-records=yes\n`;
const zone = { id: 'corp.internal.', name: 'corp.internal.' };
const secret = 'Secret idns-corp-dnssec';
const signed: Signing = { mode: 'Signed', algorithm: 'ECDSA256', nsec3: false, ds: [] };
const algorithms = ['ECDSA256', 'ECDSA384', 'ED25519'] as const;
const denials = [{ nsec3: false }, { nsec3: true }];

/** A replica: PowerDNS, its own database, and its own agent. */
interface Replica {
  server: RunningPowerDNS;
  dir: string;
  powerdns: PowerDNS;
  signer: Signer;
  /** Requests to PowerDNS. */
  requests: string[];
}

const clock = { now: 0 };
/** All log lines, errors and reports of all tests. */
const logged: string[] = [];
/** All private keys of all tests. */
const offered: string[] = [];
let log: Record<string, unknown>[] = [];
let keys: MemoryKeys;
let replicas: Replica[] = [];
let one: Replica;

beforeAll(async () => {
  const started = [0, 1].map(async () => {
    const dir = mkdtempSync(join(tmpdir(), 'dnssec-'));
    return { server: await startPowerDNS({ config, dir }), dir } as Replica;
  });
  replicas = await Promise.all(started);
});

afterAll(async () => {
  for (const { server, dir } of replicas) {
    await server.stop();
    rmSync(dir, { recursive: true });
  }
});

beforeEach(async () => {
  keys = new MemoryKeys();
  log = [];
  for (const replica of replicas) restartAgent(replica);
  one = replicas[0] as Replica;
  for (const { powerdns } of replicas) await powerdns.create(zone.name, records);
});

afterEach(async () => {
  offered.push(...keys.offered, ...keys.keys.values());
  logged.push(...log.map((line) => JSON.stringify(line)));
  for (const { powerdns } of replicas) for (const zone of await powerdns.zones()) await powerdns.remove(zone as never);
});

const logger = pino({ base: null }, { write: (line) => void log.push(JSON.parse(line)) });

/** A new agent, interrupted after `endsAfter` requests. */
function restartAgent(replica: Replica, endsAfter = Number.POSITIVE_INFINITY): void {
  const requests: string[] = [];
  replica.requests = requests;
  replica.powerdns = new PowerDNS({
    api: replica.server.apiUrl,
    keyFile: join(replica.dir, 'include/api.conf'),
    timeoutMs: waitTimeoutMs,
    request: (url, options) => {
      if (requests.length >= endsAfter) throw new Error('the agent has ended');
      requests.push(`${options.method} ${url.replace(/.*\/localhost/, '')}`);
      return request(url, options);
    },
  });
  const { powerdns } = replica;
  replica.signer = new Signer({ powerdns, keys, secret, log: logger, now: () => clock.now });
}

const rrset = (name: string, type: string, ...records: string[]): RRset => ({ name, type, ttl: 60, records });
const records = [
  rrset('corp.internal.', 'SOA', 'ns1.corp.internal. hostmaster.corp.internal. 0 3600 600 604800 30'),
  rrset('corp.internal.', 'NS', 'ns1.corp.internal.'),
  rrset('ns1.corp.internal.', 'A', '192.0.2.53'),
  rrset('www.corp.internal.', 'A', '192.0.2.1'),
  rrset('alias.corp.internal.', 'CNAME', 'www.corp.internal.'),
  rrset('*.w.corp.internal.', 'A', '192.0.2.2'),
  rrset('a.b.c.corp.internal.', 'AAAA', '2001:db8::1'),
  rrset('lua.corp.internal.', 'LUA', `A "pickrandom({'192.0.2.7'})"`),
];

/** Reconciles a replica, and records its signature or error. */
async function reconcile(replica = one, changes: Partial<Signing> = {}): Promise<Signature | undefined> {
  try {
    const signature = await replica.signer.reconcile(zone, { ...signed, ...changes });
    logged.push(JSON.stringify(signature ?? null));
    return signature;
  } catch (error) {
    logged.push(`${(error as Error).stack}`);
    throw error;
  }
}

/** Reconciles a zone that must be signed. Returns its signature. */
async function sign(replica = one, changes: Partial<Signing> = {}): Promise<Signature> {
  const signature = await reconcile(replica, changes);
  if (!signature) throw new Error('the zone is not signed');
  return signature;
}

const validate = ({ ds }: Pick<Signature, 'ds'>, name: string, type = 'A', { server } = one) =>
  delv({ port: server.dnsPort, zone: 'corp.internal', ds, name, type });

/** Expects that delv validates every kind of answer. */
async function expectValid(signature: Signature, replica = one): Promise<void> {
  const positive = '; fully validated';
  const negative = '; negative response, fully validated';
  const questions = [
    ['www', 'A', positive],
    ['any.thing.w', 'A', positive],
    ['lua', 'A', positive],
    ['alias', 'A', positive],
    ['www', 'AAAA', negative],
    ['any.thing.w', 'AAAA', negative],
    ['b.c', 'A', negative],
    ['missing', 'A', negative],
    ['www.missing.c', 'A', negative],
  ] as const;
  const answers = questions.map(async ([name, type, verdict]) => {
    const [verdictLine] = (await validate(signature, `${name}.corp.internal`, type, replica)).split('\n');
    expect(`${name} ${type} ${verdictLine}`).toBe(`${name} ${type} ${verdict}`);
  });
  await Promise.all(answers);
  for (const type of ['SOA', 'NS', 'DNSKEY']) {
    expect(await validate(signature, 'corp.internal', type, replica)).toMatch(/^; fully validated\n/);
  }
}

/** Calls the API of PowerDNS. */
async function api(method: string, path: string, body?: object, { server } = one): Promise<unknown> {
  const response = await fetch(`${server.apiUrl}/api/v1/servers/localhost${path}`, {
    method,
    headers: { 'X-API-Key': server.apiKey },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

const serial = async () => ((await api('GET', '/zones/corp.internal.')) as { serial: number }).serial;
const cryptokeys = (replica = one) =>
  api('GET', '/zones/corp.internal./cryptokeys', undefined, replica) as Promise<
    { id: number; dnskey: string; ds: string[]; active: boolean; published: boolean }[]
  >;

/** Queries like a validating resolver. Returns the types in the answer and authority sections. */
async function typesOf(name: string, { server } = one): Promise<string[]> {
  const socket = createSocket('udp4');
  try {
    socket.connect(server.dnsPort, '127.0.0.1');
    await once(socket, 'connect');
    socket.send(dnssecQuestion(name));
    const [message] = await once(socket, 'message', { signal: AbortSignal.timeout(waitTimeoutMs) });
    const { answers = [], authorities = [] } = decode(message);
    return [...answers, ...authorities].map(({ type }: Answer) => type);
  } finally {
    socket.close();
  }
}

function dnssecQuestion(name: string): Buffer {
  // The bit DO: https://www.rfc-editor.org/rfc/rfc3225#section-3
  const edns = { type: 'OPT', name: '.', udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 1 << 15 };
  const additionals = [{ ...edns, flag_do: true, options: [] }] as never;
  return encode({ type: 'query', id: 1, questions: [{ name, type: 'A' }], additionals });
}

describe('a signed zone', () => {
  test.each(algorithms.flatMap((algorithm) => denials.map((denial) => ({ algorithm, ...denial }))))(
    'validates with its DS, and with no other: $algorithm, NSEC3 $nsec3',
    async (how) => {
      const before = await validate({ ds: ['1 13 2 00'.padEnd(71, '0')] }, 'www.corp.internal');
      expect(before).not.toContain('fully validated');
      const signature = await sign(one, how);
      await expectValid(signature);
      const [key] = await cryptokeys();
      expect(signature).toEqual({ ds: [key?.ds[0]], dnskey: [key?.dnskey] });
      expect(signature.ds[0]).toMatch(/^\d+ (13|14|15) 2 [0-9a-f]{64}$/);
      expect(signature.dnskey[0]).toMatch(/^257 3 /);
      const wrong = { ds: [dsOf('corp.internal', SigningKey.generate(how.algorithm).dnskey)] };
      expect(await validate(wrong, 'www.corp.internal')).toMatch(/resolution failed/);
      const types = await typesOf('nobody.corp.internal');
      expect([types.includes('NSEC'), types.includes('NSEC3')]).toEqual([!how.nsec3, how.nsec3]);
    },
  );

  test.each(denials)('has valid answers for names that are created and deleted: NSEC3 $nsec3', async ({ nsec3 }) => {
    const signature = await sign(one, { nsec3 });
    const verdict = async () => (await validate(signature, 'x.y.corp.internal')).split('\n')[0];
    expect(await verdict()).toBe('; negative response, fully validated');
    await one.powerdns.patch(zone, [{ action: 'replace', rrset: rrset('x.y.corp.internal.', 'A', '192.0.2.9') }]);
    expect(await verdict()).toBe('; fully validated');
    await expectValid(signature);
    await one.powerdns.patch(zone, [{ action: 'delete', rrset: { name: 'x.y.corp.internal.', type: 'A' } }]);
    expect(await verdict()).toBe('; negative response, fully validated');
    await expectValid(signature);
  });

  test('has no salt and no extra iterations with NSEC3', async () => {
    await sign(one, { nsec3: true });
    expect(await one.powerdns.nsec3param(zone)).toBe('1 0 0 -');
  });

  test('answers at once for a name that was queried before', async () => {
    for (const name of ['www.corp.internal', 'missing.corp.internal'])
      expect(await typesOf(name)).not.toContain('RRSIG');
    await sign();
    for (const name of ['www.corp.internal', 'missing.corp.internal']) expect(await typesOf(name)).toContain('RRSIG');
  });

  test('changes between NSEC and NSEC3 at once, even while it is queried all the time', async () => {
    // With many names, so that queries arrive while PowerDNS hashes them.
    const many = Array.from({ length: 3000 }, (_, i) => rrset(`h${i}.corp.internal.`, 'A', '192.0.2.1'));
    await one.powerdns.patch(
      zone,
      many.map((rrset) => ({ action: 'replace', rrset })),
    );
    const signature = await sign();
    const socket = createSocket('udp4');
    socket.connect(one.server.dnsPort, '127.0.0.1');
    await once(socket, 'connect');
    let asked = 0;
    const ask = () => socket.send(dnssecQuestion(`x${asked++}.corp.internal`));
    // At the pace of the server: under overload it would drop other queries, too.
    socket.on('message', ask);
    try {
      for (const nsec3 of [true, false, true, false]) {
        for (let i = 0; i < 40; i++) ask();
        expect(await sign(one, { nsec3 })).toEqual(signature);
        const types = await typesOf(`fresh${asked}.corp.internal`);
        expect([types.includes('NSEC'), types.includes('NSEC3')]).toEqual([!nsec3, nsec3]);
      }
    } finally {
      socket.close();
    }
    await expectValid(signature);
  });

  test('is repaired after its key was deactivated by hand', async () => {
    const signature = await sign();
    for (const state of [
      { active: false, published: true },
      { active: true, published: false },
    ]) {
      const [key] = await cryptokeys();
      await api('PUT', `/zones/corp.internal./cryptokeys/${key?.id}`, state);
      expect(await sign()).toEqual(signature);
      await expectValid(signature);
    }
  });

  test('loses a key that it has twice', async () => {
    const signature = await sign();
    const [text] = keys.keys.values();
    await one.powerdns.addKey(zone, text ?? '');
    expect(await cryptokeys()).toHaveLength(2);
    expect(await sign()).toEqual(signature);
    expect(await cryptokeys()).toMatchObject([{ active: true, published: true }]);
    await expectValid(signature);
  });
});

describe('another reconciliation', () => {
  const list = 'GET /zones/corp.internal./cryptokeys';

  test('sends one request, and changes nothing', async () => {
    const before = await serial();
    const signature = await sign();
    const after = await serial();
    console.log(`signing: ${one.requests.join(', ')}; the serial grows by ${after - before}`);
    expect(after).toBeGreaterThan(before);
    one.requests.length = keys.requests.length = 0;
    for (let i = 0; i < 3; i++) expect(await sign()).toEqual(signature);
    expect(one.requests).toEqual([list, list, list]);
    expect(keys.requests).toEqual([]);
    expect(await serial()).toBe(after);
  });

  test('checks everything once a minute, and still changes nothing', async () => {
    const signature = await sign();
    const after = await serial();
    one.requests.length = keys.requests.length = 0;
    for (let i = 0; i < 30; i++) {
      clock.now += 4000;
      expect(await sign()).toEqual(signature);
    }
    expect(keys.requests).toEqual(['read corp.internal', 'read corp.internal']);
    expect(one.requests.filter((request) => request !== list)).toEqual(
      Array(2).fill('GET /zones/corp.internal.?rrsets=false'),
    );
    expect(await serial()).toBe(after);
  });

  test('by another agent changes nothing, and flushes the caches of PowerDNS', async () => {
    const signature = await sign();
    const after = await serial();
    restartAgent(one);
    expect(await sign(one, { ds: signature.ds })).toEqual(signature);
    expect(one.requests.filter((request) => !request.startsWith('GET'))).toEqual([
      'PUT /cache/flush?domain=corp.internal.',
    ]);
    expect(await serial()).toBe(after);
  });

  test('restores a key that was deleted from the store', async () => {
    const signature = await sign();
    const before = SigningKey.parse(keys.keys.get('corp.internal') ?? '');
    keys.keys.clear();
    clock.now += 60_000;
    expect(await sign(one, { ds: signature.ds })).toEqual(signature);
    expect(SigningKey.parse(keys.keys.get('corp.internal') ?? '').text()).toBe(before.text());
  });

  test('of an unsigned zone sends nothing', async () => {
    const off = { ...signed, mode: 'Off' } as const;
    expect(await one.signer.reconcile({ ...zone, dnssec: false }, off)).toBeUndefined();
    expect([one.requests, keys.requests].flat()).toEqual([`POST /zones`]);
  });
});

describe('the key', () => {
  test('survives a restart of PowerDNS', async () => {
    const signature = await sign();
    one.server.kill('SIGKILL');
    await one.server.restart();
    await expectValid(signature);
    expect(await sign(one, { ds: signature.ds })).toEqual(signature);
  });

  test('is the same after the database is lost', async () => {
    const signature = await sign();
    await loseDatabase();
    expect(await cryptokeys()).toEqual([]);
    expect(await sign(one, { ds: signature.ds })).toEqual(signature);
    await expectValid(signature);
  });

  test('is not created again after the store was lost, too, and PowerDNS is left unchanged', async () => {
    const { ds } = await sign();
    await loseDatabase();
    keys.keys.clear();
    restartAgent(one);
    await expect(reconcile(one, { ds })).rejects.toThrow(
      `the key of corp.internal is gone, and it was published with DS ${ds[0]}: restore the Secret idns-corp-dnssec`,
    );
    expect(one.requests.filter((request) => !request.startsWith('GET'))).toEqual([]);
    expect([keys.keys.size, await cryptokeys()]).toEqual([0, []]);
  });

  test('that was installed by hand is kept, and what is missing is added', async () => {
    const key = SigningKey.generate('ED25519');
    await api('POST', '/zones/corp.internal./cryptokeys', { keytype: 'csk', active: true, privatekey: key.text() });
    offered.push(key.text());
    const signature = await sign(one, { algorithm: 'ED25519' });
    expect(signature.dnskey).toEqual([key.dnskey]);
    expect(keys.keys.get('corp.internal')).toBe(key.text());
    await expectValid(signature);
  });

  test('that PowerDNS created is kept, and another replica signs with it', async () => {
    await api('PUT', '/zones/corp.internal.', { dnssec: true });
    const [key] = await cryptokeys();
    const signature = await sign();
    expect(signature).toEqual({ ds: [key?.ds[0]], dnskey: [key?.dnskey] });
    expect(await sign(replicas[1])).toEqual(signature);
    await expectValid(signature, replicas[1]);
  });

  test('differs between the store and PowerDNS: neither is changed', async () => {
    const signature = await sign();
    const other = SigningKey.generate('ECDSA256').text();
    keys.keys.set('corp.internal', other);
    clock.now += 60_000;
    one.requests.length = 0;
    await expect(reconcile()).rejects.toThrow(
      'Secret idns-corp-dnssec has another key for corp.internal than PowerDNS',
    );
    expect(one.requests).toEqual(['GET /zones/corp.internal./cryptokeys']);
    expect([...keys.keys.values()]).toEqual([other]);
    await expectValid(signature);
  });

  test.each([
    ['one for the DNSKEYs only', [{ keytype: 'ksk' }, { keytype: 'zsk' }], 'PowerDNS has several keys'],
    ['not an entry point', [{ keytype: 'zsk' }], "PowerDNS's key of corp.internal is 256 3 13"],
    ['RSA', [{ keytype: 'csk', algorithm: 'RSASHA256', bits: 2048 }], 'is of algorithm 8, and a rollover to ECDSA256'],
  ])('is %s: it is left alone', async (_, present, message) => {
    for (const key of present)
      await api('POST', '/zones/corp.internal./cryptokeys', { algorithm: 'ECDSAP256SHA256', active: true, ...key });
    const before = await cryptokeys();
    await expect(reconcile()).rejects.toThrow(message);
    expect(await cryptokeys()).toEqual(before);
    expect(keys.keys.size).toBe(0);
  });

  test('has another algorithm than declared: the zone is unchanged, also when the database was lost', async () => {
    const signature = await sign();
    const changes = { algorithm: 'ED25519', ds: signature.ds } as const;
    const message = 'the key of corp.internal is of ECDSA256, and a rollover to ED25519 is not supported';
    await expect(reconcile(one, changes)).rejects.toThrow(message);
    await expectValid(signature);
    await loseDatabase();
    await expect(reconcile(one, changes)).rejects.toThrow(message);
    await expectValid(signature);
  });

  test('is damaged in the store: the message quotes none of it', async () => {
    await sign();
    const whole = keys.keys.get('corp.internal') ?? '';
    keys.keys.set('corp.internal', whole.replace(/=\n/, '!=\n'));
    clock.now += 60_000;
    await expect(reconcile()).rejects.toThrow(
      'cannot use the key of corp.internal in the Secret idns-corp-dnssec, restore it from a backup: not a private key',
    );
  });
});

describe('the store', () => {
  test('has the key before PowerDNS does', async () => {
    keys.failure = 'forbidden';
    await expect(reconcile()).rejects.toThrow(
      'cannot read the key of corp.internal in the Secret idns-corp-dnssec: forbidden',
    );
    keys.failure = undefined;
    keys.getOrCreate = async () => {
      throw new Error('it does not exist yet');
    };
    await expect(reconcile()).rejects.toThrow(
      'cannot store the key of corp.internal in the Secret idns-corp-dnssec: it does not exist yet',
    );
    expect(await cryptokeys()).toEqual([]);
  });

  test('may be unreachable while PowerDNS signs, which is logged once', async () => {
    const signature = await sign();
    keys.failure = 'the server is shutting down';
    clock.now += 60_000;
    for (let i = 0; i < 3; i++) expect(await sign()).toEqual(signature);
    keys.failure = undefined;
    for (let i = 0; i < 3; i++) expect(await sign()).toEqual(signature);
    expect(log.map(({ msg }) => msg)).toEqual([
      'make key',
      'install key',
      'cannot compare keys',
      'can compare keys again',
    ]);
    expect(keys.requests.filter((request) => request.startsWith('read'))).toHaveLength(5);
  });
});

describe('an agent that is interrupted', () => {
  // Keys, then: add, set NSEC3PARAM, publish, flush.
  test.each([1, 2, 3, 4].flatMap((endsAfter) => denials.map((denial) => ({ endsAfter, ...denial }))))(
    'after $endsAfter requests is continued by the next one: NSEC3 $nsec3',
    async ({ endsAfter, nsec3 }) => {
      restartAgent(one, endsAfter);
      await expect(reconcile(one, { nsec3 })).rejects.toThrow('the agent has ended');
      restartAgent(one);
      await expectValid(await sign(one, { nsec3 }));
      expect(await cryptokeys()).toMatchObject([{ active: true, published: true }]);
      expect(keys.offered).toHaveLength(1);
    },
  );
});

describe('replicas', () => {
  test('that start at the same time sign with the same key', async () => {
    keys.together = 2;
    const [first, second] = await Promise.all(replicas.map((replica) => sign(replica)));
    keys.together = 0;
    expect(keys.offered).toHaveLength(2);
    expect(second).toEqual(first);
    for (const replica of replicas) {
      await expectValid(first as Signature, replica);
      expect(await sign(replica, { ds: first?.ds })).toEqual(first);
    }
  });

  test('that had different databases disagree, and keep their keys', async () => {
    for (const replica of replicas) await api('PUT', '/zones/corp.internal.', { dnssec: true }, replica);
    const before = await Promise.all(replicas.map(cryptokeys));
    keys.together = 2;
    const results = await Promise.allSettled(replicas.map((replica) => sign(replica)));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { message: expect.stringContaining('has another key for corp.internal than PowerDNS') },
    });
    expect(await Promise.all(replicas.map(cryptokeys))).toMatchObject(before.map(([key]) => [{ dnskey: key?.dnskey }]));
  });
});

describe('when signing is switched off', () => {
  test.each(denials)(
    'Unsigning keeps the signatures, and Off removes them and the key: NSEC3 $nsec3',
    async ({ nsec3 }) => {
      keys.keys.set('other.internal', 'somebody else’s');
      const signature = await sign(one, { nsec3 });
      const before = await serial();
      for (let i = 0; i < 2; i++) {
        expect(await sign(one, { nsec3, mode: 'Unsigning', algorithm: 'ED25519', ds: signature.ds })).toEqual(
          signature,
        );
      }
      expect(await serial()).toBe(before);
      await expectValid(signature);
      expect(await typesOf('www.corp.internal')).toContain('RRSIG');
      for (let i = 0; i < 2; i++) expect(await reconcile(one, { mode: 'Off', ds: signature.ds })).toBeUndefined();
      expect(await cryptokeys()).toEqual([]);
      expect([...keys.keys.keys()]).toEqual(['other.internal']);
      expect(keys.requests.filter((request) => request.startsWith('forget'))).toHaveLength(1);
      expect((await one.powerdns.zones())[0]).toMatchObject({ dnssec: false });
      for (const name of ['www.corp.internal', 'missing.corp.internal']) {
        expect((await typesOf(name)).filter((type) => !['A', 'SOA'].includes(type))).toEqual([]);
      }
      expect(await validate(signature, 'www.corp.internal')).toMatch(/resolution failed/);
    },
  );

  test('a parent of the same instance loses the DS while the zone still has its signatures', async () => {
    const { agent, declare: take } = makeAgent(new Database(one.powerdns) as never, { signer: one.signer });
    const inMode = <M extends 'Signed' | 'Unsigning'>(mode: M) => ({ dnssec: { ...signed, mode } });
    const child = 'dev.home.internal';
    const bringTo = async (signing: Partial<DeclaredZone>) => {
      const zones = [
        { name: 'home.internal', nameServers: [], ...inMode('Signed') },
        { name: child, nameServers: [], ...signing },
      ];
      take(declare({ zones }));
      await agent.reconcile();
      const { answers } = await one.server.query(child, 'DS');
      return { published: answers.length, signature: agent.report()?.zones.find(({ name }) => name === child)?.dnssec };
    };
    const { published, signature } = await bringTo(inMode('Signed'));
    expect({ published, signature }).toEqual({ published: 1, signature: expect.anything() });
    expect(await bringTo(inMode('Unsigning'))).toEqual({ published: 0, signature });
    expect(await typesOf('ns1.dev.home.internal')).toContain('RRSIG');
    expect(await bringTo({})).toEqual({ published: 0, signature: undefined });
  });

  test('a zone that is signed again with another algorithm has another key', async () => {
    const { ds } = await sign();
    await sign(one, { mode: 'Unsigning', ds });
    await reconcile(one, { mode: 'Off', ds });
    const signature = await sign(one, { algorithm: 'ED25519', nsec3: true });
    expect(signature.ds).not.toEqual(ds);
    await expectValid(signature);
  });

  test('a lost database is signed again from the store, and an agent that just started keeps signing', async () => {
    const signature = await sign();
    await loseDatabase();
    restartAgent(one);
    expect(await sign(one, { mode: 'Unsigning', ds: signature.ds })).toEqual(signature);
    await expectValid(signature);
    keys.keys.clear();
    restartAgent(one);
    expect(await sign(one, { mode: 'Unsigning', ds: signature.ds })).toEqual(signature);
  });

  test('a zone whose key was deleted is unsigned, which is not a failure', async () => {
    const { ds } = await sign();
    await loseDatabase();
    keys.keys.clear();
    expect(await reconcile(one, { mode: 'Unsigning', ds })).toBeUndefined();
    expect(await reconcile(one, { mode: 'Off', ds })).toBeUndefined();
    const signature = await sign();
    expect(signature.ds).not.toEqual(ds);
    await expectValid(signature);
  });

  test('an agent that was interrupted is continued by the next one', async () => {
    const { ds } = await sign();
    for (const endsAfter of [1, 2]) {
      restartAgent(one, endsAfter);
      await reconcile(one, { mode: 'Off', ds }).catch(() => undefined);
    }
    restartAgent(one);
    expect(await reconcile(one, { mode: 'Off', ds })).toBeUndefined();
    expect([await cryptokeys(), keys.keys.size]).toEqual([[], 0]);
    expect(await typesOf('missing.corp.internal')).toEqual(['SOA']);
  });
});

test('no private key is ever logged, reported or thrown', () => {
  const secrets = [...new Set(offered.map((text) => /PrivateKey: (.*)/.exec(text)?.[1] ?? ''))].filter(Boolean);
  const logs = replicas.map(({ dir }) => readFileSync(join(dir, 'pdns.log'), 'utf8'));
  expect(secrets.length).toBeGreaterThan(20);
  expect(logged.length).toBeGreaterThan(100);
  const everything = [...logged, ...logs].join('\n');
  for (const secret of secrets) {
    const raw = Buffer.from(secret, 'base64');
    for (const form of [
      secret.slice(0, 24),
      raw.toString('base64url').slice(0, 24),
      raw.toString('hex').slice(0, 32),
    ]) {
      expect(everything).not.toContain(form);
    }
  }
  expect(everything).not.toMatch(/private-?key-format/i);
});

async function loseDatabase(): Promise<void> {
  await one.server.stop();
  one.server.wipe();
  await one.server.restart();
  await one.powerdns.create(zone.name, records);
}
