import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { TailnetAPI } from '../../../functions/agent/tailnet/api.ts';
import { Credentials } from '../../../functions/agent/tailnet/credentials.ts';
import { objectOf } from '../../../functions/agent/tailnet/entries.ts';
import { TailnetError } from '../../../functions/agent/tailnet/failure.ts';
import { AdminAPI, credentials, type Fault, secretOf } from './admin-api.ts';

let server = new AdminAPI();
let apiURL: string;
const { signal } = new AbortController();

beforeEach(async () => {
  server.stop();
  server = new AdminAPI();
  apiURL = await server.start();
});

afterAll(() => server.stop());

const connect = (options: { tailnet?: string; now?: () => number } = {}) =>
  new TailnetAPI({ apiURL, tailnet: '-', ...options });

/** The message, without the port of the server. */
const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no failure',
    (error) => {
      expect(error).toBeInstanceOf(TailnetError);
      return error.message.replaceAll(apiURL, 'API');
    },
  );

test('a change leaves other entries as they are, and null removes one', async () => {
  server.splitDNS = { 'a.internal': ['100.64.0.1'], 'b.internal': ['100.64.0.1'], 'others.example': ['192.0.2.1'] };
  const changes = new Map([
    ['a.internal', ['100.64.0.2']],
    ['b.internal', null],
  ]);
  const expected = { 'a.internal': ['100.64.0.2'], 'others.example': ['192.0.2.1'] };
  expect(objectOf(await connect().change(changes, credentials, signal))).toEqual(expected);
  expect(objectOf(await connect().read(credentials, signal))).toEqual(expected);
  expect(server.changes).toEqual([
    'PATCH /api/v2/tailnet/-/dns/split-dns {"a.internal":["100.64.0.2"],"b.internal":null}',
  ]);
});

test('a token is used until shortly before it expires, and for its credentials only', async () => {
  server.clients.set('next-client', { secret: 'next-secret', scopes: ['dns'] });
  let now = 0;
  const api = connect({ now: () => now });
  const tokensAt = async (time: number, by = credentials) => {
    now = time;
    await api.read(by, signal);
    return server.tokensIssued;
  };
  expect(await tokensAt(0)).toBe(1);
  expect(await tokensAt(3_539_999)).toBe(1);
  expect(await tokensAt(3_540_000)).toBe(2);
  expect(await tokensAt(3_540_001, new Credentials('next-client', 'next-secret'))).toBe(3);
});

test('a revoked token is replaced at once, and an unacceptable one is not tried for ever', async () => {
  const api = connect();
  await api.read(credentials, signal);
  server.revokeTokens();
  await api.read(credentials, signal);
  expect(server.tokensIssued).toBe(2);
  server.faults.api.push(...Array<Fault>(9).fill({ status: 401 }));
  expect(await failureOf(api.read(credentials, signal))).toMatch(/^API answers 401: the token is not accepted: /);
  expect(server.faults.api).toHaveLength(7);
});

const cure = 'create an OAuth client with the scope dns in the admin console, and put its values into the Secret';

test.each<[Fault, string]>([
  [{ status: 404 }, 'it has no such tailnet or no split DNS: correct splitDNS.tailnet or splitDNS.apiURL'],
  [{ status: 429 }, 'too many requests: it is asked again later'],
  [{ status: 400 }, 'it does not accept the request: look for a zone that the tailnet cannot have'],
  [{ status: 503 }, 'it is asked again until that works'],
  [{ status: 302, headers: { Location: '/x' } }, 'it is elsewhere: set splitDNS.apiURL to where it is'],
])('an answer of %j has a cure', async (fault, message) => {
  server.faults.api.push(fault);
  expect(await failureOf(connect().read(credentials, signal))).toBe(`API answers ${fault.status}: ${message}`);
});

test('a client without the scope, or with another secret, is told', async () => {
  const without = new Credentials('other-client', 'other-secret');
  expect(await failureOf(connect().read(without, signal))).toBe(
    `API answers 403: the OAuth client lacks the scope dns: ${cure}`,
  );
  const wrong = new Credentials('dns-client', 'guess');
  expect(await failureOf(connect().read(wrong, signal))).toBe(`API does not accept the OAuth client (401): ${cure}`);
});

test('Retry-After is followed, up to a limit', async () => {
  const waitAfter = async (after: string) => {
    server.faults.api.push({ status: 429, headers: { 'Retry-After': after } });
    const error: TailnetError = await connect()
      .read(credentials, signal)
      .catch((error) => error);
    return error.retryAfterMs;
  };
  expect([await waitAfter('7'), await waitAfter('99999'), await waitAfter('soon'), await waitAfter('-1')]).toEqual([
    7_000, 600_000, 0, 0,
  ]);
});

test.each([
  ['not JSON', '<html>'],
  ['not an object', '[]'],
  ['addresses that are no list', '{"a.internal": "100.64.0.1"}'],
  ['too many addresses', JSON.stringify({ a: Array(257).fill('100.64.0.1') })],
])('an answer that is %s is not believed', async (_, body) => {
  server.faults.api.push({ status: 200, body });
  expect(await failureOf(connect().read(credentials, signal))).toBe(
    "API answers something else than Tailscale's admin API: correct splitDNS.apiURL",
  );
});

test('an answer without end is not read to its end', async () => {
  server.faults.api.push({ status: 200, body: `{"a": "${'x'.repeat(2 ** 21)}"}` });
  expect(await failureOf(connect().read(credentials, signal))).toBe('API answers with more than 1048576 bytes');
});

test('a server that does not answer is told', async () => {
  server.stop();
  expect(await failureOf(connect().read(credentials, signal))).toBe('cannot reach API: ECONNREFUSED');
});

test('no answer of a server brings the credentials into a message', async () => {
  const secret = 'k-S3cr3t-0123456789';
  server.clients.set('fuzz', { secret, scopes: ['dns'] });
  const mine = Credentials.from(secretOf('fuzz', secret), 'tailnet-dns');
  const echo = fc.constantFrom(
    secret,
    `{"message": "${secret}"}`,
    `{"access_token": "${secret}\\n"}`,
    `{"access_token": 1, "x": "${secret}"}`,
    `{"${secret}": 1}`,
    `{"a.internal": ["${secret}", 1]}`,
    Buffer.from(`fuzz:${secret}`).toString('base64'),
  );
  const status = fc.constantFrom(200, 201, 302, 400, 401, 403, 404, 418, 429, 500, 503);
  const fault = fc.record({ status, body: fc.oneof(echo, fc.string()), headers: fc.constant({ Location: secret }) });
  const quotes = (text: string) => text.includes(secret) || text.includes(Buffer.from(secret).toString('base64'));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 2 }),
      fc.array(fault, { minLength: 1, maxLength: 2 }),
      async (t, a) => {
        server.faults.token.splice(0, 9, ...t);
        server.faults.api.splice(0, 9, ...a);
        const api = connect();
        const outcome = await api.read(mine, signal).catch((error) => error);
        if (outcome instanceof Error) expect(quotes(`${outcome.stack} ${inspect(outcome, { depth: 9 })}`)).toBe(false);
        expect(quotes(inspect([api, mine], { depth: 9, showHidden: true }) + JSON.stringify([api, mine]))).toBe(false);
      },
    ),
  );
});
