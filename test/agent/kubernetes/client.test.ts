import { getEventListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import type { Config } from '../../../functions/agent/kubernetes/config.ts';
import { ApiError, isApiError } from '../../../functions/agent/kubernetes/status.ts';
import { makeAuthority, makeLeaf } from '../../cdk8s-function-xp/certificates.ts';
import { polling } from '../../timeouts.ts';
import { ApiServer } from './api-server.ts';

const authority = makeAuthority();
const serverPair = makeLeaf(authority, { usage: 'server', commonName: 'kubernetes' });
const clientPair = makeLeaf(authority, { usage: 'client', commonName: 'admin' });
const configMaps = '/api/v1/namespaces/dns/configmaps';
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const caught: T[] = [];
  for await (const item of items) caught.push(item);
  return caught;
}
const never = () => new AbortController().signal;

let apiServer: ApiServer;
let config: Config;
let client: Client;
let dir: string;

async function start(of: ApiServer): Promise<void> {
  apiServer = of;
  // Its certificate is for localhost.
  config = { ...(await apiServer.start()), ca: authority.cert, serverName: 'localhost' };
  client = new Client(config);
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'client-'));
  await start(new ApiServer(serverPair));
});
afterEach(() => {
  apiServer.stop();
  rmSync(dir, { recursive: true });
});

describe('over TLS', () => {
  test('requests share a connection', async () => {
    for (let i = 0; i < 5; i++) expect(await client.text('/readyz')).toBe('ok');
    expect(apiServer.connections).toBe(1);
  });

  test('a connection that the server closed meanwhile is no failure', async () => {
    for (let i = 0; i < 5; i++) {
      await client.text('/readyz');
      apiServer.closeIdle();
      expect(await client.text('/readyz')).toBe('ok');
    }
  });

  test.each<[string, Partial<Config>, RegExp]>([
    [
      'of another authority',
      { ca: makeAuthority().cert },
      /certificate signature failure|unable to verify|self-signed/,
    ],
    ['of an unknown authority', { ca: undefined }, /unable to (verify|get)|self-signed/],
    ['of another name', { serverName: 'kubernetes' }, /Hostname\/IP does not match/],
  ])('a certificate %s is refused, unless none is asked for', async (_, change, message) => {
    await expect(new Client({ ...config, ...change }).text('/readyz')).rejects.toThrow(message);
    expect(apiServer.requests).toEqual([]);
    expect(await new Client({ ...config, ...change, isInsecure: true }).text('/readyz')).toBe('ok');
  });

  test('a client certificate is presented', async () => {
    apiServer.stop();
    await start(new ApiServer({ ...serverPair, ca: authority.cert, requestCert: true, rejectUnauthorized: true }));
    await expect(client.text('/readyz')).rejects.toThrow();
    expect(await new Client({ ...config, ...clientPair }).text('/readyz')).toBe('ok');
  });
});

