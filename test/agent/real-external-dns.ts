/** The real ExternalDNS, once, with an API server that has given objects, and a webhook that listens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Endpoint, endpoints } from '../../functions/agent/discovery/endpoint.ts';
import { type ApiResource, gateways, sourceResources } from '../../functions/contract/source-kinds.ts';
import { freePort } from '../powerdns/server.ts';
import type { GeneratedObject } from './sources/generated/objects.ts';

/** The binary: `EXTERNAL_DNS`, or what the lab has built. Undefined without one. */
export const binary = [process.env.EXTERNAL_DNS, '/tmp/lab/bin/external-dns'].find((path) => path && existsSync(path));

const resources: Record<string, ApiResource> = {
  ...sourceResources,
  Gateway: gateways,
  Namespace: { group: '', version: 'v1', plural: 'namespaces' },
  Pod: { group: '', version: 'v1', plural: 'pods' },
  Node: { group: '', version: 'v1', plural: 'nodes' },
  EndpointSlice: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
};

const mediaType = 'application/external.dns.webhook+json;version=1';

/** Returns what the webhook hears in the first loop. */
export async function hear(objects: readonly GeneratedObject[], flags: readonly string[]): Promise<Endpoint[]> {
  if (!binary) throw new Error('there is no ExternalDNS');
  const folder = mkdtempSync(join(tmpdir(), 'external-dns-'));
  let heard: Endpoint[] | undefined;
  const api = createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json');
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://any');
    if (request.method !== 'GET') return void text(request).then((body) => response.end(body));
    if (searchParams.get('watch')) return void response.flushHeaders();
    response.end(JSON.stringify(answerOf(pathname, objects)));
  });
  const webhook = createServer(async (request, response) => {
    response.setHeader('Content-Type', mediaType);
    const body = await text(request);
    if (request.url === '/adjustendpoints') heard = endpoints.parse(JSON.parse(body));
    if (request.url === '/records' && request.method === 'POST') return void response.writeHead(204).end();
    response.end({ '/': '{}', '/records': '[]', '/adjustendpoints': body }[request.url ?? ''] ?? '');
  });
  try {
    const [apiPort, webhookPort] = await Promise.all([api, webhook].map(portOf));
    const kubeconfig = join(folder, 'kubeconfig');
    const cluster = { name: 'c', cluster: { server: `http://127.0.0.1:${apiPort}` } };
    const context = { name: 'c', context: { cluster: 'c', user: 'u' } };
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        clusters: [cluster],
        users: [{ name: 'u', user: {} }],
        contexts: [context],
        'current-context': 'c',
      }),
    );
    const own = [
      `--kubeconfig=${kubeconfig}`,
      '--provider=webhook',
      `--webhook-provider-url=http://127.0.0.1:${webhookPort}`,
      '--registry=noop',
      '--policy=sync',
      '--once',
      '--enable-legacy-annotation-prefix',
      `--metrics-address=127.0.0.1:${await freePort()}`,
      '--kube-api-qps=1000',
      '--kube-api-burst=1000',
    ];
    // Lists, rather than a watch that begins with all objects.
    const env = { KUBE_FEATURE_WatchListClient: 'false' };
    const child = spawn(binary, [...own, ...flags], { env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    await once(child, 'close');
    clearTimeout(timer);
    if (!heard) throw new Error(`ExternalDNS asked for nothing: ${output.slice(-3000)}`);
    return heard;
  } finally {
    for (const server of [api, webhook]) server.close().closeAllConnections();
    rmSync(folder, { recursive: true });
  }
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Lists, and API discovery as far as it is asked for. */
function answerOf(path: string, objects: readonly GeneratedObject[]): unknown {
  const [kind, resource] =
    Object.entries(resources).find(([, each]) => path === `${pathOf(each)}/${each.plural}`) ?? [];
  if (kind && resource) {
    const items = objects
      .filter((object) => object.kind === kind)
      .map(({ metadata, ...object }) => ({ ...object, metadata: { ...metadata, resourceVersion: '1' } }));
    const apiVersion = pathOf(resource).replace(/^\/apis?\//, '');
    return { apiVersion, kind: `${kind}List`, metadata: { resourceVersion: '1' }, items };
  }
  const { group, version } = sourceResources.DNSEndpoint;
  const versions = [{ groupVersion: `${group}/${version}`, version }];
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const groups = [{ name: group, versions, preferredVersion: versions[0] }];
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }
  if (path === `/apis/${group}`)
    return { kind: 'APIGroup', apiVersion: 'v1', name: group, versions, preferredVersion: versions[0] };
  const verbs = ['get', 'list', 'watch', 'update'];
  const own = ['dnsendpoints', 'dnsendpoints/status'].map((name) => ({
    name,
    kind: 'DNSEndpoint',
    namespaced: true,
    verbs,
  }));
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${group}/${version}`,
    resources: path === `/apis/${group}/${version}` ? own : [],
  };
}

const pathOf = ({ group, version }: ApiResource) => (group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
