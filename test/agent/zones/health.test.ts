/**
 * Health-checked answers: a real PowerDNS checks real listeners on this machine.
 *
 * @module-tag PowerDNS
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createListener, type Server as Listener } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { decode, encode } from 'dns-packet';
import { afterAll, beforeAll, describe, type ExpectStatic, test } from 'vitest';
import { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';
import { luaContent } from '../../../functions/agent/zones/lua.ts';
import type { Answer } from '../../../functions/dns/answer.ts';
import { powerdnsFilesFor } from '../../../functions/internal-dns/server/powerdns.ts';
import { makeLeaf } from '../../cdk8s-function-xp/certificates.ts';
import { type RunningPowerDNS, startPowerDNS } from '../../powerdns/server.ts';
import { polling, waitTimeoutMs } from '../../timeouts.ts';

const dir = mkdtempSync(join(tmpdir(), 'health-'));
const listeners = new Set<Listener>();
const zone = 'corp.internal.';
let server: RunningPowerDNS;
let powerdns: PowerDNS;

beforeAll(async () => {
  server = await startPowerDNS({ config: powerdnsFilesFor({ dynamic: true, dname: false })['pdns.conf'], dir });
  powerdns = new PowerDNS({ api: server.apiUrl, keyFile: join(dir, 'include/api.conf'), timeoutMs: waitTimeoutMs });
  await powerdns.create(zone, []);
});
afterAll(async () => {
  for (const listener of listeners) await close(listener);
  await server?.stop();
  rmSync(dir, { recursive: true });
});

async function listen<L extends Listener>(listener: L, address: string, port = 0): Promise<L & { port: number }> {
  listener.listen(port, address);
  await once(listener, 'listening');
  listeners.add(listener);
  return Object.assign(listener, { port: (listener.address() as AddressInfo).port });
}

async function close(listener: Listener) {
  listeners.delete(listener);
  (listener as Server).closeAllConnections?.();
  await once(listener.close(), 'close');
}

/** Listens at each of the addresses, on a port that is free at all of them. */
async function listenAt(...addresses: string[]) {
  const open = (address: string, port?: number) =>
    listen(
      createListener((socket) => void socket.on('error', () => {}).end()),
      address,
      port,
    );
  const [first = '', ...others] = addresses;
  const listener = await open(first);
  const all = [listener];
  for (const address of others) all.push(await open(address, listener.port));
  return { port: listener.port, listeners: all, open };
}

const serve = (answer: RequestListener, address: string, port?: number) => listen(createServer(answer), address, port);
const page = (body: string, status = 200): RequestListener => {
  return (_, response) => void response.writeHead(status).end(body);
};

/** Checks once a second; the tests of this file run concurrently, each with its own names. */
const everySecond = { interval: '1s', timeout: '1s' };

async function publish(name: string, type: 'A' | 'AAAA', values: string[], answer: Answer) {
  const rrset = { name: `${name}.${zone}`, type: 'LUA', ttl: 5, records: [luaContent(type, values, answer)] };
  await powerdns.patch({ id: zone }, [{ action: 'replace', rrset }]);
}

/** `NOERROR 127.0.0.1 127.0.0.2`, or only the code. */
async function ask(name: string, type: 'A' | 'AAAA' = 'A'): Promise<string> {
  const { rcode, answers } = await server.query(`${name}.corp.internal`, type);
  return [rcode, ...answers.map((answer) => (answer as { data: string }).data).sort()].join(' ');
}

const answered = (...addresses: string[]) => ['NOERROR', ...addresses.sort()].join(' ');

const become = (expect: ExpectStatic, name: string, expected: string, type?: 'A' | 'AAAA') =>
  expect.poll(() => ask(name, type), { ...polling, interval: 100 }).toBe(expected);