describe('a token in a file', () => {
  let file: string;
  beforeEach(() => {
    file = join(dir, 'token');
    writeFileSync(file, 'secret\n');
    client = new Client({ ...config, token: { file } });
  });

  test('is read again after a minute', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      await client.text('/readyz');
      writeFileSync(file, 'rotated');
      await client.text('/readyz');
      apiServer.token = 'rotated';
      vi.advanceTimersByTime(61_000);
      expect(await client.text('/readyz')).toBe('ok');
      expect(apiServer.connections).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test('is read again after 401 Unauthorized', async () => {
    await client.text('/readyz');
    apiServer.token = 'rotated';
    writeFileSync(file, 'rotated');
    await expect(client.text('/readyz')).rejects.toMatchObject({ code: 401 });
    expect(await client.text('/readyz')).toBe('ok');
  });

  test('stays in use while the file is missing', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      await client.text('/readyz');
      rmSync(file);
      vi.advanceTimersByTime(61_000);
      expect(await client.text('/readyz')).toBe('ok');
    } finally {
      vi.useRealTimers();
    }
  });

  test('that was never there is named', async () => {
    const missing = new Client({ ...config, token: { file: join(dir, 'none') } });
    await expect(missing.text('/readyz')).rejects.toThrow(/^cannot read the token: ENOENT/);
  });

  test('another authority is trusted once its file has it', async () => {
    const ca = join(dir, 'ca.crt');
    writeFileSync(ca, makeAuthority().cert);
    client = new Client({ ...config, ca: { file: ca } });
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      await expect(client.text('/readyz')).rejects.toThrow();
      writeFileSync(ca, authority.cert);
      vi.advanceTimersByTime(61_000);
      expect(await client.text('/readyz')).toBe('ok');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('an error', () => {
  test('has the code, the reason and the words of Kubernetes, and nothing of the request', async () => {
    apiServer.failures.set('/', { code: 403, message: 'configmaps is forbidden', reason: 'Forbidden' });
    const error = await client.get(configMaps).catch((error) => error);
    expect(error).toBeInstanceOf(ApiError);
    expect({ ...error, message: error.message }).toEqual({
      code: 403,
      reason: 'Forbidden',
      message: 'configmaps is forbidden',
    });
    expect([isApiError(error, 403, 404), isApiError(error, 404), isApiError(new Error(''), 403)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test.each([
    ['<html>secret</html>', 'Kubernetes answered 502'],
    ['null', 'Kubernetes answered 502'],
    ['{"message":7}', 'Kubernetes answered 502'],
    ['{"message":"later"}', 'later'],
  ])('of a proxy is short: %s', (body, message) => {
    expect(new ApiError(502, body)).toMatchObject({ code: 502, reason: '', message });
  });

  test('never has the token', async () => {
    const token = 'sec\nret';
    const error = await new Client({ ...config, token }).text('/readyz').catch((error) => error);
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('ret');
  });

  test('names the address that refuses the connection', async () => {
    apiServer.stop();
    await expect(client.text('/readyz')).rejects.toThrow(/ECONNREFUSED 127\.0\.0\.1/);
  });

  test('of several addresses names each', async () => {
    const { port } = await free();
    const { message } = await new Client({ server: `http://localhost:${port}` }).text('/').catch((error) => error);
    expect(message).toContain('ECONNREFUSED');
  });
});

test('an answer that does not come is not waited for longer than the signal allows', async () => {
  apiServer.freeze();
  await expect(client.get(configMaps, { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
  await vi.waitFor(() => expect([apiServer.held, apiServer.open]).toEqual([0, 0]), polling);
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(client.get(configMaps, { signal })).rejects.toThrow('stopped');
});

test('requests leave nothing behind on a signal that lives on', async () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) await client.text('/readyz', { signal });
  apiServer.failures.set('/', { code: 503, message: 'later' });
  await expect(client.text('/readyz', { signal })).rejects.toThrow('later');
  await vi.waitFor(() => expect(getEventListeners(signal, 'abort')).toHaveLength(0), polling);
});

test('an object is read by its path', async () => {
  apiServer.put('/api/v1/configmaps', { metadata: { namespace: 'dns', name: 'a' }, data: { key: 'ä' } });
  expect(await client.get(`${configMaps}/a`)).toMatchObject({ data: { key: 'ä' } });
  await expect(client.get(`${configMaps}/b`)).rejects.toMatchObject({ code: 404, reason: 'NotFound' });
});

test('writes have the media type of their kind, and their field manager', async () => {
  const body = { metadata: { name: 'ä' } };
  expect(await client.create('/api/v1/namespaces/dns/events', body)).toEqual(body);
  await client.apply(`${configMaps}/a`, body, { fieldManager: 'idns-0' });
  await client.mergePatch(`${configMaps}/a`, body, { fieldManager: 'idns-0' });
  await client.mergePatch(`${configMaps}/a`, body);
  expect(apiServer.writes).toEqual([
    'POST /api/v1/namespaces/dns/events application/json {"metadata":{"name":"ä"}}',
    `PATCH ${configMaps}/a?fieldManager=idns-0&force=true application/apply-patch+yaml {"metadata":{"name":"ä"}}`,
    `PATCH ${configMaps}/a?fieldManager=idns-0 application/merge-patch+json {"metadata":{"name":"ä"}}`,
    `PATCH ${configMaps}/a application/merge-patch+json {"metadata":{"name":"ä"}}`,
  ]);
  expect(apiServer.connections).toBe(1);
});

test('a watch yields events until the signal ends it, and its connection', async () => {
  const stop = new AbortController();
  const events = await client.watch(configMaps, { query: { resourceVersion: '100' }, signal: stop.signal });
  apiServer.put('/api/v1/configmaps', { metadata: { namespace: 'dns', name: 'a' } });
  for await (const { type, object } of events) {
    expect([type, object.metadata.name]).toEqual(['ADDED', 'a']);
    break;
  }
  await vi.waitFor(() => expect(apiServer.open).toBe(0), polling);
  const again = await client.watch(configMaps, { query: { resourceVersion: '100' }, signal: stop.signal });
  const reading = all(again);
  stop.abort(new Error('stopped'));
  await expect(reading).rejects.toThrow('stopped');
  await vi.waitFor(() => expect([apiServer.watches(), apiServer.open]).toEqual([0, 0]), polling);
});

test('a watch that is stopped before anything was read of it fails nothing else', async () => {
  const stop = new AbortController();
  const events = await client.watch(configMaps, { query: { resourceVersion: '100' }, signal: stop.signal });
  stop.abort(new Error('stopped'));
  await vi.waitFor(() => expect(apiServer.open).toBe(0), polling);
  await expect(all(events)).rejects.toThrow();
});

test('a watch ends with the error that the server sends, and says when it was cut', async () => {
  const watch = () => client.watch(configMaps, { query: { resourceVersion: '100' }, signal: never() });
  const first = all(await watch());
  apiServer.write(
    `${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old', reason: 'Expired' } })}\n`,
  );
  await expect(first).rejects.toMatchObject({ code: 410, reason: 'Expired', message: 'too old' });
  const second = all(await watch());
  void apiServer.cutWatches();
  await expect(second).rejects.toThrow('Kubernetes closed the connection');
});

describe('an answer', () => {
  let server: Server;
  let other: Client;
  let body: string | (() => string);
  beforeEach(async () => {
    server = createServer((_, response) => {
      if (typeof body === 'string') return void response.end(body);
      const more = body;
      const write = () => {
        while (response.write(more()));
        response.once('drain', write);
      };
      write();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    other = new Client({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/` });
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  test('without end is not collected', async () => {
    body = () => 'a'.repeat(100_000);
    await expect(other.text('/readyz')).rejects.toThrow('cannot read more than 33554432 bytes of /readyz');
  });

  test('that is not JSON is not quoted, since it may be a Secret', async () => {
    body = '{"data":{"key":hunter2}}';
    const { message } = await other.get('/a').catch((error) => error);
    expect(message).toMatch(/^Kubernetes answered GET \/a with something else than JSON/);
  });
});

const free = async (): Promise<{ port: number }> => {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { port };
};
