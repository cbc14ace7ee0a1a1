import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { webhook } from '../../../functions/agent/http/webhook.ts';
import { FailureLog } from '../../../functions/agent/lib/failure-log.ts';
import { waitTimeoutMs } from '../../timeouts.ts';
import { loop, webhookAt } from '../external-dns.ts';
import { declare, endpoint, makeAgent } from '../make.ts';

let server: Server;
let url: string;
let listen: (timeoutMs: number) => Promise<void>;
let setup: ReturnType<typeof makeAgent>;
const failureLog: string[] = [];

beforeEach(async () => {
  setup = makeAgent();
  failureLog.length = 0;
  const log = new FailureLog({ info: append, warn: append } as never);
  listen = async (timeoutMs) => {
    server = webhook({ agent: setup.agent, failureLog: log, bodyLimit: 1000, timeoutMs });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  await listen(waitTimeoutMs);
});
function close() {
  server.closeAllConnections();
  server.close();
}
afterEach(close);

function append({ route, failure }: { route: string; failure?: string }, message: string) {
  failureLog.push(`${message} ${route}: ${failure}`);
}

const www = endpoint('ingress/a/web', 'www.corp.internal', 'A', '192.0.2.1');

test('negotiates before the first declaration, without a domain filter', async () => {
  expect(await webhookAt(url).negotiate()).toEqual({});
});

test('fails softly until the zones exist, and logs it once', async () => {
  for (let i = 0; i < 5; i++) await expect(loop(webhookAt(url), [])).rejects.toThrow(/^503 cannot serve ExternalDNS: /);
  setup.declare(declare());
  await setup.agent.reconcile();
  for (let i = 0; i < 5; i++) await loop(webhookAt(url), []);
  expect(failureLog).toEqual([
    'cannot serve ExternalDNS GET /records: the declared zones do not exist yet',
    'can serve ExternalDNS again GET /records: undefined',
  ]);
});

describe('with zones', () => {
  beforeEach(async () => {
    setup.declare(declare());
    await setup.agent.reconcile();
  });

  test('publishes and deletes records', async () => {
    const external = webhookAt(url);
    expect(await loop(external, [www])).toMatchObject({ create: [{ dnsName: 'www.corp.internal' }] });
    expect(await external.records()).toEqual([{ ...www, recordTTL: 60 }]);
    for (let i = 0; i < 5; i++) expect(await loop(external, [www])).toBeUndefined();
    await loop(external, []);
    expect(await external.records()).toEqual([]);
  });

  test('the ExternalDNS of a namespace has its own path and records', async () => {
    setup.declare(declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, namespaces: ['a', 'b-1'] } }));
    await setup.agent.reconcile();
    const [a, b] = ['a', 'b-1'].map((namespace) => webhookAt(`${url}/namespaces/${namespace}`));
    expect(await (await fetch(`${url}/namespaces/a`)).json()).toEqual({});
    await loop(a!, [www]);
    expect([await a!.records(), await b!.records(), await webhookAt(url).records()]).toEqual([
      [{ ...www, recordTTL: 60 }],
      [],
      [],
    ]);
    for (const path of ['/namespaces/', '/namespaces/a/other', '/namespaces/a/b/records', '/namespaces/A/records']) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 404]);
    }
  });

  test('an empty name, as from an annotation that ends in a comma, is skipped', async () => {
    await loop(webhookAt(url), [www, { recordType: 'A', targets: ['192.0.2.1'], labels: { resource: 'o' } } as never]);
    expect(await webhookAt(url).records()).toHaveLength(1);
  });

  test.each([
    ['/adjustendpoints', ''],
    ['/adjustendpoints', '{'],
    ['/adjustendpoints', '{}'],
    ['/adjustendpoints', '[1]'],
    ['/adjustendpoints', '[{"dnsName":{}}]'],
    ['/adjustendpoints', `[{"dnsName":"${'x'.repeat(2000)}"}]`],
    ['/records', `{"create":[${' '.repeat(2000)}]}`],
    ['/records', 'null'],
    ['/records', '{"create":{}}'],
    ['/records', '{"create":[{"targets":"192.0.2.1"}]}'],
  ])('an invalid body is a soft error: %s %s', async (path, body) => {
    const response = await fetch(url + path, { method: 'POST', body });
    expect(response.status).toBe(503);
    expect(await response.text()).toMatch(/^cannot serve ExternalDNS: [^\n]+$/);
    expect(await webhookAt(url).records()).toEqual([]);
  });

  test.each([
    ['/adjustendpoints', 'null', '[]'],
    ['/records', '{}', ''],
    ['/records', '{"create":null,"updateOld":null,"updateNew":null,"delete":null}', ''],
  ])('null from Go is an empty list: %s %s', async (path, body, answer) => {
    const response = await fetch(url + path, { method: 'POST', body });
    expect([response.ok, await response.text()]).toEqual([true, answer]);
  });

  test('three failures in a row are in the report, with the message of the 503', async () => {
    const many = Array.from({ length: 20 }, (_, i) =>
      endpoint('ingress/a/web', `h${i}.corp.internal`, 'A', '192.0.2.1'),
    );
    const external = webhookAt(url);
    for (let i = 0; i < 2; i++) await loop(external, [www]);
    for (let i = 0; i < 7; i++, setup.clock.now += 2000) await expect(loop(external, many)).rejects.toThrow('503');
    expect(setup.agent.report()?.discovery).toEqual({
      state: 'Failing',
      failure: expect.stringMatching(/^objects request endpoints of more than 1000 characters .*: raise resources/),
    });
    for (let i = 0; i < 2; i++) await loop(external, [www]);
    expect(setup.agent.report()?.discovery).toEqual({ state: 'Synced' });
  });

  test('the body limit is divided among several ExternalDNS', async () => {
    const of = (count: number) =>
      Array.from({ length: count }, (_, i) => endpoint('ingress/a/web', `h${i}.corp.internal`, 'A', '192.0.2.1'));
    await webhookAt(url).adjustEndpoints(of(5));
    setup.declare(declare({ discovery: { ownerID: 'corp', intervalSeconds: 2, namespaces: ['a', 'b'] } }));
    await setup.agent.reconcile();
    for (const namespace of ['a', 'b']) {
      const external = webhookAt(`${url}/namespaces/${namespace}`);
      await expect(external.adjustEndpoints(of(5))).rejects.toThrow(
        'objects request endpoints of more than 500 characters',
      );
      await expect(external.applyChanges({ create: of(5) })).rejects.toThrow('exceed 500 bytes: raise');
      await external.adjustEndpoints(of(2));
    }
  });

  test('responds in time, before ExternalDNS exits', async () => {
    close();
    await listen(200);
    setup.database.zones = () => new Promise(() => {});
    await expect(webhookAt(url).records()).rejects.toThrow('503 cannot serve ExternalDNS: no answer within 200 ms');
  });

  test('a client that disconnects in the middle of its body has no effect', async () => {
    const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('[')) });
    const signal = AbortSignal.timeout(100);
    const request = { method: 'POST', body, signal, duplex: 'half' } as const;
    await expect(fetch(`${url}/adjustendpoints`, request as RequestInit)).rejects.toThrow();
    expect(await webhookAt(url).records()).toEqual([]);
  });
});

test('any other path is a 404', async () => {
  expect((await fetch(`${url}/other`)).status).toBe(404);
});