/** The answer to a client at another address of this machine. */
async function askFrom(client: string, name: string): Promise<string[]> {
  const socket = createSocket('udp4');
  try {
    socket.bind(0, client);
    await once(socket, 'listening');
    socket.send(
      encode({ type: 'query', questions: [{ name: `${name}.corp.internal`, type: 'A' }] }),
      server.dnsPort,
      '127.0.0.1',
    );
    const [reply] = await once(socket, 'message', { signal: AbortSignal.timeout(waitTimeoutMs) });
    return (decode(reply).answers ?? []).map((answer) => (answer as { data: string }).data).sort();
  } finally {
    socket.close();
  }
}

describe.concurrent('a port', () => {
  test('that closes leaves the answer, and returns when it opens', async ({ expect }) => {
    const addresses = ['127.0.1.1', '127.0.1.2'];
    const { port, listeners, open } = await listenAt(...addresses);
    await publish('port', 'A', addresses, { check: { port } });
    await become(expect, 'port', answered(...addresses));
    await close(listeners[1]!);
    await become(expect, 'port', answered('127.0.1.1'));
    await open('127.0.1.2', port);
    await become(expect, 'port', answered(...addresses));
  });

  test('that closes leaves the answer with the default interval, too', async ({ expect }) => {
    const { port, listeners } = await listenAt('127.0.2.1', '127.0.2.2');
    await publish('slow', 'A', ['127.0.2.1', '127.0.2.2'], { check: { port } });
    await become(expect, 'slow', answered('127.0.2.1', '127.0.2.2'));
    await close(listeners[0]!);
    await become(expect, 'slow', answered('127.0.2.2'));
  });

  test('is checked at IPv6 addresses', { tags: 'IPv6' }, async ({ expect }) => {
    const { port, listeners } = await listenAt('::1');
    const check = { port, ...everySecond };
    await publish('six', 'AAAA', ['::1', '100::1'], { check, whenAllDown: 'None' });
    await become(expect, 'six', answered('::1'), 'AAAA');
    expect(await ask('six', 'A')).toBe('NOERROR');
    await close(listeners[0]!);
    await become(expect, 'six', 'NOERROR', 'AAAA');
  });

  test('is checked at twenty addresses, whose content takes more than 255 characters', async ({ expect }) => {
    const addresses = Array.from({ length: 20 }, (_, i) => `127.0.20.${i + 1}`);
    const { port } = await listenAt(...addresses.slice(1));
    expect(luaContent('A', addresses, { check: { port } }).length).toBeGreaterThan(600);
    await publish('twenty', 'A', addresses, { check: { port, ...everySecond } });
    await become(expect, 'twenty', answered(...addresses.slice(1)));
  });
});

describe.concurrent('when all values are down', () => {
  const values = ['127.0.3.1', '127.0.3.2'];
  const backup = ['127.0.4.1', '127.0.4.2'];
  const cases: [name: string, answer: Answer, down: string[]][] = [
    ['all', {}, values],
    ['all-too', { whenAllDown: 'All' }, values],
    ['backup', { whenAllDown: 'Backup', backup }, backup],
    ['none', { whenAllDown: 'None' }, []],
    ['none-random', { whenAllDown: 'None', answer: 'Random' }, []],
    ['none-weighted', { whenAllDown: 'None', answer: 'Weighted', weights: [1, 1] }, []],
    ['none-closest', { whenAllDown: 'None', answer: 'Closest' }, []],
  ];
  test.for(cases)('%s: until one is up', async ([name, answer, down], { expect }) => {
    const { port, listeners, open } = await listenAt('127.0.3.1');
    await publish(name, 'A', values, { check: { port, ...everySecond }, ...answer });
    await become(expect, name, answered('127.0.3.1'));
    await close(listeners[0]!);
    await become(expect, name, answered(...down));
    await open('127.0.3.1', port);
    await become(expect, name, answered('127.0.3.1'));
  });

  test('only backups that are up are answered, if there are any', async ({ expect }) => {
    const { port } = await listenAt('127.0.4.2');
    await publish('backups', 'A', values, { check: { port, ...everySecond }, whenAllDown: 'Backup', backup });
    await become(expect, 'backups', answered('127.0.4.2'));
  });

  test('backups are selected like values', async ({ expect }) => {
    const { port } = await listenAt('127.0.9.9');
    const weighted: Answer = { answer: 'Weighted', weights: [1, 1000], whenAllDown: 'Backup', backup };
    await publish('backup-weighted', 'A', values, { check: { port, ...everySecond }, ...weighted });
    const seen = new Set<string>();
    await expect
      .poll(async () => [...seen.add(await ask('backup-weighted'))], { ...polling, interval: 20 })
      .toEqual(expect.arrayContaining(backup.map((address) => answered(address))));
  });
});

