/** Against an API server with two ConfigMaps, a PersistentVolumeClaim and a Secret. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventOf } from '../../../functions/agent/events/event.ts';
import { AgentClient } from '../../../functions/agent/kubernetes/agent-client.ts';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { entryOf, SecretKeys } from '../../../functions/agent/signing/secret.ts';
import { polling } from '../../timeouts.ts';

const status = (code: number, message: string) => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  message,
  code,
});

class Kubernetes {
  readonly requests: string[] = [];
  declaration: string | undefined = 'one';
  waysIn: string | undefined;
  claim = '1Gi';
  secret: { data?: Record<string, string>; version: number } | undefined = { version: 1 };
  /** Called when the Secret was read. */
  afterRead: () => void = () => {};
  /** Answered to every request while it is set. */
  failure: { code: number; message: string } | undefined;
  /** Never answers. */
  isStuck = false;
  readonly events = new Set<string>();
  #version = 1;
  readonly #watches = new Set<ServerResponse>();
  readonly server: Server = createServer((request, response) => void this.#serve(request, response));

  change(declaration: string): void {
    this.declaration = declaration;
    this.#version += 1;
    for (const watch of this.#watches)
      watch.write(`${JSON.stringify({ type: 'MODIFIED', object: this.#configMap })}\n`);
  }

  /** Deletes the ConfigMap. */
  delete(): void {
    this.declaration = undefined;
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type: 'DELETED', object: this.#configMap })}\n`);
  }

  /** As an API server that restarts. */
  hangUp(): void {
    for (const watch of this.#watches) watch.destroy();
  }

  get watches(): number {
    return this.#watches.size;
  }

  get #configMap() {
    return {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'declared', namespace: 'dns', resourceVersion: `${this.#version}` },
      data: { 'declaration.json': this.declaration, 'ways-in.json': this.waysIn },
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url ?? '', 'http://any');
    this.requests.push(
      `${request.method} ${url.pathname}${url.search} ${request.headers['content-type'] ?? ''} ${body}`.trim(),
    );
    if (this.isStuck) return;
    response.setHeader('Content-Type', 'application/json');
    if (this.failure) {
      const { code, message } = this.failure;
      return void response
        .writeHead(code, { 'audit-id': `${Math.random()}` })
        .end(JSON.stringify(status(code, message)));
    }
    if (url.searchParams.get('watch')) {
      this.#watches.add(response);
      response.once('close', () => this.#watches.delete(response));
      return response.flushHeaders();
    }
    if (url.pathname.endsWith('/events')) return this.#serveEvents(body, response);
    if (url.pathname === '/api/v1/namespaces/dns/secrets/keys')
      return this.#serveSecret(request.method, body, response);
    if (request.method === 'PATCH') this.claim = JSON.parse(body).spec?.resources.requests.storage ?? this.claim;
    if (url.pathname.includes('persistentvolumeclaims')) {
      return void response.end(JSON.stringify({ spec: { resources: { requests: { storage: this.claim } } } }));
    }
    const items = this.declaration === undefined ? [] : [this.#configMap];
    const list = { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: `${this.#version}` }, items };
    response.end(JSON.stringify(request.method === 'GET' ? list : this.#configMap));
  }

  #serveEvents(body: string, response: ServerResponse): void {
    const { name } = JSON.parse(body).metadata;
    const [code, object] = this.events.has(name)
      ? [409, status(409, `events "${name}" already exists`)]
      : [201, JSON.parse(body)];
    this.events.add(name);
    response.writeHead(code).end(JSON.stringify(object));
  }

  /** A merge patch is a conflict when its resourceVersion is not the present one. */
  #serveSecret(method: string | undefined, body: string, response: ServerResponse): void {
    const [code, object] = this.#answerSecret(method, body);
    response.writeHead(code).end(JSON.stringify(object));
    if (method === 'GET') this.afterRead();
  }

  #answerSecret(method: string | undefined, body: string): [number, object] {
    if (!this.secret) return [404, status(404, 'secrets "keys" not found')];
    if (method === 'PATCH') {
      const { metadata, data } = JSON.parse(body);
      const isStale = metadata && metadata.resourceVersion !== `${this.secret.version}`;
      if (isStale) return [409, status(409, 'the object has been modified')];
      this.writeSecret(data);
    }
    const { data, version } = this.secret;
    const metadata = { name: 'keys', namespace: 'dns', resourceVersion: `${version}` };
    return [200, { kind: 'Secret', apiVersion: 'v1', metadata, ...(data && { data }) }];
  }

  /** As somebody who merges this into the Secret; null removes an entry. */
  writeSecret(changes: Record<string, string | null>): void {
    const { data, version = 0 } = this.secret ?? {};
    const merged = Object.entries({ ...data, ...changes }).filter(
      (entry): entry is [string, string] => entry[1] !== null,
    );
    this.secret = { data: Object.fromEntries(merged), version: version + 1 };
  }
}

