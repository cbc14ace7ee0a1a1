import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { messageOf } from '../../../functions/agent/lib/error-message.ts';
import { request } from '../../../functions/agent/powerdns/http-request.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const get = (url: string, signal = AbortSignal.timeout(10_000)) => request(url, { method: 'GET', signal });
const why = (promise: Promise<unknown>) => promise.then(() => 'no error', messageOf);

test('sends the method, headers and body, and resolves with the status and the text', async () => {
  const url = await serve(async (incoming, outgoing) => {
    const { method, headers } = incoming;
    const length = headers['content-length'];
    outgoing.writeHead(422).end(JSON.stringify([method, headers['x-api-key'], length, await text(incoming)]));
  });
  const options = { method: 'PATCH', headers: { 'X-API-Key': 'key' }, body: 'ü', signal: AbortSignal.timeout(10_000) };
  expect(await request(url, options)).toEqual({ status: 422, text: '["PATCH","key","2","ü"]' });
});

test('reads a character that arrives in two pieces', async () => {
  const [first, second] = [Buffer.from('ü').subarray(0, 1), Buffer.from('ü').subarray(1)];
  const url = await serve((_, outgoing) => {
    outgoing.write(first);
    setTimeout(() => outgoing.end(second), 20);
  });
  expect((await get(url)).text).toBe('ü');
});

test.each([
  ['no response', () => {}],
  ['half of a response', (_, outgoing) => void outgoing.writeHead(200, { 'Content-Length': 10 }).write('half')],
] satisfies [string, RequestListener][])('gives up %s when the time is over', async (_, listener) => {
  const url = await serve(listener);
  expect(await why(get(url, AbortSignal.timeout(50)))).toBe('The operation was aborted due to timeout');
});

test.each([
  ['before its response', (_, outgoing) => void outgoing.destroy(), 'socket hang up'],
  [
    'within its response',
    (_, outgoing) => {
      outgoing.writeHead(200, { 'Content-Length': 10 }).write('half', () => outgoing.destroy());
    },
    'PowerDNS closed the connection',
  ],
] satisfies [string, RequestListener, string][])(
  'reports a connection that is closed %s',
  async (_, listener, message) => {
    expect(await why(get(await serve(listener)))).toBe(message);
  },
);

test('reports a refused connection', async () => {
  const url = await serve(() => {});
  server.close();
  expect(await why(get(url))).toMatch(/^connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
});

test('sends nothing for a signal that has been aborted', async () => {
  let requests = 0;
  const url = await serve((_, outgoing) => {
    requests++;
    outgoing.end();
  });
  expect(await why(get(url, AbortSignal.abort(new Error('stopped'))))).toBe('stopped');
  expect(requests).toBe(0);
});