describe.concurrent('before the first check has finished', () => {
  const values = ['127.0.5.1', '127.0.5.2'];
  const cases: [name: string, answer: Answer, down: string[]][] = [
    ['first-none', { whenAllDown: 'None' }, []],
    ['first-backup', { whenAllDown: 'Backup', backup: ['127.0.5.9'] }, ['127.0.5.9']],
  ];
  test.for(cases)('%s: values are answered as if they were up', async ([name, answer], { expect }) => {
    const { port } = await listenAt('127.0.5.2');
    const seen = await firstAnswers(name, { check: { port, ...everySecond }, ...answer });
    expect(seen).toEqual([answered(...values), answered('127.0.5.2')]);
  });

  test.for(cases)('%s: only for seconds', async ([name, answer, down], { expect }) => {
    const { port, listeners } = await listenAt('127.0.5.3');
    await close(listeners[0]!);
    const seen = await firstAnswers(`dead-${name}`, { check: { port, ...everySecond }, ...answer });
    expect(seen).toEqual([answered(...values), answered(...down)]);
  });

  /** Returns the first two different answers. A stalled machine misses the first one, so another name is tried then. */
  async function firstAnswers(name: string, answer: Answer): Promise<string[]> {
    for (let turn = 1; ; turn++) {
      await publish(`${name}-${turn}`, 'A', values, answer);
      const since = performance.now();
      const first = await ask(`${name}-${turn}`);
      if (performance.now() - since > 500) continue;
      let next = first;
      while (next === first) next = await delay(5).then(() => ask(`${name}-${turn}`));
      return [first, next];
    }
  }
});