let kubernetes: Kubernetes;
let agentClient: AgentClient;
// New arrays for each test: the watch of an earlier one continues.
let texts: string[];
let failures: (string | undefined)[];

beforeEach(async () => {
  kubernetes = new Kubernetes();
  kubernetes.server.listen(0, '127.0.0.1');
  await once(kubernetes.server, 'listening');
  const server = `http://127.0.0.1:${(kubernetes.server.address() as AddressInfo).port}`;
  const names = { namespace: 'dns', pod: 'idns-0', declared: 'declared', status: 'status', claim: 'data-idns-0' };
  agentClient = new AgentClient({ ...names, client: new Client({ server, token: 't' }) });
  texts = [];
  failures = [];
});
afterEach(() => {
  kubernetes.server.close();
  kubernetes.server.closeAllConnections();
});

function watch(): void {
  const [received, reported] = [texts, failures];
  agentClient.watchDeclaration(
    (text) => received.push(text),
    (failure) => reported.push(failure),
  );
}

test('watches the declaration, and no other ConfigMap', async () => {
  watch();
  await vi.waitFor(() => expect([texts, kubernetes.watches]).toEqual([['one'], 1]), polling);
  kubernetes.change('two');
  await vi.waitFor(() => expect(texts).toEqual(['one', 'two']), polling);
  expect(new Set(failures)).toEqual(new Set([undefined]));
  for (const request of kubernetes.requests) expect(request).toMatch(/fieldSelector=metadata.name%3Ddeclared/);
});

test('receives the ways in with the declaration, and again when they change', async () => {
  const received: [string, string | undefined][] = [];
  agentClient.watchDeclaration(
    (text, waysIn) => received.push([text, waysIn]),
    () => {},
  );
  await vi.waitFor(() => expect([received, kubernetes.watches]).toEqual([[['one', undefined]], 1]), polling);
  kubernetes.waysIn = 'service';
  kubernetes.change('one');
  await vi.waitFor(() => expect(received.at(-1)).toEqual(['one', 'service']), polling);
});

test('receives a change that was made while the API server was down', async () => {
  watch();
  await vi.waitFor(() => expect(kubernetes.watches).toBe(1), polling);
  kubernetes.failure = { code: 503, message: 'the server is shutting down' };
  kubernetes.hangUp();
  await vi.waitFor(() => expect(failures.at(-1)).toBe('the server is shutting down'), polling);
  kubernetes.change('two');
  kubernetes.failure = undefined;
  await vi.waitFor(() => expect([texts.at(-1), failures.at(-1)]).toEqual(['two', undefined]), polling);
});

test('tells whether the ConfigMap of the declaration exists', async () => {
  const known: boolean[] = [];
  agentClient.watchDeclaration(
    () => {},
    () => {},
    (exists) => void known.push(exists),
  );
  await vi.waitFor(() => expect([known.at(-1), kubernetes.watches]).toEqual([true, 1]), polling);
  kubernetes.delete();
  await vi.waitFor(() => expect(known.at(-1)).toBe(false), polling);
});

test('reports a missing ConfigMap', async () => {
  kubernetes.declaration = undefined;
  watch();
  await vi.waitFor(() => expect(failures).toEqual(['ConfigMap declared does not exist']), polling);
});

test('applies its report under its own key and name', async () => {
  await agentClient.writeReport('{}');
  expect(kubernetes.requests).toEqual([
    'PATCH /api/v1/namespaces/dns/configmaps/status?fieldManager=idns-0&force=true application/apply-patch+yaml ' +
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"status","namespace":"dns"},"data":{"idns-0":"{}"}}',
  ]);
});

