/** The status server, over sockets. */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { Counter, Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { probeServer, statusServer } from '../../../functions/agent/http/status-server.ts';
import type { Overview } from '../../../functions/agent/names/overview.ts';
import type { Report } from '../../../functions/contract/report.ts';
import { zone } from '../make.ts';
import { hostile, known, many, now, overviewOf } from './page/overview.ts';

const metrics = new Registry();
new Counter({ name: 'turns_total', help: 'Turns', registers: [metrics] });
const zones = [zone(), zone('0/26.2.0.192.in-addr.arpa')];
const agent = {
  isReady: true,
  report: (): Report => ({ declaration: 'abc', zones: [], discovery: { state: 'Off' } }),
  zone: (name: string) => zones.find((each) => each.name === `${name}.`),
};
let overview: () => Overview;
let powerdnsMetrics: () => Promise<string>;
const server = statusServer({
  agent,
  overview: () => overview(),
  powerdns: { metrics: () => powerdnsMetrics() },
  metrics,
  now: () => now,
});
let port: number;
const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  overview = () => overviewOf();
  powerdnsMetrics = async () => 'pdns_auth_queries 1\n';
  agent.isReady = true;
});

/** The response to bytes that fetch would not send. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.write(bytes);
  let answer = '';
  for await (const text of socket) answer += text;
  return answer;
}
const statusOf = async (line: string) => (await raw(`${line}\r\nHost: a\r\nConnection: close\r\n\r\n`)).split(' ')[1];

describe('paths', () => {
  const html = 'text/html; charset=utf-8';
  const text = 'text/plain; charset=utf-8';
  test.each<[path: string, status: number, type: string, body: RegExp]>([
    ['/', 200, html, /^<!doctype html>\n[\s\S]*<h1>Internal DNS corp<\/h1>[\s\S]*db_main[\s\S]*<\/html>\n$/],
    ['/?host=shop.corp.internal&verdict=Duplicate', 200, html, /ingress\/staging\/web/],
    ['/names.json', 200, 'application/json', /^\{"instance":"corp".*\n(.*\n){13}\]\}\n$/],
    ['/names.json?host=git', 200, 'application/json', /^.*\n.*"git\.corp\.internal".*\n\]\}\n$/],
    ['/names.txt', 200, text, /^NAME .*\n(.*\n){13}$/],
    ['/names.txt?host=git.corp.internal.', 200, text, /^NAME .*\ngit\.corp\.internal .*\n$/],
    ['/names.json?verdict=held', 400, text, /^unknown verdict held: use one of Resolved, .*\n$/],
    ['/names.json?verdict=%1b[31m%0a', 400, text, /^unknown verdict \ufffd\[31m : use one of Resolved, .*\n$/],
    ['/?verdict=%3Cscript%3E', 400, text, /^unknown verdict <script>: use/],
    ['/connect', 200, html, /^<!doctype html>\n[\s\S]*<h1>Connect to Internal DNS corp<\/h1>[\s\S]*<\/html>\n$/],
    ['/connect?way=service', 200, html, /Unbound[\s\S]*stub-addr: 10\.96\.0\.53\n/],
    ['/connect.txt', 200, text, /^Internal DNS corp\nZones: corp\.internal, lab\.internal, 2\.0\.192\.in-addr\.arpa\n/],
    ['/connect.txt?way=', 200, text, /\n {4}server=\/corp\.internal\/192\.0\.2\.53#30053\n/],
    ['/connect.json', 200, 'application/json', /^\{"instance":"corp","zones":\[.*\}\n$/],
    ['/connect.txt?way=wan', 400, text, /^unknown way in wan: use one of service, lan, tailnet\n$/],
    ['/connect?way=%3Cscript%3E%1b', 400, text, /^unknown way in <script>\ufffd: use one of/],
    ['/healthz', 200, text, /^ok\n$/],
    ['/healthz?verbose', 200, text, /^ok\n$/],
    ['/readyz', 200, 'application/json', /^\{"declaration":"abc",.*\}\n$/],
    ['/metrics', 200, metrics.contentType, /turns_total 0[\s\S]*\npdns_auth_queries 1\n$/],
    ['/zones/corp.internal.zone', 200, text, /^; corp.internal as it is served\ncorp.internal. \d+ IN SOA ns1/],
    ['/zones/CORP.internal.zone', 200, text, /^; corp.internal as it is served\n/],
    ['/zones/0%2f26.2.0.192.in-addr.arpa.zone', 200, text, /^; 0\/26.2.0.192.in-addr.arpa as it is served\n/],
    ['/zones/other.internal.zone', 404, text, /^zone not found: other.internal\n$/],
    ['/zones/%1b[31m.zone', 404, text, /^zone not found: \ufffd\[31m\n$/],
    ['/zones/%ff.zone', 404, text, /^zone not found: %ff\n$/],
    ['/zones/corp.internal', 404, text, /^not found: the paths/],
    ['/nonsense', 404, text, /^not found: the paths are \/, \/names\.json, \/names\.txt, /],
    ['/names', 404, text, /^not found: the paths are /],
    ['/names/', 404, text, /^not found: the paths/],
    ['/favicon.ico', 404, text, /^not found: the paths/],
    ['/%2e%2e/etc/passwd', 404, text, /^not found: the paths/],
  ])('%s', async (path, status, type, body) => {
    const answer = await get(path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, type]);
    expect(await answer.text()).toMatch(body);
  });
});

test('/readyz of a pod that is not ready is a 503 with its report', async () => {
  agent.isReady = false;
  const answer = await get('/readyz');
  expect([answer.status, await answer.json()]).toMatchObject([503, { declaration: 'abc' }]);
});

test('without PowerDNS the metrics of the agent are still served', async () => {
  powerdnsMetrics = async () => {
    throw new Error('fetch failed');
  };
  const text = await (await get('/metrics')).text();
  expect(text).toMatch(/turns_total 0[\s\S]*# PowerDNS does not answer\n$/);
});

describe('methods', () => {
  const paths = [
    '/',
    '/names.json',
    '/names.txt',
    '/connect',
    '/connect.json',
    '/connect.txt',
    '/healthz',
    '/readyz',
    '/metrics',
    '/nonsense',
  ];
  test.each(paths)('HEAD %s is GET without a body', async (path) => {
    const [head, whole] = [await get(path, { method: 'HEAD' }), await get(path)];
    expect([head.status, head.headers.get('content-type')]).toEqual([whole.status, whole.headers.get('content-type')]);
    expect(await head.text()).toBe('');
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is not allowed anywhere', async (method) => {
    for (const path of paths) {
      const answer = await get(path, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });
});

test('no response may be cached, sniffed, framed or sent as a referrer, and no script may run', async () => {
  for (const path of ['/', '/names.json', '/names.txt', '/connect', '/connect.txt', '/nonsense', '/metrics']) {
    const { headers } = await get(path);
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      ),
    });
  }
});

describe('probes', () => {
  const kubelet = probeServer({ agent, patienceMs: 100 });
  const at = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${(kubelet.address() as AddressInfo).port}${path}`, init);
  beforeAll(() => once(kubelet.listen(0, '127.0.0.1'), 'listening'));
  afterAll(() => {
    kubelet.close();
    kubelet.closeAllConnections();
  });

  test.each<[path: string, isReady: boolean, status: number, body: string]>([
    ['/healthz', false, 200, 'ok\n'],
    ['/readyz', true, 200, 'ok\n'],
    ['/readyz', false, 503, 'not ready\n'],
    ['/names.json', true, 404, 'not found: the paths are /healthz, /readyz\n'],
  ])('%s, ready: %s', async (path, isReady, status, body) => {
    agent.isReady = isReady;
    const answer = await at(path);
    expect([answer.status, await answer.text()]).toEqual([status, body]);
  });

  test('readiness is told as soon as it is there, whoever has asked before', async () => {
    agent.isReady = false;
    const answers = [at('/readyz'), at('/readyz')];
    await new Promise(setImmediate);
    agent.isReady = true;
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('are read-only', async () => expect((await at('/healthz', { method: 'POST' })).status).toBe(405));

  test('are answered while other clients hold every connection of the status page', async () => {
    const strangers = Array.from({ length: 64 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await Promise.all(strangers.map((socket) => once(socket, 'connect')));
    expect((await at('/healthz')).status).toBe(200);
    expect((await at('/readyz')).status).toBe(200);
    for (const socket of strangers) socket.destroy();
  });
});

describe('malformed requests', () => {
  test.each([
    ['GET // HTTP/1.1', '400'],
    ['GET http://[::1 HTTP/1.1', '400'],
    ['GET http://agent:8080/healthz HTTP/1.1', '200'],
    ['GET /names.json?host=%ff%00%zz&host HTTP/1.1', '200'],
    ['GET /?verdict=Held&host=%3Cscript%3E HTTP/1.1', '200'],
    ['OPTIONS * HTTP/1.1', '405'],
    ['GET nonsense HTTP/1.1', '400'],
  ])('%s is answered with %s', async (line, status) => {
    expect(await statusOf(line)).toBe(status);
    expect((await get('/healthz')).status).toBe(200);
  });

  test('an internal error is a 500 with one line, and the next request is answered', async () => {
    overview = () => {
      throw new Error('no zones\u001b[31m\nat all');
    };
    for (const path of ['/', '/names.json', '/names.txt']) {
      const answer = await get(path);
      expect([answer.status, await answer.text()]).toEqual([500, 'cannot answer: no zones\ufffd[31m at all\n']);
    }
    overview = () => overviewOf();
    expect((await get('/')).status).toBe(200);
  });

  test('names cannot inject headers', async () => {
    overview = () => overviewOf(hostile.map((name) => known(name)));
    for (const path of ['/', '/names.json', '/names.txt']) {
      const answer = await get(`${path}?host=${encodeURIComponent('a\r\nSet-Cookie: x=1')}`);
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([200, null]);
    }
  });
});

describe('many names', () => {
  test('5,000 are all listed', async () => {
    overview = () => overviewOf(many(5_000));
    const { names, total } = (await (await get('/names.json')).json()) as { names: unknown[]; total: number };
    expect([names.length, total]).toEqual([5_000, 5_000]);
    expect((await (await get('/names.txt')).text()).split('\n')).toHaveLength(5_002);
  });

  test.each(['/', '/names.json', '/names.txt', '/?host=corp'])('%s is rendered once for all readers', async (path) => {
    let rendered = 0;
    const names = many(1_000).map((name) => ({
      ...name,
      get message() {
        rendered++;
        return 'no';
      },
    }));
    const same = overviewOf(names);
    overview = () => same;
    const read = async () => (await get(path)).text();
    const text = await read();
    const once = rendered;
    const hostile = Array.from({ length: 10 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    for (const socket of hostile) socket.pause().write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(200));
    expect(new Set(await Promise.all(Array.from({ length: 20 }, read)))).toEqual(new Set([text]));
    expect(once).toBeGreaterThan(0);
    expect(rendered).toBe(once);
    for (const socket of hostile) socket.destroy();
  });

  test('for a client that does not read, little is rendered and others are not delayed', async () => {
    let rendered = 0;
    // More than a socket buffers.
    const names = many(50_000).map((name) => ({
      ...name,
      get message() {
        rendered++;
        return 'x'.repeat(1_000);
      },
    }));
    overview = () => overviewOf(names);
    const idle = connect(port, '127.0.0.1');
    idle.write('GET /names.json HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(idle, 'readable');
    // Meanwhile others are answered, and rendering has time to continue.
    for (let i = 0; i < 20; i++) expect((await get('/healthz')).status).toBe(200);
    expect(rendered).toBeGreaterThan(0);
    expect(rendered).toBeLessThan(names.length);
    const closed = once(idle, 'close');
    idle.destroy();
    await closed;
    expect((await get('/names.json?host=none')).status).toBe(200);
  });
});