describe.concurrent('a page', () => {
  const values = ['127.0.6.1', '127.0.6.2'];
  const bodies: [name: string, contains: string, other: string][] = [
    ['plain', 'all is well', 'all is ill'],
    ['json', '{"status":"ok"}', '{"status":"bad"}'],
    ['quotes', `it's "so"`, `its "so"`],
    ['backslashes', String.raw`C:\temp\"x"\\`, String.raw`C:\temp\"x"\ `],
    ['escapes', String.raw`~22 \034 %s %1 ]] --`, '" "  s 1 ]] --'],
  ];
  test.for(bodies)('must contain the exact text: %s', async ([name, contains, other], { expect }) => {
    const { port } = await serve(page(`<${contains}>`), '127.0.6.1');
    await serve(page(`<${other}>`), '127.0.6.2', port);
    await publish(name, 'A', values, { check: { url: `http://{{value}}:${port}/healthz`, contains, ...everySecond } });
    await become(expect, name, answered('127.0.6.1'));
  });

  test('must have the status', async ({ expect }) => {
    const { port } = await serve(page('', 503), '127.0.6.1');
    await serve(page(''), '127.0.6.2', port);
    const url = `http://{{value}}:${port}`;
    await publish('unavailable', 'A', values, { check: { url, status: 503, ...everySecond } });
    await publish('available', 'A', values, { check: { url, ...everySecond } });
    await become(expect, 'unavailable', answered('127.0.6.1'));
    await become(expect, 'available', answered('127.0.6.2'));
  });

  test('is requested at each value, with the host of its URL', async ({ expect }) => {
    const hosts = new Set<string>();
    const { port } = await serve(({ headers, url }, response) => {
      hosts.add(`${headers.host}${url}`);
      response.end();
    }, '127.0.6.2');
    await publish('named', 'A', values, { check: { url: `http://www.example.com:${port}?a='b'`, ...everySecond } });
    await become(expect, 'named', answered('127.0.6.2'));
    expect([...hosts]).toEqual([`www.example.com:${port}/?a='b'`]);
  });

  test('is requested where the values are watched', async ({ expect }) => {
    const watcher: RequestListener = ({ url }, response) =>
      void response.writeHead(url === '/up?127.0.6.2' ? 200 : 404).end();
    const { port } = await serve(watcher, '127.0.7.1');
    await publish('watched', 'A', values, { check: { url: `http://127.0.7.1:${port}/up?{{value}}`, ...everySecond } });
    await become(expect, 'watched', answered('127.0.6.2'));
  });

  test('may have a self-signed certificate', async ({ expect }) => {
    const secure = createSecureServer(makeLeaf(undefined, { usage: 'server' }), page('ok'));
    const { port } = await listen(secure, '127.0.6.2');
    for (const [name, host] of Object.entries({ secure: '{{value}}', 'secure-named': 'www.example.com' })) {
      await publish(name, 'A', values, { check: { url: `https://${host}:${port}/`, contains: 'ok', ...everySecond } });
      await become(expect, name, answered('127.0.6.2'));
    }
  });

  test('is requested at IPv6 addresses', { tags: 'IPv6' }, async ({ expect }) => {
    const { port } = await serve(page('ok'), '::1');
    for (const [name, host] of Object.entries({ page6: '{{value}}', 'page6-named': 'www.example.com' })) {
      const check = { url: `http://${host}:${port}/`, ...everySecond };
      await publish(name, 'AAAA', ['100::1', '::1'], { check });
      await become(expect, name, answered('::1'), 'AAAA');
    }
  });

  test('is read up to its first 64 KiB', async ({ expect }) => {
    const { port } = await serve((_, response) => {
      response.write('begin');
      const more = () => void (response.write('x'.repeat(65_536)) ? setImmediate(more) : response.once('drain', more));
      more();
    }, '127.0.6.1');
    await serve(page(`${'x'.repeat(200_000)}begin`), '127.0.6.2', port);
    const url = `http://{{value}}:${port}/`;
    await publish('endless', 'A', values, { check: { url, contains: 'begin', ...everySecond } });
    await become(expect, 'endless', answered('127.0.6.1'));
  });
});