test('patches its PersistentVolumeClaim only if the size differs', async () => {
  await agentClient.expandVolume('1Gi');
  expect(kubernetes.requests).toHaveLength(1);
  await agentClient.expandVolume('2Gi');
  expect(kubernetes.claim).toBe('2Gi');
});

test('returns the same refusal as the API server, every time', async () => {
  const message = 'only dynamically provisioned pvc can be resized';
  kubernetes.failure = { code: 403, message };
  for (let i = 0; i < 2; i++) expect(await agentClient.expandVolume('2Gi')).toBe(message);
  kubernetes.failure = { code: 503, message };
  await expect(agentClient.expandVolume('2Gi')).rejects.toThrow(message);
  await expect(agentClient.writeReport('{}')).rejects.toThrow(message);
});

describe('an event', () => {
  const event = eventOf({
    state: {
      name: 'www.corp.internal',
      resource: 'ingress/shop/web',
      verdict: 'Resolved',
      message: 'resolves to 192.0.2.7',
      answers: [],
    },
    object: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'shop', name: 'web', uid: '1' },
    instance: 'corp',
    reporter: 'idns-0',
    since: Date.parse('2026-01-31T12:00:00.123Z'),
  });

  test('is created in its own namespace, with times as Kubernetes reads them, and once', async () => {
    expect(await agentClient.createEvent(event)).toEqual({ result: 'created' });
    const failure = `events "${event.metadata.name}" already exists`;
    expect(await agentClient.createEvent(event)).toEqual({ result: 'known', failure });
    const [request = ''] = kubernetes.requests;
    expect(request).toMatch(/^POST \/api\/v1\/namespaces\/shop\/events application\/json \{/);
    expect(JSON.parse(request.slice(request.indexOf('{')))).toEqual(JSON.parse(JSON.stringify(event)));
    expect(request).toContain('"eventTime":"2026-01-31T12:00:00.123000Z"');
  });

  test.each([
    [403, 'events is forbidden', 'forbidden'],
    [
      403,
      'events "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
      'gone',
    ],
    [404, 'namespaces "shop" not found', 'gone'],
    [422, 'Event "a" is invalid', 'invalid'],
  ])('is not created if the API server answers %i: %s', async (code, message, result) => {
    kubernetes.failure = { code, message };
    expect(await agentClient.createEvent(event)).toEqual({ result, failure: message });
  });

  test.each([401, 429, 500, 503])('throws if the API server answers %i', async (code) => {
    kubernetes.failure = { code, message: 'later' };
    await expect(agentClient.createEvent(event)).rejects.toThrow('later');
  });

  test('throws if there is no answer in time', async () => {
    kubernetes.isStuck = true;
    await expect(agentClient.createEvent(event, 100)).rejects.toThrow('timeout');
    // None if it was aborted before it arrived.
    expect(kubernetes.requests.length).toBeLessThanOrEqual(1);
  });
});

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the keys of zones', () => {
  let keys: SecretKeys;
  beforeEach(() => {
    keys = new SecretKeys(agentClient, 'keys');
  });

  test('are read by zone', async () => {
    expect(await keys.read('corp.internal')).toBeUndefined();
    kubernetes.writeSecret({ 'corp.internal': base64('one\n'), 'other.internal': base64('two\n') });
    expect(await keys.read('corp.internal')).toBe('one\n');
    expect(await keys.read('internal')).toBeUndefined();
    kubernetes.secret = undefined;
    expect(await keys.read('corp.internal')).toBeUndefined();
  });

  test('are merged into the Secret, at the resourceVersion that was read', async () => {
    kubernetes.writeSecret({ 'other.internal': base64('two') });
    expect(await keys.getOrCreate('corp.internal', 'one\n')).toBe('one\n');
    expect(kubernetes.requests.at(-1)).toBe(
      'PATCH /api/v1/namespaces/dns/secrets/keys?fieldManager=idns-0 application/merge-patch+json ' +
        `{"metadata":{"resourceVersion":"2"},"data":{"corp.internal":"${base64('one\n')}"}}`,
    );
    expect(kubernetes.secret?.data).toEqual({ 'corp.internal': base64('one\n'), 'other.internal': base64('two') });
  });

  test('are not replaced', async () => {
    await keys.getOrCreate('corp.internal', 'one');
    const { length } = kubernetes.requests;
    expect(await keys.getOrCreate('corp.internal', 'two')).toBe('one');
    expect(kubernetes.requests.slice(length)).toEqual(['GET /api/v1/namespaces/dns/secrets/keys']);
  });

  test('of concurrent writers are the first one’s, or both if they are for two zones', async () => {
    const rivals: Record<string, string>[] = [
      { 'other.internal': base64('two') },
      { 'corp.internal': base64('theirs') },
    ];
    kubernetes.afterRead = () => kubernetes.writeSecret(rivals.shift() ?? {});
    expect(await keys.getOrCreate('corp.internal', 'ours')).toBe('theirs');
    kubernetes.afterRead = () => {};
    expect(await keys.getOrCreate('third.internal', 'three')).toBe('three');
    expect(kubernetes.secret?.data).toEqual({
      'other.internal': base64('two'),
      'corp.internal': base64('theirs'),
      'third.internal': base64('three'),
    });
    const results = await Promise.all(['a', 'b', 'c', 'd'].map((key) => keys.getOrCreate('fourth.internal', key)));
    expect(new Set(results).size).toBe(1);
  });

  test('are no more than the limit, but for zones that have one', async () => {
    await keys.getOrCreate('corp.internal', 'one', 2);
    await keys.getOrCreate('other.internal', 'two', 2);
    await expect(keys.getOrCreate('third.internal', 'three', 2)).rejects.toThrow(
      new Error('it has 2 keys already: remove those of zones that are gone'),
    );
    expect(await keys.getOrCreate('corp.internal', 'new', 2)).toBe('one');
    expect(await keys.getOrCreate('third.internal', 'three')).toBe('three');
  });

  test('cannot be kept without the Secret, nor while others keep writing it', async () => {
    let count = 0;
    kubernetes.afterRead = () => kubernetes.writeSecret({ busy: base64(`${count++}`) });
    await expect(keys.getOrCreate('corp.internal', 'one')).rejects.toThrow(new Error('it keeps changing'));
    kubernetes.secret = undefined;
    await expect(keys.getOrCreate('corp.internal', 'one')).rejects.toThrow(new Error('it does not exist yet'));
    kubernetes.failure = { code: 403, message: 'secrets "keys" is forbidden' };
    for (const request of [
      keys.getOrCreate('corp.internal', 'one'),
      keys.read('corp.internal'),
      keys.remove('corp.internal'),
    ]) {
      await expect(request).rejects.toThrow('secrets "keys" is forbidden');
    }
  });

  test('are deleted one by one, and once', async () => {
    for (const [zone, key] of [
      ['corp.internal', 'one'],
      ['other.internal', 'two'],
    ] as const)
      await keys.getOrCreate(zone, key);
    await keys.remove('corp.internal');
    expect(kubernetes.secret?.data).toEqual({ 'other.internal': base64('two') });
    const { length } = kubernetes.requests;
    await keys.remove('corp.internal');
    kubernetes.secret = undefined;
    await keys.remove('corp.internal');
    expect(kubernetes.requests.slice(length)).toEqual(Array(2).fill('GET /api/v1/namespaces/dns/secrets/keys'));
  });

  test('have a valid key of their own for each zone', () => {
    expect(entryOf('corp.internal')).toBe('corp.internal');
    expect(entryOf('0/26.2.0.192.in-addr.arpa')).toBe('0X2F26.2.0.192.in-addr.arpa');
    const name = fc.string({ unit: fc.constantFrom(...'abx029-_./*!ü'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(entryOf(one)).toMatch(/^[-._a-zA-Z0-9]+$/);
        expect(entryOf(one) === entryOf(other)).toBe(one === other);
      }),
      { numRuns: 1000 },
    );
    for (const rival of ['0_26.a', '0x2f26.a', '0X2F26.a', '0/26.a']) {
      expect(entryOf(rival) === entryOf('0/26.a')).toBe(rival === '0/26.a');
    }
  });
});
