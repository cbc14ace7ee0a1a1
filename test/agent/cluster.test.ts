/** What the agent asks of Kubernetes, against an API server of our own that knows two ConfigMaps and a claim. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Cluster } from '../../functions/agent/cluster.ts';

const soon = { timeout: 10_000, interval: 20 };
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
  claim = '1Gi';
  /** Answered to every request while it is set. */
  failure: { code: number; message: string } | undefined;
  #version = 1;
  readonly #watches = new Set<ServerResponse>();
  readonly server: Server = createServer((request, response) => void this.#serve(request, response));

  change(declaration: string): void {
    this.declaration = declaration;
    this.#version += 1;
    for (const watch of this.#watches)
      watch.write(`${JSON.stringify({ type: 'MODIFIED', object: this.#configMap })}\n`);
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
      data: { 'declaration.json': this.declaration },
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url ?? '', 'http://any');
    this.requests.push(
      `${request.method} ${url.pathname}${url.search} ${request.headers['content-type'] ?? ''} ${body}`.trim(),
    );
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
    if (request.method === 'PATCH') this.claim = JSON.parse(body).spec?.resources.requests.storage ?? this.claim;
    if (url.pathname.includes('persistentvolumeclaims')) {
      return void response.end(JSON.stringify({ spec: { resources: { requests: { storage: this.claim } } } }));
    }
    const items = this.declaration === undefined ? [] : [this.#configMap];
    const list = { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: `${this.#version}` }, items };
    response.end(JSON.stringify(request.method === 'GET' ? list : this.#configMap));
  }
}

let kubernetes: Kubernetes;
let cluster: Cluster;
// Another array for each test: a watch of an earlier one goes on.
let heard: string[];
let failures: (string | undefined)[];

beforeEach(async () => {
  kubernetes = new Kubernetes();
  kubernetes.server.listen(0, '127.0.0.1');
  await once(kubernetes.server, 'listening');
  const config = new KubeConfig();
  const server = `http://127.0.0.1:${(kubernetes.server.address() as AddressInfo).port}`;
  config.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: true }, { name: 'u', token: 't' });
  const names = { namespace: 'dns', pod: 'idns-0', declared: 'declared', status: 'status', claim: 'data-idns-0' };
  cluster = new Cluster({ ...names, config });
  heard = [];
  failures = [];
});
afterEach(() => {
  kubernetes.server.close();
  kubernetes.server.closeAllConnections();
});

function watch(): void {
  const [texts, noted] = [heard, failures];
  cluster.watchDeclaration(
    (text) => texts.push(text),
    (failure) => noted.push(failure),
  );
}

test('hears the declaration, every change of it, and only of this one ConfigMap', async () => {
  watch();
  await vi.waitFor(() => expect([heard, kubernetes.watches]).toEqual([['one'], 1]), soon);
  kubernetes.change('two');
  await vi.waitFor(() => expect(heard).toEqual(['one', 'two']), soon);
  expect(failures).toEqual([undefined]);
  for (const request of kubernetes.requests) expect(request).toMatch(/fieldSelector=metadata.name%3Ddeclared/);
});

test('hears again after Kubernetes was away, of what happened meanwhile too', async () => {
  watch();
  await vi.waitFor(() => expect(kubernetes.watches).toBe(1), soon);
  kubernetes.failure = { code: 503, message: 'the server is shutting down' };
  kubernetes.hangUp();
  await vi.waitFor(() => expect(failures.at(-1)).toBe('the server is shutting down'), soon);
  kubernetes.change('two');
  kubernetes.failure = undefined;
  await vi.waitFor(() => expect([heard.at(-1), failures.at(-1)]).toEqual(['two', undefined]), soon);
});

test('says that there is nothing to hear', async () => {
  kubernetes.declaration = undefined;
  watch();
  await vi.waitFor(() => expect(failures).toEqual(['there is no ConfigMap declared']), soon);
});

test('applies its report under its own key and name', async () => {
  await cluster.writeReport('{}');
  expect(kubernetes.requests).toEqual([
    'PATCH /api/v1/namespaces/dns/configmaps/status?fieldManager=idns-0&force=true application/apply-patch+yaml ' +
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"status","namespace":"dns"},"data":{"idns-0":"{}"}}',
  ]);
});

test('grows its claim if it is smaller, and only then', async () => {
  await cluster.growClaim('1Gi');
  expect(kubernetes.requests).toHaveLength(1);
  await cluster.growClaim('2Gi');
  expect(kubernetes.claim).toBe('2Gi');
});

test('a refusal is in Kubernetes’ words, the same every time', async () => {
  const message = 'only dynamically provisioned pvc can be resized';
  kubernetes.failure = { code: 403, message };
  for (let i = 0; i < 2; i++) expect(await cluster.growClaim('2Gi')).toBe(message);
  kubernetes.failure = { code: 503, message };
  await expect(cluster.growClaim('2Gi')).rejects.toThrow(new Error(message));
  await expect(cluster.writeReport('{}')).rejects.toThrow(new Error(message));
});