describe.concurrent('of several values', () => {
  const values = ['127.0.8.1', '127.0.8.2', '127.0.8.3'];
  /** Listens at the last two addresses. */
  const checked = async () => ({ check: { port: (await listenAt(...values.slice(1))).port, ...everySecond } });
  const clients = Array.from({ length: 40 }, (_, i) => `127.1.${i}.1`);

  async function counts(name: string, times: number) {
    const count: Record<string, number> = {};
    for (let i = 0; i < times; i++) {
      const answer = await ask(name);
      count[answer] = (count[answer] ?? 0) + 1;
    }
    return count;
  }

  test('Random selects one that is up', async ({ expect }) => {
    await publish('random', 'A', values, { answer: 'Random' });
    expect(Object.keys(await counts('random', 200)).sort()).toEqual(values.map((value) => answered(value)));
    await publish('random-up', 'A', values, { answer: 'Random', ...(await checked()) });
    await expect
      .poll(() => counts('random-up', 100).then((c) => Object.keys(c).sort()), polling)
      .toEqual(values.slice(1).map((value) => answered(value)));
  });

  test.for([
    ['sticky', {}, false],
    ['sticky-weighted', { weights: [1, 2, 3] }, false],
    ['sticky-up', {}, true],
    ['sticky-weighted-up', { weights: [1, 2, 3] }, true],
  ] as const)(
    'Sticky gives a client the same one again, and not all clients one: %s',
    async ([name, more, checks], { expect }) => {
      await publish(name, 'A', values, { answer: 'Sticky', ...(more as Answer), ...(checks && (await checked())) });
      const up = checks ? values.slice(1) : values;
      const round = async () => Promise.all(clients.map((client) => askFrom(client, name)));
      // Each thread of PowerDNS detects within a second that a value is down, and they may differ until then.
      const seen = async () => {
        const [first, second] = [await round(), await round()];
        return isDeepStrictEqual(first, second) ? [...new Set(first.flat())].sort() : 'another one';
      };
      await expect.poll(seen, polling).toEqual(up);
    },
  );

  test('Weighted selects one by the weights', async ({ expect }) => {
    await publish('weighted', 'A', values.slice(0, 2), { answer: 'Weighted', weights: [90, 10] });
    const share = ((await counts('weighted', 1000))[answered(values[0]!)] ?? 0) / 1000;
    // Ten standard deviations.
    expect(share).toBeGreaterThan(0.8);
    expect(share).toBeLessThan(0.995);
  });

  test('Weighted selects none that is down', async ({ expect }) => {
    const weights = [1000, 90, 10];
    await publish('weighted-up', 'A', values, { answer: 'Weighted', weights, ...(await checked()) });
    const sorted = () => counts('weighted-up', 300).then((c) => Object.entries(c).sort(([, a], [, b]) => b - a));
    const isRight = async () => (await sorted()).map(([answer]) => answer).join();
    await expect.poll(isRight, polling).toBe(
      values
        .slice(1)
        .map((value) => answered(value))
        .join(),
    );
  });

  const servers = ['127.16.0.1', '127.17.0.1', '127.17.0.2', '127.128.0.1'];
  const near: [client: string, ...nearest: string[]][] = [
    ['127.16.200.7', '127.16.0.1'],
    ['127.17.0.1', '127.17.0.1'],
    ['127.17.200.7', '127.17.0.1', '127.17.0.2'],
    ['127.129.0.1', '127.128.0.1'],
    ['127.64.0.1', '127.16.0.1', '127.17.0.1', '127.17.0.2'],
  ];
  test('Closest selects those in the network of the client', async ({ expect }) => {
    await publish('closest', 'A', servers, { answer: 'Closest' });
    for (const [client, ...nearest] of near) expect(await askFrom(client, 'closest')).toEqual(nearest);
  });

  test('Closest selects none that is down', async ({ expect }) => {
    const { port } = await listenAt('127.17.0.2', '127.128.0.1');
    await publish('closest-up', 'A', servers, { answer: 'Closest', check: { port, ...everySecond } });
    const nearest = () =>
      Promise.all(['127.16.200.7', '127.17.0.1', '127.129.0.1'].map((c) => askFrom(c, 'closest-up')));
    await expect.poll(nearest, polling).toEqual([['127.17.0.2'], ['127.17.0.2'], ['127.128.0.1']]);
  });
});

test('PowerDNS returns every content as it was written', async ({ expect }) => {
  const check = { url: 'https://{{value}}/a?b=(1;2)', contains: String.raw`{"it's": "\\n"}` };
  const six = Array.from({ length: 64 }, (_, i) => `2001:db8::${i.toString(16)}:1`);
  const records = [
    luaContent('A', ['192.0.2.1'], { check: { port: 25 }, answer: 'Closest' }),
    luaContent('AAAA', six, {
      check,
      answer: 'Weighted',
      weights: six.map((_, i) => i + 1),
      whenAllDown: 'Backup',
      backup: six,
    }),
  ];
  const rrset = { name: `both.${zone}`, type: 'LUA', ttl: 5, records };
  await powerdns.patch({ id: zone }, [{ action: 'replace', rrset }]);
  const [header] = await powerdns.zones();
  const { rrsets } = await powerdns.zone(header!);
  expect(rrsets.find(({ name }) => name === rrset.name)).toMatchObject({ ...rrset, records: [...records].sort() });
  expect((await ask('both', 'AAAA')).split(' ')).toHaveLength(2);
});
